/** Two controlled runs of one seed that train in step: the race without its page. */
import type {
  ControlledChoice,
  ControlledSnapshot,
  ControlledState,
  RunControl,
  RunEvent,
  TheoremAtPlay,
} from "softrl";

/** A game that the agents can learn. */
export interface RaceGame {
  readonly name: string;
  readonly environment: string;
  readonly learningRate: number;
  /** The return that counts as solved, or that a chart should have room for. */
  readonly goal: number;
  /** Steps between two points of the curve. */
  readonly logEvery: number;
  /** Steps after which a race ends: each of its snapshots holds the curve so far. */
  readonly mostSteps: number;
  /** τ at the start. */
  readonly tau: number;
  /** Steps that an agent takes on screen in a second. */
  readonly pace: number;
  /** The most snapshots that are kept. */
  readonly snapshots: number;
}

/** What decides the bytes of a race. */
export interface RaceChoice {
  readonly game: RaceGame;
  readonly seed: number;
  readonly tau: number;
  /** Whether soft Q-learning trains without its gap to the policy gradient. */
  readonly isGapSubtracted: boolean;
}

/** The two algorithms, in the order in which they are drawn. */
export const racers = ["a2c", "soft-q"] as const;
export type Racer = (typeof racers)[number];

/** One agent of a race. */
export interface RaceSide {
  readonly control: RunControl;
  state: ControlledState;
  /** The whole learning curve. */
  readonly curve: [step: number, meanReturn: number][];
  /** Changes of settings during the run, the newest last. */
  readonly events: RunEvent[];
}

/** A moment that the race can return to. */
export interface RaceSnapshot {
  readonly step: number;
  readonly checkpoints: Readonly<Record<Racer, Uint8Array>>;
}

/** A race as it is saved. */
export interface SavedRace extends RaceSnapshot {
  readonly environment: string;
  readonly seed: number;
  readonly isGapSubtracted: boolean;
}

/** The steps of each run, more than {@link RaceGame.mostSteps}: a schedule over them hardly changes anything. */
const STEPS = 1e9;
/**
 * Seconds of training between two moments at which both have taken the same steps. The faster one waits there for the
 * other, and both for the page: without a limit of the speed, that is rarer.
 */
const WINDOW = 0.1;
const UNLIMITED_WINDOW = 0.5;
const MOST_EVENTS = 200;

/** A run of the race, as the command takes it too. */
export function raceRun(racer: Racer, { game, seed, tau, isGapSubtracted }: RaceChoice): ControlledChoice {
  return {
    algorithm: racer,
    environment: game.environment,
    settings: {
      // No end, so no schedule: the learning rate is a constant.
      run: { seed, steps: STEPS, logEvery: game.logEvery, checkpointEvery: 0 },
      optimiser: { learningRate: game.learningRate },
      algorithm: { tau, ...(racer === "soft-q" && isGapSubtracted ? { gap: "subtracted" } : {}) },
    },
  };
}

/**
 * A race: both agents take steps in windows, so that each change of τ comes at the same step of both. Its methods wait for
 * one another; `pause` ends what goes on.
 */
export class Race {
  readonly sides: Readonly<Record<Racer, RaceSide>>;
  readonly choice: RaceChoice;
  /** Oldest first. */
  snapshots: RaceSnapshot[] = [];
  /** What the theorem's measurements gave for soft Q-learning's network, oldest first. */
  readonly measured: TheoremAtPlay[] = [];
  tau: number;
  isGoing = false;
  /** τ that was chosen while the race goes on, for the end of the present window. */
  #wantedTau: number | null = null;
  #snapshotEvery: number;
  #work: Promise<unknown> = Promise.resolve();

  private constructor(choice: RaceChoice, sides: Record<Racer, RaceSide>) {
    this.choice = choice;
    this.sides = sides;
    this.tau = sides["soft-q"].state.tau ?? choice.tau;
    this.#snapshotEvery = 5 * choice.game.logEvery;
  }

