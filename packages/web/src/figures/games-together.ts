/** Both agents of a race at the same game: they play at the same steps of their training, from the same random numbers. */
import type { PlayedFrame } from "softrl";
import { type Race, racers } from "./race.js";

/** The most pictures that wait to be drawn: after a long wait the games go on slower, not later. */
const MOST = 24;

/** Plays both games between two windows of training, and keeps the pictures to be drawn during the next one. */
export class GamesTogether {
  #frames: PlayedFrame[][] = [];
  #playedAt = performance.now();

  /**
   * Plays for the time since the call before.
   * @param pace steps in a second
   * @param steps steps of a picture
   */
  async play(race: Race, pace: number, steps: number): Promise<void> {
    const now = performance.now();
    const due = Math.round(((now - this.#playedAt) / 1000) * (pace / steps));
    const pictures = Math.min(MOST, due) - this.#frames.length;
    if (pictures < 1) return;
    this.#playedAt = now;
    const ask = () =>
      racers.map((racer) => race.sides[racer].control.ask({ kind: "play", steps, action: null }));
    const played = Array.from({ length: pictures }, () => Promise.all(ask()));
    this.#frames.push(...(await Promise.all(played)));
  }

  /** The next picture of each agent, in the order of {@link racers}; undefined where none is left. */
  next(): readonly PlayedFrame[] | undefined {
    return this.#frames.shift();
  }
}
