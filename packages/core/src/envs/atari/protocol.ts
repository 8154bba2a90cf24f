import { fail } from "../../base/errors.js";

/** The names of the protocols. */
export const atariProtocols = ["classic", "sticky"] as const;

/**
 * The two sets of rules under which Atari results are published. Never mix them.
 *
 * `classic` follows Mnih et al. (2015), as the paper does; `sticky` follows Machado et al. (2018).
 */
export type AtariProtocol = (typeof atariProtocols)[number];

/** The rules of a protocol. */
export interface AtariRules {
  /** The probability per frame that the console repeats the previous action. */
  readonly stickyProbability: number;
  /** A game starts with 1 to this many no-op frames, drawn uniformly; 0 means none. */
  readonly mostNoops: number;
  /** Only the actions that have an effect in the game, or all 18. */
  readonly actions: "minimal" | "full";
  /** Whether a lost life terminates the episode in training. */
  readonly livesEndEpisodes: boolean;
}

/** The rules of both protocols. Both clip rewards to [−1, 1] in training and leave them unclipped in evaluation. */
export const atariRules: Readonly<Record<AtariProtocol, AtariRules>> = {
  classic: { stickyProbability: 0, mostNoops: 30, actions: "minimal", livesEndEpisodes: true },
  sticky: { stickyProbability: 0.25, mostNoops: 0, actions: "full", livesEndEpisodes: false },
};

/** Number of frames for which an action is held. */
export const atariFrameSkip = 4;
/** Side of an observation in pixels. */
export const atariSide = 84;
/** Frames in one observation, newest last. */
export const atariStack = 4;
/** Frames after which a game is truncated: 30 minutes of play. */
export const atariMostFrames = 108_000;

/**
 * Checks that an id allows a protocol. `ALE/Pong-v5` can be played under either; `PongNoFrameskip-v4` implies `classic`
 * and `PongNoFrameskip-v0` implies `sticky`.
 * @throws SoftrlError if the id implies the other protocol. After `where`, its message begins with `atariProtocol`.
 */
export function requireProtocolFits(where: string, id: string, protocol: AtariProtocol): void {
  const version = /^(\w+)NoFrameskip-v(\d+)$/.exec(id);
  if (version === null) return;
  const [, game, number] = version;
  const meant: AtariProtocol = number === "0" ? "sticky" : "classic";
  if (protocol === meant) return;
  fail(where, `atariProtocol does not go with ${id}`, {
    expected: `"${meant}", which this id implies`,
    got: `"${protocol}"`,
    remedy: `choose ${meant}, or the environment ALE/${game}-v5`,
  });
}
