/** The page: mounts each figure on its part of the markup. */
import { dragEitherSide } from "./figures/drag-either-side.js";
import { theEvidence } from "./figures/the-evidence.js";
import { theRace } from "./figures/the-race.js";
import { twoArrows } from "./figures/two-arrows.js";
import { whatTauDoes } from "./figures/what-tau-does.js";
import { type Settings, settingsOf } from "./state/settings.js";
import { urlSettings } from "./state/url-settings.js";

/** A figure fills its markup and keeps its reader's choices in its settings. Another figure is another line here. */
const figures: Readonly<Record<string, (root: HTMLElement, settings: Settings) => void>> = {
  sides: dragEitherSide,
  temperature: whatTauDoes,
  arrows: twoArrows,
  race: theRace,
  evidence: (root, settings) =>
    theEvidence(root, settings, async () => (await import("virtual:evidence")).tasks),
};

const settings = urlSettings(window);
for (const [id, mount] of Object.entries(figures)) {
  const root = document.getElementById(id);
  if (root !== null) mount(root, settingsOf(settings, id));
}
