import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dataDirectory } from "@softrl/gymnasium";
import { quietly } from "../files/regular-file.js";

const BYTES = 32;

/** The file with the secret of this user on this machine. It never leaves the machine, and nothing derives it. */
export const secretFile = (): string => join(dataDirectory(), "run-secret");

/** The secret, null where there is none. */
export function readSecret(): Buffer | null {
  try {
    const secret = Buffer.from(readFileSync(secretFile(), "utf8").trim(), "hex");
    return secret.length === BYTES ? secret : null;
  } catch {
    return null;
  }
}

/** The secret, made at its first use; null where the user's data folder cannot be written. */
export function makeSecret(): Buffer | null {
  const known = readSecret();
  if (known !== null) return known;
  const path = secretFile();
  const unfinished = `${path}.${process.pid}.unfinished`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(unfinished, `${randomBytes(BYTES).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
    try {
      // Unlike a rename, a link does not replace the secret of a process that was faster.
      linkSync(unfinished, path);
    } catch {
      // There is a damaged one, or the file system has no links.
      if (readSecret() === null) renameSync(unfinished, path);
    }
  } catch {
    // Then runs of this user ask for --trust.
  } finally {
    quietly(rmSync, unfinished, { force: true });
  }
  return readSecret();
}