  /** Starts both from the seed. @param open opens a worker */
  static start(open: (racer: Racer) => RunControl, choice: RaceChoice): Promise<Race> {
    return Race.#begin(open, choice, (control, racer) =>
      control.ask({ kind: "start", choice: raceRun(racer, choice) }),
    );
  }

  /** Continues a saved race. */
  static load(
    open: (racer: Racer) => RunControl,
    choice: RaceChoice,
    { checkpoints }: RaceSnapshot,
  ): Promise<Race> {
    return Race.#begin(open, choice, (control, racer) =>
      control.ask({ kind: "load", checkpoint: checkpoints[racer] }),
    );
  }

  static async #begin(
    open: (racer: Racer) => RunControl,
    choice: RaceChoice,
    start: (control: RunControl, racer: Racer) => Promise<ControlledState>,
  ): Promise<Race> {
    const controls = { a2c: open("a2c"), "soft-q": open("soft-q") };
    const begin = async (racer: Racer): Promise<RaceSide> => {
      const control = controls[racer];
      const state = await start(control, racer);
      const side: RaceSide = { control, state, curve: [], events: [] };
      take(side, state);
      return side;
    };
    try {
      const [first, second] = await Promise.all([begin("a2c"), begin("soft-q")]);
      const race = new Race(choice, { a2c: first, "soft-q": second });
      await race.#snapshot();
      return race;
    } catch (error) {
      await Promise.all(racers.map((racer) => controls[racer].stop()));
      throw error;
    }
  }

  /** Steps that each has taken. */
  get step(): number {
    return this.sides.a2c.state.progress.step;
  }

  /** Whether all steps of the game are taken. */
  get isOver(): boolean {
    return this.step >= this.choice.game.mostSteps;
  }

  /**
   * Trains until `pause`, for so many steps, or until the race is over.
   * @param speed steps of each agent in a second, at most
   * @param onWindow called whenever both have taken the same steps; the race waits for what it returns
   */
  go(steps: number, speed: () => number, onWindow: () => void | Promise<void>): Promise<void> {
    this.isGoing = true;
    return this.#alone(async () => {
      const end = Math.min(this.step + steps, this.choice.game.mostSteps);
      try {
        await this.#extend();
        while (this.isGoing && this.step < end) {
          const began = performance.now();
          await this.#applyWantedTau();
          const limit = speed();
          const isLimited = Number.isFinite(limit);
          const wanted = isLimited
            ? Math.min(this.#stepsIn(WINDOW), limit * WINDOW)
            : this.#stepsIn(UNLIMITED_WINDOW);
          await this.#window(Math.min(Math.max(1, wanted), end - this.step));
          await onWindow();
          const left = 1000 * WINDOW - (performance.now() - began);
          if (isLimited && left > 0 && this.isGoing) await delay(left);
        }
      } finally {
        this.isGoing = false;
      }
      await this.#applyWantedTau();
    });
  }

  pause(): Promise<void> {
    this.isGoing = false;
    return this.#alone(async () => {});
  }

  /** Sets τ of both, at the same step. */
  setTau(tau: number): Promise<void> {
    this.#wantedTau = this.isGoing ? tau : null;
    return this.isGoing ? Promise.resolve() : this.#alone(() => this.#applyTau(tau));
  }

  /** Returns to a snapshot, and to its τ; those after it are dropped once the race goes on from there. */
  goTo(snapshot: RaceSnapshot): Promise<void> {
    this.isGoing = false;
    this.#wantedTau = null;
    return this.#alone(async () => {
      await this.#both(async (racer) => {
        const side = this.sides[racer];
        const checkpoint = snapshot.checkpoints[racer];
        take(side, await side.control.ask({ kind: "load", checkpoint }));
      });
      this.tau = this.sides["soft-q"].state.tau ?? this.tau;
      while ((this.measured.at(-1)?.step ?? 0) > this.step) this.measured.pop();
    });
  }

  /** The race as it is now. */
  save(): Promise<SavedRace> {
    return this.#alone(async () => ({
      environment: this.choice.game.environment,
      seed: this.choice.seed,
      isGapSubtracted: this.choice.isGapSubtracted,
      ...(await this.#present()),
    }));
  }

  /** Measures the theorem at the state that soft Q-learning's agent is in. */
  async measure(): Promise<void> {
    const measured = await this.sides["soft-q"].control.ask({ kind: "measure" });
    if (measured === null || measured.step < (this.measured.at(-1)?.step ?? 0)) return;
    this.measured.push(measured);
    if (this.measured.length > 400) this.measured.splice(0, 400, ...everySecond(this.measured));
  }

  /** Both checkpoints of the present step: in a pause, or while a window's end is waited for. */
  present(): Promise<RaceSnapshot> {
    return this.#present();
  }

  /** Ends both workers. */
  async close(): Promise<void> {
    this.isGoing = false;
    await this.#both((racer) => this.sides[racer].control.stop());
  }

  async #window(steps: number): Promise<void> {
    if ((this.snapshots.at(-1)?.step ?? 0) > this.step) {
      this.snapshots = this.snapshots.filter(({ step }) => step <= this.step);
    }
    await this.#both(async (racer) => {
      const side = this.sides[racer];
      take(side, await side.control.ask({ kind: "run", steps }));
    });
    const newest = this.snapshots.at(-1)?.step ?? 0;
    if (Math.floor(this.step / this.#snapshotEvery) > Math.floor(newest / this.#snapshotEvery)) {
      await this.#snapshot();
    }
  }

  async #snapshot(): Promise<void> {
    this.snapshots.push(await this.#present());
    if (this.snapshots.length <= this.choice.game.snapshots) return;
    this.#snapshotEvery *= 2;
    this.snapshots = everySecond(this.snapshots);
  }

  async #present(): Promise<RaceSnapshot> {
    const save = (racer: Racer): Promise<ControlledSnapshot> =>
      this.sides[racer].control.ask({ kind: "save" });
    const [a2c, softQ] = await Promise.all([save("a2c"), save("soft-q")]);
    return { step: a2c.step, checkpoints: { a2c: a2c.checkpoint, "soft-q": softQ.checkpoint } };
  }

  async #applyWantedTau(): Promise<void> {
    const tau = this.#wantedTau;
    this.#wantedTau = null;
    if (tau !== null) await this.#applyTau(tau);
  }

  async #applyTau(tau: number): Promise<void> {
    if (tau === this.tau) return;
    await this.#both(async (racer) => {
      const side = this.sides[racer];
      take(side, await side.control.ask({ kind: "set", settings: { tau } }));
    });
    this.tau = tau;
  }

  /** Gives runs that were loaded with an end of their own, such as those of the command, as many steps as a race has. */
  async #extend(): Promise<void> {
    await this.#both(async (racer) => {
      const side = this.sides[racer];
      if (side.state.progress.steps >= this.choice.game.mostSteps) return;
      take(side, await side.control.ask({ kind: "set", settings: { steps: STEPS } }));
    });
  }

  /** The steps of about so many seconds. */
  #stepsIn(seconds: number): number {
    const speeds = racers.map((racer) => this.sides[racer].state.progress.stepsPerSecond);
    return Math.min(200_000 * seconds, Math.max(200, Math.min(...speeds) * seconds));
  }

  async #both(work: (racer: Racer) => Promise<void>): Promise<void> {
    await Promise.all(racers.map(work));
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }
}

/** Takes a state over: its points of the curve and its events. */
function take(side: RaceSide, state: ControlledState): void {
  side.state = state;
  side.curve.length = Math.min(side.curve.length, state.curveFrom);
  state.curve.steps.forEach((step, i) => {
    side.curve.push([step, state.curve.meanReturns[i]]);
  });
  const later = side.events.findIndex((event) => "step" in event && event.step > state.progress.step);
  if (later >= 0) side.events.length = later;
  side.events.push(...state.events.filter(({ event }) => event === "set"));
  side.events.splice(0, side.events.length - MOST_EVENTS);
}

/** Every second of a list, the newest included. */
const everySecond = <Item>(list: readonly Item[]): Item[] =>
  list.filter((_, i) => (list.length - 1 - i) % 2 === 0);

const delay = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
