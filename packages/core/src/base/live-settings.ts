import { describeValue, fail, requireInteger } from "./errors.js";
import { suggestion } from "./near-match.js";
import { type LiveNumber, valueAt } from "./schedule.js";
import type { CurrentValues, Setting, Settings, ValuesOf } from "./settings.js";
import { type Saveable, type Snapshot, snapshotCount, snapshotNumber, snapshotSection } from "./snapshot.js";

/**
 * The settings of a run as they are now: numbers that follow schedules, and that may be set during the run.
 *
 * The trainer moves `step`; the values of {@link add} are those of the present step.
 */
export class LiveSettings implements Saveable {
  /** Environment steps taken, all environments together. */
  step = 0;
  #steps: number;
  /** The length of the run, and the numbers, before anything was set. */
  readonly #firstSteps: number;
  readonly #numbers = new Map<
    string,
    { readonly setting: Setting; readonly first: LiveNumber; number: LiveNumber }
  >();
  /** What was set during the run, by name. */
  readonly #set = new Map<string, number>();

  /** @param steps environment steps of the whole run */
  constructor(steps: number) {
    this.#steps = steps;
    this.#firstSteps = steps;
  }

  /** Environment steps of the whole run, all environments together. */
  get steps(): number {
    return this.#steps;
  }

  /** The names that {@link set} takes. */
  get names(): readonly string[] {
    return ["steps", ...this.#numbers.keys()];
  }

  /**
   * An object with the values of these settings: reading a live one gives the number of the present step.
   * @throws SoftrlError when another live setting of the run has the same name.
   */
  add<S extends Settings>(settings: S, values: ValuesOf<S>): CurrentValues<S> {
    const current: Record<string, unknown> = {};
    for (const name of Object.keys(settings)) {
      const setting = settings[name];
      const value: unknown = values[name];
      if (!setting.live) {
        current[name] = value;
        continue;
      }
      if (this.#numbers.has(name) || name === "steps") {
        fail("LiveSettings.add", `two live settings are named ${name}`, { remedy: "rename one of them" });
      }
      const first = setting.check(name, value) as LiveNumber;
      const entry = { setting, first, number: first };
      this.#numbers.set(name, entry);
      Object.defineProperty(current, name, {
        enumerable: true,
        get: () => valueAt(entry.number, this.step, this.#steps),
      });
    }
    return current as CurrentValues<S>;
  }

  /** The present number of a live setting; null where the run has none of this name. */
  current(name: string): number | null {
    const entry = this.#numbers.get(name);
    return entry === undefined ? null : valueAt(entry.number, this.step, this.#steps);
  }

  /**
   * x times the present number of a live setting over the first of its schedule: x itself for a plain number, and for a
   * schedule that begins at 0.
   */
  fallingWith(name: string, x: number): number {
    const number = this.#numbers.get(name)?.number;
    if (number === undefined || typeof number === "number") return x;
    const first = valueAt(number, 0, this.#steps);
    return first === 0 ? x : (x * valueAt(number, this.step, this.#steps)) / first;
  }

  /**
   * Sets live numbers from the present step on; `steps` is the length of the run.
   * @param where what an error names
   * @throws SoftrlError for a name that is not live, or a value out of range; then nothing has changed.
   */
  set(where: string, changes: Readonly<Record<string, number>>): void {
    for (const [name, value] of Object.entries(changes)) this.#check(where, name, value, this.step);
    for (const [name, value] of Object.entries(changes)) this.#apply(name, value);
  }

  #check(where: string, name: string, value: unknown, step: number): void {
    if (name === "steps") {
      if (typeof value !== "number") fail(`${where}: steps`, "invalid value", { expected: "an integer" });
      requireInteger(where, "steps", value, Math.max(1, step));
      return;
    }
    const entry = this.#numbers.get(name);
    if (entry === undefined) {
      fail(where, `${name} cannot change during a run`, {
        expected: this.names.join(", "),
        got: name,
        remedy: suggestion(name, this.names),
      });
    }
    if (typeof value !== "number") {
      fail(`${where}: ${name}`, "invalid value", { expected: "a number", got: describeValue(value) });
    }
    entry.setting.check(`${where}: ${name}`, value);
  }

  #apply(name: string, value: number): void {
    const entry = this.#numbers.get(name);
    if (entry === undefined) this.#steps = value;
    else entry.number = value;
    this.#set.set(name, value);
  }

  /** The present step, and what was set during the run. */
  save(): Snapshot {
    return { step: this.step, set: Object.fromEntries(this.#set) };
  }

  restore(snapshot: Snapshot): void {
    const where = "LiveSettings.restore";
    const set = snapshotSection(where, snapshot, "set");
    const step = snapshotCount(where, snapshot, "step");
    // The length may be below the step: the last iteration of a run goes on to the end of its rollout.
    for (const name of Object.keys(set)) this.#check(where, name, snapshotNumber(where, set, name), 1);
    this.step = step;
    this.#steps = this.#firstSteps;
    for (const entry of this.#numbers.values()) entry.number = entry.first;
    this.#set.clear();
    for (const name of Object.keys(set)) this.#apply(name, snapshotNumber(where, set, name));
  }
}
