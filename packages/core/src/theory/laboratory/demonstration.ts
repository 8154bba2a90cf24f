/** How the numbers of an axis are laid out. */
export interface Axis {
  /** What it shows, with its unit. */
  readonly label: string;
  readonly scale: "linear" | "log";
}

/** Numbers that belong together in a figure. */
export interface Series {
  readonly name: string;
  /** "measured" by the library; "theory": what the equation says; "cloud": single points that no line joins. */
  readonly kind: "measured" | "theory" | "cloud";
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** One number that must be as the theory says. */
export interface Fact {
  readonly what: string;
  readonly measured: number;
  /** What it must be: at most `bound`, at least it, or within `tolerance` of it. */
  readonly relation: "≤" | "≥" | "≈";
  readonly bound: number;
  readonly tolerance: number;
  /** NaN never holds. */
  readonly holds: boolean;
}

/** One equation of the paper, measured: a figure's numbers, and what must hold of them. */
export interface Demonstration {
  /** A name for files. */
  readonly name: string;
  readonly title: string;
  /** Where the paper states it. */
  readonly section: string;
  /** What is measured. */
  readonly equation: string;
  /** For someone who has never trained a network: what one sees, and why. */
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
