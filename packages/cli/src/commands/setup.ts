import { setupGymnasium } from "@softrl/gymnasium";
import type { Terminal } from "../terminal.js";

/** `softrl setup gymnasium`: Python packages into a virtual environment of softrl's own. */
export async function setupGymnasiumCommand(terminal: Terminal): Promise<number> {
  await setupGymnasium({ onLine: (line) => terminal.out.write(`${line}\n`) });
  return 0;
}
