import { unbrokenIdentities, verify, verifyMutants } from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import { columnsOf, type Terminal, tableWithNotes, writeJson } from "../terminal/terminal.js";

/** `softrl verify`: the paper's identities measured; with `--mutants`, whether each named mistake is caught. */
export async function verifyCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  return options.mutants === true ? mutants(options, terminal) : identities(options, terminal);
}

async function identities(options: OptionValues, terminal: Terminal): Promise<number> {
  const checks = await verify({ onVerified: ({ identity }) => tick(terminal, identity) });
  clear(terminal);
  if (options.json === true) {
    writeJson(terminal.out, checks);
  } else {
    const rows = checks.map(({ equation, residual, bound, seeds, holds }) => [
      holds ? "holds" : "FAILS",
      residual.toExponential(1),
      bound.toExponential(0),
      String(seeds),
      equation,
    ]);
    const header = ["", "residual", "bound", "seeds", "paper"];
    const notes = ["identity", ...checks.map(({ identity }) => identity)];
    terminal.out.write(`${tableWithNotes(header, rows, notes, columnsOf(terminal.out))}\n`);
  }
  return checks.length > 0 && checks.every(({ holds }) => holds) ? 0 : 1;
}

async function mutants(options: OptionValues, terminal: Terminal): Promise<number> {
  const results = await verifyMutants({ onVerified: ({ mutant }) => tick(terminal, mutant) });
  clear(terminal);
  if (options.json === true) {
    writeJson(
      terminal.out,
      results.map((result) => ({ ...result, holds: !result.caught })),
    );
  } else {
    const rows = results.map(({ mutant, caught, residual, bound }) => [
      caught ? "caught" : "MISSED",
      residual.toExponential(1),
      bound.toExponential(0),
      mutant,
    ]);
    const header = ["", "residual", "bound", "mistake"];
    const notes = ["broken identity", ...results.map(({ identity }) => identity)];
    terminal.out.write(`${tableWithNotes(header, rows, notes, columnsOf(terminal.out))}\n`);
  }
  const unbroken = unbrokenIdentities(results);
  for (const identity of unbroken)
    terminal.err.write(`softrl: no mistake breaks the identity: ${identity}\n`);
  return results.every(({ caught }) => caught) && unbroken.length === 0 ? 0 : 1;
}

/** Names what was just done, on terminals only. */
function tick({ err }: Terminal, name: string): void {
  if (err.isTTY) err.write(`\r\u001b[2K${name.slice(0, (err.columns ?? 80) - 1)}`);
}

function clear({ err }: Terminal): void {
  if (err.isTTY) err.write("\r\u001b[2K");
}
