/** The colours and dashes of figures. */

/** The Okabe-Ito palette, told apart by every kind of colour vision; dashes go round at another pace than colours. */
export const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900"];
export const DASHES = ["none", "7 4", "2 3", "9 3 2 3"];
export const PAPER = "#ffffff";
export const TEXT = "#222222";
export const GREY = "#6b7280";
/** The same figure where the reader's system is dark. */
export const DARK: Readonly<Record<string, string>> = {
  [PAPER]: "#0d1117",
  [TEXT]: "#e6edf3",
  [GREY]: "#9aa4b2",
  "#0072b2": "#58b0ea",
  "#d55e00": "#ff8f4a",
  "#009e73": "#3ecfa0",
  "#cc79a7": "#e6a3cb",
  "#b58900": "#e6c35c",
};

/** Rules that give each colour its twin on dark pages: they win over what they select by. */
export function darkRules(): string {
  const rules = Object.entries(DARK).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  const root = `svg{background:${DARK[PAPER]}!important;color:${DARK[TEXT]}!important}`;
  return `<style>@media (prefers-color-scheme:dark){${root}${rules.join("")}}</style>`;
}
