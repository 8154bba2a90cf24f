#!/usr/bin/env node
import { INTERRUPTED, main } from "@softrl/cli";

const exitCode = await main(process.argv.slice(2));
// An error of stdout may have set one.
process.exitCode ||= exitCode;
// A Python that is still starting must not hold up who pressed Ctrl-C.
if (exitCode === INTERRUPTED) process.exit();
