// Prints a part of computation.js as JSON, in any runtime that has a command:
//   node test/runtimes/print.js checkpoints > test/runtimes/checkpoints.json
// writes the expected hashes anew, after a change that is meant to change the bytes. Those of relaxed-checkpoints.json are
// what the part "relaxed" prints in Node.js 22 or later, and with --no-enable-fma3 before the script.
import * as softrl from "softrl";
import * as computation from "./computation.js";

const { argv } = globalThis.process;
const parts = {
  checkpoints: computation.checkpoints,
  relaxed: computation.relaxedCheckpoints,
  identities: computation.identities,
};
const part = parts[/** @type {keyof typeof parts} */ (argv[2] ?? "checkpoints")];
console.log(JSON.stringify(await part(softrl), null, 2));
