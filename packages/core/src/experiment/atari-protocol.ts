import { fail } from "../base/errors.js";

/**
 * The rules by which an Atari game is played; scores of one say nothing about the other.
 *
 * - `classic` (Mnih et al. 2015, Gymnasium's NoFrameskip-v4): actions as given, the game's own actions, 1 to 30 no-ops at
 *   the start, a lost life ends an episode of training.
 * - `sticky` (Machado et al. 2018): every frame repeats the action before with probability 0.25, all 18 actions, no
 *   no-ops, whole games.
 */
export const atariProtocols = ["classic", "sticky"] as const;
export type AtariProtocol = (typeof atariProtocols)[number];

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
