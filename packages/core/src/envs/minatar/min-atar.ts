import { fail, requireInteger, requireNumber } from "../../base/errors.js";
import { type Snapshot, snapshotArray } from "../../base/snapshot.js";
import { ArrayEnvironment } from "../array-environment.js";
import { Canvas, type Picture } from "../canvas.js";
import type { Observations } from "../environment.js";
import { asterix } from "./asterix.js";
import { breakout } from "./breakout.js";
import { freeway } from "./freeway.js";
import { Board, type Game, type GameKind, over, side } from "./game.js";
import { RandomState } from "./random-state.js";
import { seaquest } from "./seaquest.js";
import { spaceInvaders } from "./space-invaders.js";

/** The five games, by name. */
const games = {
  Asterix: asterix,
  Breakout: breakout,
  Freeway: freeway,
  Seaquest: seaquest,
  SpaceInvaders: spaceInvaders,
};

/** The name of a MinAtar game. */
export type MinAtarGame = keyof typeof games;

export interface MinAtarOptions {
  /** Probability that a step repeats the previous action; default 0.1. */
  readonly stickyProbability?: number;
  /** Whether the difficulty increases over time; default true. Breakout and Freeway always keep their difficulty. */
  readonly ramping?: boolean;
  /** The time limit; no limit by default, as in the original. */
  readonly maxEpisodeSteps?: number;
}

/** Actions: nothing, left, up, right, down, fire. */
const actionCount = 6;

/** The side of a cell in a picture, in pixels. */
const cell = 16;

/**
 * S games of MinAtar (Young and Tian 2019), stepped together. They are reimplemented from a description of the rules,
 * without the original's code, and reproduce the original step by step for the same seed.
 *
 * An observation is [10, 10, channels] of bytes, 0 or 1, with row 0 at the top. The six actions are nothing, left, up,
 * right, down and fire. Game i draws from NumPy's `RandomState`, seeded with the first number of
 * `streams.stream("environment", i)`.
 */
export class MinAtar extends ArrayEnvironment<Uint8Array> {
  readonly #kind: GameKind;
  readonly #sticky: number;
  readonly #games: readonly Game[];
  readonly #boards: readonly Board[];
  readonly #generators: readonly RandomState[];
  readonly #stateLength: number;
  readonly #states: Int32Array;
  readonly #generatorStates: Uint32Array;
  readonly #lastActions: Int32Array;

  /** @param size the number of games S. */
  constructor(game: MinAtarGame, size: number, options: MinAtarOptions = {}) {
    if (!Object.hasOwn(games, game)) {
      fail("MinAtar", "no such game", { expected: Object.keys(games).join(" or "), got: String(game) });
    }
    const { stickyProbability = 0.1, ramping = true, maxEpisodeSteps = Infinity } = options;
    requireNumber("MinAtar", "stickyProbability", stickyProbability, 0, 1);
    const kind = games[game];
    super(
      {
        id: `MinAtar/${kind.name}-v1`,
        size,
        observationSpace: {
          kind: "box",
          shape: [side, side, kind.channels.length],
          dtype: "uint8",
          low: 0,
          high: 1,
        },
        actions: actionCount,
        maxEpisodeSteps,
      },
      (length) => new Uint8Array(length),
    );
    this.#kind = kind;
    this.#sticky = stickyProbability;
    const { stateLength } = kind;
    this.#stateLength = stateLength;
    this.#states = new Int32Array(size * stateLength);
    this.#generatorStates = new Uint32Array(size * RandomState.length);
    this.#lastActions = new Int32Array(size);
    this.#generators = Array.from(
      { length: size },
      (_, i) =>
        new RandomState(this.#generatorStates.subarray(i * RandomState.length, (i + 1) * RandomState.length)),
    );
    this.#boards = Array.from(
      { length: size },
      (_, i) => new Board(this.observations.subarray(i * this.width, (i + 1) * this.width)),
    );
    this.#games = this.#generators.map((random, i) =>
      kind.make({
        random,
        state: this.#states.subarray(i * stateLength, (i + 1) * stateLength),
        board: this.#boards[i],
        ramping,
      }),
    );
  }

  /** Restarts game i with NumPy's `RandomState(seed)`, like the original's `seed` and `reset`. */
  seed(i: number, seed: number): void {
    this.requirePlace("seed", i);
    requireInteger("MinAtar.seed", "seed", seed, 0);
    if (seed > 0xffffffff) {
      fail("MinAtar.seed", "seed is out of range", { expected: "an integer below 2³²", got: String(seed) });
    }
    this.#generators[i].seed(seed);
    this.#lastActions[i] = 0;
    this.begin(i);
  }

  /** Draws the board, each cell in the colour of its first channel that is set. */
  paint(observation: Observations): Picture {
    const { channels } = this.#kind;
    const canvas = new Canvas(side * cell, side * cell, 0x14161b);
    for (let at = 0; at < side * side; at++) {
      const row = observation.subarray(at * channels.length, (at + 1) * channels.length);
      const first = row.findIndex((value: number) => value !== 0);
      if (first < 0) continue;
      const x = (at % side) * cell;
      canvas.rectangle(x, Math.floor(at / side) * cell, cell, cell, channels[first][1]);
    }
    return canvas;
  }

  protected override seeded(): void {
    this.#generators.forEach((generator, i) => {
      generator.seed(this.random(i).uint32());
    });
    this.#lastActions.fill(0);
  }

  protected start(i: number): void {
    this.#states.fill(0, i * this.#stateLength, (i + 1) * this.#stateLength);
    this.#games[i].begin();
    this.#show(i);
  }

  protected advance(actions: Int32Array): void {
    const last = this.#lastActions;
    const states = this.#states;
    const length = this.#stateLength;
    for (let i = 0; i < actions.length; i++) {
      // Drawn even if stickyProbability is 0, so that the game's own random numbers stay the same.
      if (this.#generators[i].float() >= this.#sticky) last[i] = actions[i];
      const game = this.#games[i];
      const reward = game.advance(last[i]);
      this.#boards[i].erase();
      game.show();
      this.settle(i, reward, states[i * length + over] === 1);
    }
  }

  protected saveStates(): Snapshot {
    return {
      games: this.#states.slice(),
      generators: this.#generatorStates.slice(),
      lastActions: this.#lastActions.slice(),
    };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    const states = snapshotArray(where, snapshot, "games", "int32", this.#states.length);
    const generators = snapshotArray(where, snapshot, "generators", "uint32", this.#generatorStates.length);
    const lastActions = snapshotArray(where, snapshot, "lastActions", "int32", this.size);
    this.#states.set(states);
    this.#generatorStates.set(generators);
    this.#lastActions.set(lastActions);
    for (let i = 0; i < this.size; i++) this.#show(i);
  }

  /** Draws game i on an empty board. */
  #show(i: number): void {
    this.#boards[i].clear();
    this.#games[i].showLasting();
    this.#games[i].show();
  }
}
