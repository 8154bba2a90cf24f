import { describeValue, fail } from "../../base/errors.js";
import { type Snapshot, snapshotArray, snapshotSection } from "../../base/snapshot.js";
import { ArrayEnvironment } from "../array-environment.js";
import type { Picture } from "../canvas.js";
import { type AtariEmulator, fullActions } from "./emulator.js";
import { AtariFrames } from "./frame-stack.js";
import {
  type AtariProtocol,
  type AtariRules,
  atariFrameSkip,
  atariMostFrames,
  atariRules,
  atariSide,
  atariStack,
  requireProtocolFits,
} from "./protocol.js";

export interface AtariOptions {
  readonly protocol: AtariProtocol;
  /** Training clips rewards to [−1, 1] and, in `classic`, ends an episode at a lost life; evaluation does neither. */
  readonly training: boolean;
}

/**
 * S Atari games on emulators that you provide, with the standard preprocessing: each action is held for four frames,
 * the last two are pooled by maximum in grey and shrunk to 84 × 84, and four such frames make an observation
 * [84, 84, 4], newest last.
 *
 * Observations match those that ALE's `AtariVectorEnv` computes from the same frames (a test compares their bytes),
 * with three intended differences:
 *
 * - A game starts with its first frame four times, not with three black frames and its first.
 * - A game that ends within the four frames of an action shows its last screen, not an old one.
 * - A lost life that ends an episode does not end the game, which continues after one no-op step, as in OpenAI
 *   Baselines.
 *
 * @param id names the environment, for instance `ALE/Pong-v5`.
 * @param emulators one per environment; closing the environment closes them.
 */
export function atariEnvironment(
  id: string,
  emulators: readonly AtariEmulator[],
  { protocol, training }: AtariOptions,
): AtariEnvironment {
  if (!Object.hasOwn(atariRules, protocol)) {
    fail(`atariEnvironment ${id}`, "unknown protocol", {
      expected: Object.keys(atariRules).join(" or "),
      got: describeValue(protocol),
    });
  }
  requireProtocolFits(`atariEnvironment ${id}`, id, protocol);
  return new AtariEnvironment(id, emulators, atariRules[protocol], training, protocol);
}

/** Made by {@link atariEnvironment}. */
export class AtariEnvironment extends ArrayEnvironment<Uint8Array> {
  readonly atariProtocol?: AtariProtocol;
  readonly #emulators: readonly AtariEmulator[];
  readonly #protocol: AtariRules;
  readonly #training: boolean;
  /** ALE's number for each action. */
  readonly #actions: readonly number[];
  readonly #frames: AtariFrames;
  /** The last two screens in grey. */
  readonly #screens: readonly [Uint8Array, Uint8Array];
  readonly #rows: readonly Uint8Array[];
  /** [S], 1 from a reset of the random streams until the emulator has its new seed. */
  readonly #unseeded: Uint8Array;
  /** [S], the previous action, which a sticky step repeats. */
  readonly #held: Int32Array;
  readonly #lives: Int32Array;
  /** [S], frames of the game so far, including no-ops. */
  readonly #played: Int32Array;

  /** @param atariProtocol the protocol that has these rules; left out, they are rules of your own */
  constructor(
    id: string,
    emulators: readonly AtariEmulator[],
    rules: AtariRules,
    training: boolean,
    atariProtocol?: AtariProtocol,
  ) {
    const actions = rules.actions === "full" ? fullActions : (emulators[0]?.minimalActions ?? [0]);
    super(
      {
        id,
        size: emulators.length,
        observationSpace: {
          kind: "box",
          shape: [atariSide, atariSide, atariStack],
          dtype: "uint8",
          low: 0,
          high: 255,
        },
        actions: actions.length,
        maxEpisodeSteps: Infinity,
      },
      (length) => new Uint8Array(length),
    );
    requireAlike(id, emulators);
    const [{ width, height }] = emulators;
    this.#emulators = emulators;
    if (atariProtocol !== undefined) this.atariProtocol = atariProtocol;
    this.#protocol = rules;
    this.#training = training;
    this.#actions = actions;
    this.#frames = new AtariFrames(width, height);
    this.#screens = [new Uint8Array(width * height), new Uint8Array(width * height)];
    this.#rows = emulators.map((_, i) => this.observations.subarray(i * this.width, (i + 1) * this.width));
    this.#unseeded = new Uint8Array(this.size);
    this.#held = new Int32Array(this.size);
    this.#lives = new Int32Array(this.size);
    this.#played = new Int32Array(this.size);
  }

  /** The current screen of game i, in colour. */
  screen(i: number): Picture {
    this.requirePlace("screen", i);
    const { width, height } = this.#emulators[i];
    const pixels = new Uint8Array(width * height * 3);
    this.#emulators[i].screenRgbInto(pixels);
    return { width, height, pixels };
  }

