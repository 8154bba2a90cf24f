import { verify, verifyMutants } from "softrl";
import type { OptionValues } from "../config-options.js";
import { type Terminal, table, writeJson } from "../terminal.js";

/** `softrl verify`: the paper's identities measured; with `--mutants`, that each named mistake is caught. */
export async function verifyCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  return options.mutants === true ? mutants(options, terminal) : identities(options, terminal);
}

async function identities(options: OptionValues, terminal: Terminal): Promise<number> {
  const checks = await verify();
  if (options.json === true) {
    writeJson(terminal.out, checks);
  } else {
    const rows = checks.map(({ identity, equation, residual, bound, holds }) => [
      holds ? "holds" : "FAILS",
      identity,
      equation,
      residual.toExponential(1),
      bound.toExponential(0),
    ]);
    terminal.out.write(`${table(["", "identity", "equation", "residual", "bound"], rows)}\n`);
  }
  return checks.length > 0 && checks.every(({ holds }) => holds) ? 0 : 1;
}

async function mutants(options: OptionValues, terminal: Terminal): Promise<number> {
  const results = await verifyMutants();
  if (options.json === true) {
    writeJson(terminal.out, results);
  } else {
    const rows = results.map(({ mutant, caught, failed }) => [
      caught ? "caught" : "MISSED",
      mutant,
      failed.join("; "),
    ]);
    terminal.out.write(`${table(["", "mistake", "fails"], rows)}\n`);
  }
  return results.length > 0 && results.every(({ caught }) => caught) ? 0 : 1;
}
