/** Races as files: the checkpoints of both agents, as the command writes them in a run folder. */
import { readConfig, readRunSnapshot, savedConfig, snapshotSection } from "softrl";
import { type Racer, racers, type SavedRace } from "../figures/race.js";

/** What of a file can be read. */
interface ReadFile {
  readonly name: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/**
 * The race of two checkpoints, one of each algorithm, whose runs have the same environment and have taken the same steps.
 * @throws Error that says what else is there
 */
export async function raceOfFiles(files: readonly ReadFile[]): Promise<SavedRace> {
  const runs = await Promise.all(files.map(readRun));
  const ofRacer = (racer: Racer) => {
    const found = runs.filter(({ algorithm }) => algorithm === racer);
    if (found.length === 1 && runs.length === 2) return found[0];
    const names = runs.map(({ name, algorithm }) => `${name} of ${algorithm ?? "no algorithm"}`);
    throw new Error(
      `Choose two checkpoint files together, one of a2c and one of soft-q. Chosen: ${names.join(", ") || "none"}.`,
    );
  };
  const [a2c, softQ] = [ofRacer("a2c"), ofRacer("soft-q")];
  if (a2c.environment !== softQ.environment || a2c.step !== softQ.step) {
    const where = ({ environment, step }: SavedRun) => `${environment} at step ${step.toLocaleString("en")}`;
    throw new Error(
      `The two checkpoints are not of one race: a2c is on ${where(a2c)}, soft-q on ${where(softQ)}.`,
    );
  }
  return {
    environment: a2c.environment,
    step: a2c.step,
    seed: softQ.seed,
    isGapSubtracted: softQ.isGapSubtracted,
    checkpoints: { a2c: a2c.checkpoint, "soft-q": softQ.checkpoint },
  };
}

/** Gives the reader a file to keep. */
export function downloadFile(name: string, bytes: Uint8Array): void {
  const address = URL.createObjectURL(new Blob([bytes.slice()], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  Object.assign(link, { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}

interface SavedRun {
  readonly name: string;
  readonly algorithm: Racer | null;
  readonly environment: string;
  readonly seed: number;
  readonly step: number;
  readonly isGapSubtracted: boolean;
  readonly checkpoint: Uint8Array;
}

async function readRun(file: ReadFile): Promise<SavedRun> {
  const { name } = file;
  const checkpoint = new Uint8Array(await file.arrayBuffer());
  const snapshot = readRunSnapshot(name, checkpoint);
  const { names, chosen } = readConfig(name, savedConfig(name, snapshot));
  return {
    name,
    checkpoint,
    algorithm: racers.find((racer) => racer === names.algorithm) ?? null,
    environment: names.environment ?? "",
    seed: Number(chosen.run?.seed ?? 0),
    step: Number(snapshotSection(name, snapshot, "live").step),
    isGapSubtracted: chosen.algorithm?.gap === "subtracted",
  };
}