  override close(): void {
    if (!this.closed) for (const emulator of this.#emulators) emulator.close?.();
    super.close();
  }

  protected override seeded(): void {
    this.#unseeded.fill(1);
  }

  protected start(i: number): void {
    const emulator = this.#emulators[i];
    const { mostNoops } = this.#protocol;
    // ALE's seed is a signed 32-bit integer.
    emulator.reset(this.#unseeded[i] === 1 ? this.random(i).uint32() >>> 1 : undefined);
    this.#unseeded[i] = 0;
    this.#played[i] = 0;
    for (let left = mostNoops === 0 ? 0 : 1 + this.random(i).integer(mostNoops); left > 0; left--) {
      emulator.act(0);
      this.#played[i]++;
      if (!emulator.gameOver()) continue;
      emulator.reset();
      this.#played[i] = 0;
    }
    this.#held[i] = 0;
    this.#lives[i] = emulator.lives();
    const [screen] = this.#screens;
    emulator.screenGrayInto(screen);
    this.#frames.fill(screen, screen, this.#rows[i]);
  }

  protected advance(actions: Int32Array): void {
    for (let i = 0; i < this.size; i++) this.#step(i, this.#actions[actions[i]]);
  }

  #step(i: number, action: number): void {
    const emulator = this.#emulators[i];
    const training = this.#training;
    const score = this.#hold(i, action);
    this.#frames.push(...this.#screens, this.#rows[i]);
    const over = emulator.gameOver();
    const truncated = !over && this.#played[i] >= atariMostFrames;
    const lives = emulator.lives();
    // At 0 lives some games run for a few more frames; gameOver reports when they have ended.
    const lost = training && this.#protocol.livesEndEpisodes && 0 < lives && lives < this.#lives[i];
    this.#lives[i] = lives;
    this.rewards[i] = training ? Math.min(1, Math.max(-1, score)) : score;
    this.terminated[i] = over || (lost && !truncated) ? 1 : 0;
    this.truncated[i] = truncated ? 1 : 0;
    this.episodeEnded[i] = 0;
    this.steps[i]++;
    this.returns[i] += score;
    if (!(over || truncated || lost)) return;
    this.keepFinal(i);
    if (over || truncated || this.#leaveDeath(i)) this.finish(i);
  }

  /** Continues after a lost life with one no-op step; returns whether that step ended the game. */
  #leaveDeath(i: number): boolean {
    const emulator = this.#emulators[i];
    this.returns[i] += this.#hold(i, 0);
    this.#frames.fill(...this.#screens, this.#rows[i]);
    this.#lives[i] = emulator.lives();
    return emulator.gameOver() || this.#played[i] >= atariMostFrames;
  }

  /** Plays up to four frames, keeps the last two grey screens, and returns the score of all frames. */
  #hold(i: number, action: number): number {
    const emulator = this.#emulators[i];
    const { stickyProbability } = this.#protocol;
    const screens = this.#screens;
    let score = 0;
    for (let frame = 0; frame < atariFrameSkip; frame++) {
      if (stickyProbability === 0 || this.random(i).float() >= stickyProbability) this.#held[i] = action;
      score += emulator.act(this.#held[i]);
      const over = ++this.#played[i] >= atariMostFrames || emulator.gameOver();
      if (frame >= atariFrameSkip - 2 || over) emulator.screenGrayInto(screens[frame % 2]);
      if (!over) continue;
      if (frame < atariFrameSkip - 1) screens[1 - (frame % 2)].set(screens[frame % 2]);
      break;
    }
    return score;
  }

  protected saveStates(): Snapshot {
    return {
      rules: { ...this.#protocol },
      emulators: Object.fromEntries(this.#emulators.map((emulator, i) => [i, emulator.save()])),
      observations: this.observations.slice(),
      held: this.#held.slice(),
      lives: this.#lives.slice(),
      played: this.#played.slice(),
    };
  }

  protected restoreStates(where: string, snapshot: Snapshot): void {
    const rules = snapshotSection(where, snapshot, "rules");
    for (const [name, value] of Object.entries(this.#protocol)) {
      if (rules[name] === value) continue;
      fail(where, "the snapshot was saved under another protocol", {
        expected: `${name} ${value}`,
        got: String(rules[name]),
        remedy: "restore it into an environment with the same protocol",
      });
    }
    const section = snapshotSection(where, snapshot, "emulators");
    const states = this.#emulators.map((_, i) => {
      const state = section[i];
      if (state instanceof Uint8Array) return state;
      return fail(where, `the snapshot has no state for emulator ${i}`, {
        remedy: "restore a snapshot of the same environment with the same size",
      });
    });
    const { size, observations } = this;
    const seen = snapshotArray(where, snapshot, "observations", "uint8", observations.length);
    const held = snapshotArray(where, snapshot, "held", "int32", size);
    const lives = snapshotArray(where, snapshot, "lives", "int32", size);
    const played = snapshotArray(where, snapshot, "played", "int32", size);
    this.#emulators.forEach((emulator, i) => {
      emulator.restore(states[i]);
    });
    observations.set(seen);
    this.#held.set(held);
    this.#lives.set(lives);
    this.#played.set(played);
    this.#unseeded.fill(0);
  }
}

function requireAlike(id: string, emulators: readonly AtariEmulator[]): void {
  const [first] = emulators;
  emulators.forEach((emulator, i) => {
    const alike =
      emulator.width === first.width &&
      emulator.height === first.height &&
      emulator.minimalActions.join() === first.minimalActions.join();
    if (alike && emulators.indexOf(emulator) === i) return;
    fail(
      `${id} emulator ${i}`,
      alike ? "is used for two environments" : "has a different game from emulator 0",
      {
        remedy: "make one emulator per environment, all with the same game",
      },
    );
  });
}
