/** How a line of the evidence is drawn: `pg` is a policy gradient, `sq` soft Q-learning, as everywhere on the page. */
export type EvidenceInk = "pg" | "pg-dashed" | "sq" | "third" | "fourth" | "fifth" | "plain";

/** Mean over runs, and its 95 % bootstrap interval. */
export type EvidencePoint = readonly [mean: number, low: number, high: number];

/** An algorithm's runs on one task. */
export interface EvidenceLine {
  readonly name: string;
  readonly ink: EvidenceInk;
  readonly runs: number;
  /** At each of the task's steps. */
  readonly points: readonly EvidencePoint[];
}

/** A task of an experiment. */
export interface EvidenceTask {
  /** In addresses: `minatar.Asterix`. */
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  /** What a reader should know to judge the curves. */
  readonly about: string;
  readonly steps: readonly number[];
  readonly lines: readonly EvidenceLine[];
  /** Soft Q-learning minus the policy gradient of the theorem, at each step; null where they are not both shown. */
  readonly difference: { readonly name: string; readonly points: readonly EvidencePoint[] } | null;
}
