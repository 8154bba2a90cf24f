export { COLOURS, DARK, DASHES, darkRules, GREY, PAPER, TEXT } from "./drawing/ink.js";
export { SVG, svgElement } from "./drawing/svg-element.js";
export { dragEitherSide } from "./figures/drag-either-side.js";
export type { EvidenceInk, EvidenceLine, EvidencePoint, EvidenceTask } from "./figures/evidence-data.js";
export { theEvidence } from "./figures/the-evidence.js";
export { twoArrows } from "./figures/two-arrows.js";
export { whatTauDoes } from "./figures/what-tau-does.js";
export { memorySettings, type Settings, settingsOf } from "./state/settings.js";
