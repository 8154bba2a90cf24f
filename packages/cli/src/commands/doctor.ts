import { bridgeTransport, findPython } from "@softrl/gymnasium";
import { SoftrlError, version } from "softrl";
import type { OptionValues } from "../options/plain-options.js";
import { executorName, executorOfVariable, surveyExecutors } from "../runs/executor.js";
import { type Terminal, table, writeJson } from "../terminal/terminal.js";

/** `softrl doctor`: what works on this machine, which executor a run uses, and why. */
export async function doctorCommand(options: OptionValues, terminal: Terminal): Promise<number> {
  const variable = executorOfVariable();
  const forced = variable === null ? null : executorName(variable);
  const executors = await surveyExecutors();
  const chosen = forced ?? executors.find(({ works }) => works)?.name ?? null;
  const gymnasium = await surveyGymnasium();
  if (options.json === true) {
    const platform = `${process.platform} ${process.arch}`;
    writeJson(terminal.out, {
      version,
      node: process.versions.node,
      platform,
      chosen,
      forced,
      executors,
      gymnasium,
    });
    return 0;
  }
  const because = (name: string) =>
    forced === null ? "used by default" : `used by default: SOFTRL_EXECUTOR=${name}`;
  const rows = executors.map(({ name, works, about }) => [
    name,
    works ? "works" : "does not work",
    about,
    name === chosen ? because(name) : "",
  ]);
  rows.push(["gymnasium", gymnasium.works ? "works" : "does not work", gymnasium.about, ""]);
  terminal.out.write(
    `softrl ${version}, Node.js ${process.versions.node}, ${process.platform} ${process.arch}\n`,
  );
  terminal.out.write(`${table(["", "state", "what", "runs"], rows)}\n`);
  return 0;
}

async function surveyGymnasium(): Promise<{ readonly works: boolean; readonly about: string }> {
  try {
    const { path, version: python, source } = await findPython();
    return { works: true, about: `Python ${python} at ${path} (${source}), through ${bridgeTransport()}` };
  } catch (error) {
    if (error instanceof SoftrlError) return { works: false, about: error.message };
    throw error;
  }
}
