import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Where an error was thrown in a file that exports a part. */
export interface OwnFault {
  /** `/home/me/mine.js:12` */
  readonly place: string;
  /** The function that threw it: `make`; null where it has no name. */
  readonly part: string | null;
}

/** Whether one of these files threw the error of a stack, and where; null where it was thrown elsewhere. */
export function ownFault(stack: string, files: readonly string[]): OwnFault | null {
  const frames = stack.split("\n").filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line));
  const first = frames.find((frame) => !frame.includes("node:"));
  if (first === undefined) return null;
  for (const file of files) {
    const line = lineIn(first, file);
    if (line === null) continue;
    const part = /^\s+at (?:async )?(?:\w+\.)*(\w+) (?:\[as \w+\] )?\(/.exec(first)?.[1] ?? null;
    return { place: `${file}:${line}`, part };
  }
  return null;
}

/** The line of a file that a frame of a stack names; null where it names another file. */
function lineIn(frame: string, file: string): string | null {
  // Node resolves symbolic links before it loads a file.
  for (const name of [pathToFileURL(file).href, pathToFileURL(realPath(file)).href]) {
    const at = frame.indexOf(`${name}:`);
    if (at !== -1) return frame.slice(at + name.length + 1).split(":")[0];
  }
  return null;
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}
