#!/usr/bin/env node
import { main } from "@softrl/cli";

process.exitCode = await main(process.argv.slice(2));
