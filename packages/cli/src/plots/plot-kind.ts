/** What a figure of runs shows. */
export const plotKinds = ["curves", "bars", "profile", "aggregates"] as const;
export type PlotKind = (typeof plotKinds)[number];
