/** Both agents of a race at the same game: they play at the same steps of their training, from the same random numbers. */
import type { PlayedFrame } from "softrl";
import { type Race, racers } from "./race.js";

/** Pictures that one wait may take: after a long one the games go on slower, not later. */
const MOST = 24;

/** Plays both games between two windows of training, and keeps the pictures to be drawn during the next one. */
export class GamesTogether {
  #frames: PlayedFrame[][] = [];
  #playedAt = performance.now();

  /** Plays for the time since the call before. @param pace steps in a second */
  async play(race: Race, pace: number): Promise<void> {
    const now = performance.now();
    const steps = Math.min(MOST, Math.round(((now - this.#playedAt) / 1000) * pace) - this.#frames.length);
    if (steps < 1) return;
    this.#playedAt = now;
    const ask = () =>
      racers.map((racer) => race.sides[racer].control.ask({ kind: "play", steps: 1, action: null }));
    const played = Array.from({ length: steps }, () => Promise.all(ask()));
    this.#frames.push(...(await Promise.all(played)));
  }

  /** The next picture of each agent, in the order of {@link racers}; undefined where none is left. */
  next(): readonly PlayedFrame[] | undefined {
    return this.#frames.shift();
  }
}
