import { fail } from "../../base/errors.js";

/** The protocols' names. */
export const atariProtocols = ["classic", "sticky"] as const;

/**
 * The two ways of playing Atari that results are reported in; never mixed.
 *
 * `classic` is that of Mnih et al. (2015) and the lineage that the paper used; `sticky` is that of Machado et al.
 * (2018).
 */
export type AtariProtocol = (typeof atariProtocols)[number];

/** What a protocol fixes. */
export interface AtariRules {
  /** The probability, each frame, that the console repeats the action before instead. */
  readonly stickyProbability: number;
  /** A game starts with 1 to this many frames of doing nothing, uniformly; 0 for none. */
  readonly mostNoops: number;
  /** The actions that do something in this game, or all 18. */
  readonly actions: "minimal" | "full";
  /** Whether a lost life is a termination in training. */
  readonly livesEndEpisodes: boolean;
}

/** Both protocols as numbers. Rewards are clipped to [−1, 1] in training and raw in evaluation, in both. */
export const atariRules: Readonly<Record<AtariProtocol, AtariRules>> = {
  classic: { stickyProbability: 0, mostNoops: 30, actions: "minimal", livesEndEpisodes: true },
  sticky: { stickyProbability: 0.25, mostNoops: 0, actions: "full", livesEndEpisodes: false },
};

/** Frames that an action is held for. */
export const atariFrameSkip = 4;
/** Pixels a side of what is observed. */
export const atariSide = 84;
/** Frames of one observation, newest last. */
export const atariStack = 4;
/** Frames after which a game is truncated: 30 minutes. */
export const atariMostFrames = 108_000;

/**
 * `ALE/Pong-v5` names a game, to be played by either protocol; `PongNoFrameskip-v4` and `-v0` name one, too.
 * @throws SoftrlError, whose message after `where` begins with `atariProtocol`, when the id means the other one.
 */
export function requireProtocolFits(where: string, id: string, protocol: AtariProtocol): void {
  const version = /^(\w+)NoFrameskip-v(\d+)$/.exec(id);
  if (version === null) return;
  const [, game, number] = version;
  const meant: AtariProtocol = number === "0" ? "sticky" : "classic";
  if (protocol === meant) return;
  fail(where, `atariProtocol does not go with ${id}`, {
    expected: `"${meant}", which that id stands for`,
    got: `"${protocol}"`,
    remedy: `choose ${meant}, or the environment ALE/${game}-v5`,
  });
}
