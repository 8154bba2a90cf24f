// Prints a part of computation.js as JSON, in any runtime that has a command:
//   node test/runtimes/print.js checkpoints > test/runtimes/checkpoints.json
// writes the expected hashes anew, after a change that is meant to change the bytes.
import * as softrl from "softrl";
import * as computation from "./computation.js";

const { argv } = globalThis.process;
const part = argv[2] === "identities" ? computation.identities : computation.checkpoints;
console.log(JSON.stringify(await part(softrl), null, 2));
