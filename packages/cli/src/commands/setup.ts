import { managedDirectory, setupGymnasium } from "@softrl/gymnasium";
import { oneLine } from "softrl";
import { INTERRUPTED, listenForInterrupt } from "../terminal/interrupt.js";
import type { Terminal } from "../terminal/terminal.js";

/** `softrl setup gymnasium`: installs Python packages into softrl's own virtual environment. */
export async function setupGymnasiumCommand(terminal: Terminal): Promise<number> {
  const interrupt = listenForInterrupt(terminal.err, "installing");
  const { signal } = interrupt;
  try {
    await setupGymnasium({ onLine: (line) => terminal.out.write(`${oneLine(line, 300)}\n`), signal });
  } catch (error) {
    if (signal.aborted) return INTERRUPTED;
    throw error;
  } finally {
    interrupt.dispose();
  }
  const named = process.env.SOFTRL_PYTHON;
  if (named !== undefined && named !== "" && !named.startsWith(managedDirectory())) {
    terminal.err.write(
      `softrl: SOFTRL_PYTHON names ${named}, which runs use instead; unset it to use this installation\n`,
    );
  }
  return 0;
}
