import type { OracleFigures } from "softrl";

type Figure = keyof OracleFigures;

/** What the oracle's chart shows, each with its line of the legend; figures are named as in events.jsonl. */
export const oracleCurves: readonly { readonly figure: Figure; readonly name: string }[] = [
  { figure: "regret", name: "regret of the soft return" },
  { figure: "valueErrorVisited", name: "valueErrorVisited: mean |V − Vπ|" },
  { figure: "policyErrorVisited", name: "policyErrorVisited: mean distance of π from π*" },
];

/** What a run's summary says of its last measurement. */
export function oracleLine(figures: OracleFigures): string {
  const told: readonly Figure[] = ["regret", "optimalReturn", "valueErrorVisited", "policyErrorVisited"];
  return `oracle: ${told.map((figure) => `${figure} ${Number(figures[figure].toPrecision(3))}`).join(", ")}`;
}
