import { readdirSync } from "node:fs";
import { resolve } from "node:path";
import { oneLine, SoftrlError } from "softrl";
import { naturalOrder } from "../files/natural-order.js";
import { codeOf } from "../files/regular-file.js";
import { type FoundRun, presentRuns } from "../runs/find-runs.js";
import { WatchedRun } from "./watched-run.js";

/** Runs that are watched at once. */
export const MOST_RUNS = 500;
const MOST_FILMS = 20;
/** About a tenth of a second: signals and pages have their turn, too. */
const ROUND_BYTES = 2 ** 22;

/** What a round of reading gave. */
export interface RunsRead {
  readonly changed: boolean;
  /** Whether there is more to be read at once. */
  readonly isBehind: boolean;
}

/** The runs below the folders that were named, also those that begin later. */
export class WatchedRuns {
  readonly #paths: readonly string[];
  readonly #runs = new Map<string, WatchedRun>();
  readonly #chunk = Buffer.allocUnsafe(2 ** 18);
  #nextId = 1;
  #turn = 0;
  /** Runs beyond {@link MOST_RUNS}, which are left out. */
  leftOut = 0;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  get all(): readonly WatchedRun[] {
    return [...this.#runs.values()];
  }

  get(id: number): WatchedRun | undefined {
    return this.all.find((run) => run.id === id);
  }

  /** Looks for runs and films that are new, and forgets runs that are gone; whether there are any. */
  scan(): boolean {
    const found = this.#find();
    if (found === null) return false;
    const before = this.#shape();
    const present = new Set(found.map(({ folder }) => resolve(folder)));
    for (const key of this.#runs.keys()) if (!present.has(key)) this.#runs.delete(key);
    this.leftOut = 0;
    for (const { folder, name } of found) {
      const key = resolve(folder);
      const run = this.#runs.get(key);
      if (run !== undefined) run.name = oneLine(name, 200);
      else if (this.#runs.size >= MOST_RUNS) this.leftOut++;
      else this.#runs.set(key, new WatchedRun(this.#nextId++, oneLine(name, 200), folder));
    }
    for (const run of this.#runs.values()) addFilms(run);
    return this.#shape() !== before;
  }

  #shape(): string {
    return `${this.leftOut} ${this.all.map(({ id, name, films }) => `${id} ${name} ${films.length}`).join("\n")}`;
  }

  /** Null where a folder vanished while it was looked at: the next look tells. */
  #find(): readonly FoundRun[] | null {
    try {
      return presentRuns(this.#paths);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return null;
    }
  }

  /**
   * Reads what the runs have written since, at most {@link ROUND_BYTES} of them together; the next call goes on with the
   * others. A run that cannot be read has a problem.
   */
  async read(): Promise<RunsRead> {
    let [changed, left] = [false, ROUND_BYTES];
    const all = this.all;
    for (let count = 0; count < all.length; count++) {
      if (left <= 0) return { changed, isBehind: true };
      const run = all[this.#turn++ % all.length];
      const before = run.problem;
      try {
        const read = await run.read(this.#chunk, left);
        left -= read.bytes;
        if (read.changed) changed = true;
        run.problem = null;
      } catch (error) {
        if (!(error instanceof SoftrlError) && codeOf(error) === undefined) throw error;
        // One that was deleted is forgotten by the next scan.
        run.problem = oneLine(error instanceof Error ? error.message : String(error), 200);
      }
      if (run.problem !== before) changed = true;
    }
    return { changed, isBehind: left <= 0 };
  }
}

function addFilms(run: WatchedRun): void {
  try {
    const names = readdirSync(run.folder, { withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.gif$/i.test(entry.name))
      .map(({ name }) => name)
      .sort(naturalOrder);
    for (const name of names) {
      if (run.films.length < MOST_FILMS && !run.films.includes(name)) run.films.push(name);
    }
  } catch (error) {
    // The folder is gone: the next scan tells.
    if (codeOf(error) === undefined) throw error;
  }
}
