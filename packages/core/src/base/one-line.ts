const ESC = String.fromCharCode(0x1b);
const BEL = String.fromCharCode(0x07);
const controlSequence = "\\[[0-?]*[ -/]*[@-~]";
const systemCommand = `\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?`;

/** Commands to a terminal: colours, cursor movements, window titles, links. */
const terminalCommands = new RegExp(`${ESC}(?:${controlSequence}|${systemCommand}|[ -/]*[0-~])`, "g");
const lineBreaks = /[\t\n\v\f\r\u0085\u2028\u2029]\s*/g;
/** Characters without a shape: controls, and those that reverse the direction of the text. */
const invisible = /[\p{Cc}\p{Bidi_Control}]/gu;

/**
 * `text` on one line of at most `most` characters, fit for a terminal: a line break or tab becomes a space, and
 * terminal commands and control characters are left out. Longer text is cut and ends with its length:
 * `abc… (9000000 characters)`. A result passed in again comes out unchanged.
 *
 * The work depends on `most`, not on the length of the text.
 */
export function oneLine(text: string, most: number): string {
  // Commands take up room and then disappear, so look at more than is kept.
  const part = text.slice(0, 4 * most);
  const line = part.replace(terminalCommands, "").replace(lineBreaks, " ").replace(invisible, "");
  if (part.length === text.length && line.length <= most) return line;
  const ending = `… (${text.length} characters)`;
  return line.slice(0, Math.max(0, most - ending.length)).replace(/[\ud800-\udbff]$/, "") + ending;
}
