import { fail } from "../base/errors.js";
import type { EnvironmentRows } from "../envs/environment.js";
import { terminatedFlags, truncatedFlags } from "../math/endings.js";

/** An episode that ended in another thread, as the one row that `onStep` takes. */
export class EndedEpisode implements EnvironmentRows {
  readonly id: string;
  readonly size = 1;
  readonly observations = new Float32Array(0);
  readonly finalObservations = new Float32Array(0);
  readonly rewards = new Float64Array(1);
  readonly episodeReturns = new Float64Array(1);
  readonly episodeLengths = new Int32Array(1);
  readonly episodeEnded = Uint8Array.of(1);
  readonly terminated = terminatedFlags(1);
  readonly truncated = truncatedFlags(1);

  constructor(id: string) {
    this.id = id;
  }

  /** These rows, with this episode. */
  rows(episode: { readonly return: number; readonly length: number }): EnvironmentRows {
    this.episodeReturns[0] = episode.return;
    this.episodeLengths[0] = episode.length;
    return this;
  }

  step(): never {
    return fail(this.id, "these environments step in another thread");
  }
}
