import { SoftrlError } from "softrl";
import { codeOf } from "./regular-file.js";

/** What to do about a file that could not be written. */
export interface WriteRemedy {
  readonly first: string;
  /** What else helps: another disk, or another folder on the same. */
  readonly elsewhere: "another disk" | "another";
}

const MOST_CAUSES = 10;

const ofDisk: Readonly<Record<string, string>> = {
  ENOSPC: "free some space",
  EDQUOT: "free some of your quota",
  EFBIG: "raise the limit on the size of files",
};

/** Whether an error comes from a disk without space, or a used-up quota, however often it was wrapped. */
export function isOfFullDisk(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MOST_CAUSES; depth++) {
    if (["ENOSPC", "EDQUOT"].includes(String(codeOf(cause)))) return true;
    cause = cause.cause;
  }
  return false;
}

/** The remedy for an error of the operating system, by its code. */
export function writeRemedy(error: unknown): WriteRemedy {
  const code = String(codeOf(error));
  const first = ofDisk[code];
  if (first !== undefined) return { first, elsewhere: "another disk" };
  const isFile = code === "ENOTDIR" || code === "EEXIST";
  return {
    first: isFile ? "move the file that is in the place of a folder" : "make the folder writable",
    elsewhere: "another",
  };
}

/** The error of a command that could not write what `--out` names. */
export function outFault(out: string, error: unknown): SoftrlError {
  if (error instanceof SoftrlError) return error;
  const { first, elsewhere } = writeRemedy(error);
  const details = {
    got: error instanceof Error ? error.message : String(error),
    remedy: `${first}, or choose ${elsewhere} with --out`,
  };
  return new SoftrlError("--out", `${out} cannot be written`, details, { cause: error });
}
