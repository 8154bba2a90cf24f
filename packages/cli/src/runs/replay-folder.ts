import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type PieceStore, SoftrlError } from "softrl";
import { codeOf, quietly, readRegular, replaceFileSlowly, syncFolder } from "../files/regular-file.js";

const ENDING = ".safetensors";
/** What softrl writes into the folder: pieces with their checksum, and those that a kill cut off. */
const OWN =
  /^(\.[a-z][a-z0-9-]*-[0-9a-f]{8}\.safetensors\.unfinished|[a-z][a-z0-9-]*-[0-9a-f]{8}\.safetensors)$/;

const REMEDY =
  "restore the run's files from a copy, or pass --without-replay; evaluate and record work without the replay";

/** A run's replay in a folder, a file for each piece. No file is ever changed. */
export class ReplayFolder implements PieceStore {
  readonly path: string;
  readonly remedy = REMEDY;
  /** Throws the error of a path as the run folder describes it. */
  readonly #refuse: (path: string, what: string, error: unknown) => never;

  constructor(path: string, refuse: (path: string, what: string, error: unknown) => never) {
    this.path = path;
    this.#refuse = refuse;
  }

  placeOf(name: string): string {
    return join(this.path, `${name}${ENDING}`);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.placeOf(name);
    try {
      this.#make();
      await replaceFileSlowly(path, bytes);
    } catch (error) {
      this.#refuse(path, "the replay could not be written", error);
    }
  }

  read(name: string, bytes: number): Uint8Array | null {
    const path = this.placeOf(name);
    try {
      requireFolder(this.path);
      const state = lstatSync(path);
      if (state.isFile() && state.size !== bytes) {
        throw new SoftrlError(path, "this file of the replay is damaged", {
          expected: `${bytes} bytes`,
          got: String(state.size),
          remedy: REMEDY,
        });
      }
      return readRegular(path, bytes);
    } catch (error) {
      if (error instanceof SoftrlError) throw error;
      if (codeOf(error) === "ENOENT") return null;
      const got = error instanceof Error ? error.message : String(error);
      throw new SoftrlError(path, "the replay could not be read", { got, remedy: REMEDY }, { cause: error });
    }
  }

  keepOnly(names: readonly string[]): void {
    const kept = new Set(names.map((name) => basename(this.placeOf(name))));
    try {
      requireFolder(this.path);
      for (const entry of readdirSync(this.path)) {
        if (OWN.test(entry) && !kept.has(entry)) rmSync(join(this.path, entry), { force: true });
      }
    } catch (error) {
      if (codeOf(error) !== "ENOENT")
        this.#refuse(this.path, "an earlier replay could not be removed", error);
    }
  }

  #make(): void {
    try {
      requireFolder(this.path);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      mkdirSync(this.path);
      quietly(syncFolder, dirname(this.path));
    }
  }
}

/** @throws SoftrlError for anything but a folder; the operating system's error where there is nothing. */
function requireFolder(path: string): void {
  if (lstatSync(path).isDirectory()) return;
  throw new SoftrlError(path, "not a folder", {
    expected: "the folder of the run's replay",
    remedy: "put the folder itself in its place: links are not followed",
  });
}
