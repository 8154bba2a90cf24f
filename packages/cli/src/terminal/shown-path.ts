import { oneLine } from "softrl";

/** As long as a path can be on Linux. */
const LONGEST = 4096;

/** A path for people, on one line: folders of others may have names with line breaks and terminal commands in them. */
export const shownPath = (path: string): string => oneLine(path, LONGEST);

/** A path in a command that a message suggests: in quotes where a shell would split or expand it. */
export function pathArgument(path: string): string {
  const shown = shownPath(path);
  return /^[\p{L}\p{N}_./:@%+=,-]+$/u.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}
