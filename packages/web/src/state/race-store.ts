import type { SavedRace } from "../figures/race.js";

const NAME = "softrl-race";
const TABLE = "races";

/** Keeps a race in this browser, one of each environment. @throws Error where the browser does not store anything. */
export async function storeRace(race: SavedRace): Promise<void> {
  await inTable("readwrite", (table) => table.put(race, race.environment));
}

/** The race of an environment that was kept; null if there is none. */
export async function storedRace(environment: string): Promise<SavedRace | null> {
  const found: unknown = await inTable("readonly", (table) => table.get(environment));
  return isSavedRace(found) ? found : null;
}

/** The data of a site may be from another version of it. */
function isSavedRace(value: unknown): value is SavedRace {
  if (typeof value !== "object" || value === null || !("checkpoints" in value)) return false;
  const { checkpoints } = value;
  if (typeof checkpoints !== "object" || checkpoints === null) return false;
  return ["a2c", "soft-q"].every((racer) => Reflect.get(checkpoints, racer) instanceof Uint8Array);
}

async function inTable<Result>(
  mode: IDBTransactionMode,
  work: (table: IDBObjectStore) => IDBRequest<Result>,
): Promise<Result> {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
  const database = await resultOf(opening);
  try {
    return await resultOf(work(database.transaction(TABLE, mode).objectStore(TABLE)));
  } finally {
    database.close();
  }
}

const resultOf = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
