/** An axis of a figure. */
export interface Axis {
  /** The quantity, with its unit. */
  readonly label: string;
  readonly scale: "linear" | "log";
}

/** One series of points in a figure. */
export interface Series {
  readonly name: string;
  /**
   * "measured" by the library; "theory": predicted by the equation; "cloud": separate points without a line.
   */
  readonly kind: "measured" | "theory" | "cloud";
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One number that the theory makes a statement about. */
export interface Fact {
  readonly what: string;
  readonly measured: number;
  /** The statement: at most `bound`, at least `bound`, or within `tolerance` of it. */
  readonly relation: "≤" | "≥" | "≈";
  readonly bound: number;
  readonly tolerance: number;
  /** False for NaN. */
  readonly holds: boolean;
}

/** One equation of the paper, measured: the numbers of a figure, and facts that must hold. */
export interface Demonstration {
  /** A name for the files. */
  readonly name: string;
  readonly title: string;
  /** Where the paper states it. */
  readonly section: string;
  /** The equation that is measured. */
  readonly equation: string;
  /** Explains the equation and the figure to a reader who knows gradients but not reinforcement learning. */
  readonly prose: readonly string[];
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  readonly facts: readonly Fact[];
}

export function atMost(what: string, measured: number, bound: number): Fact {
  return { what, measured, relation: "≤", bound, tolerance: 0, holds: measured <= bound };
}

export function atLeast(what: string, measured: number, bound: number): Fact {
  return { what, measured, relation: "≥", bound, tolerance: 0, holds: measured >= bound };
}

export function near(what: string, measured: number, bound: number, tolerance: number): Fact {
  return {
    what,
    measured,
    relation: "≈",
    bound,
    tolerance,
    holds: Math.abs(measured - bound) <= tolerance,
  };
}
