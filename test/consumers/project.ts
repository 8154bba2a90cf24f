import { execFile } from "node:child_process";
import { accessSync, constants, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { packageFolders, root } from "../source-tree.js";

const run = promisify(execFile);

/** The packages, by name, and the file that each is packed into. */
export type Packed = Readonly<Record<string, string>>;

// What the npm that runs these tests sets is not for the projects.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|SOFTRL_|INIT_CWD|NODE_OPTIONS|VITEST)/i.test(name)),
);

/** Packs every package into a folder, as `npm publish` does, which leaves out private workspaces. */
export async function packAll(folder: string): Promise<Packed> {
  const workspaces = packageFolders.flatMap((name) => ["--workspace", `packages/${name}`]);
  const args = ["pack", ...workspaces, "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", args, { cwd: root, env: environment, maxBuffer: 2 ** 26 });
  // npm 11 lists the packages, npm 12 has them by name.
  const packed: readonly { readonly name: string; readonly filename: string }[] = Object.values(
    JSON.parse(stdout.slice(stdout.search(/^[[{]/m))),
  );
  return Object.fromEntries(packed.map(({ name, filename }) => [name, join(folder, filename)]));
}

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's project, in a folder of its own. */
export class Project {
  readonly folder: string;
  readonly #env: NodeJS.ProcessEnv;

  /** @param path the PATH of its programs; this process's by default. */
  constructor(folder: string, path?: string) {
    this.folder = folder;
    this.#env = path === undefined ? environment : { ...environment, PATH: path };
    mkdirSync(folder, { recursive: true });
  }

  write(file: string, text: string | Readonly<Record<string, unknown>>): void {
    writeFileSync(join(this.folder, file), typeof text === "string" ? text : JSON.stringify(text, null, 2));
  }

  /** Runs a program, and throws with what it wrote if it fails. */
  async run(program: string, ...args: readonly string[]): Promise<Outcome> {
    const outcome = await this.try(program, ...args);
    if (outcome.status === 0) return outcome;
    throw new Error(
      `${[program, ...args].join(" ")}: ${outcome.status}\n${outcome.stdout}\n${outcome.stderr}`,
    );
  }

  async try(program: string, ...args: readonly string[]): Promise<Outcome> {
    const options = { cwd: this.folder, env: this.#env, maxBuffer: 2 ** 26 };
    return run(program, args, options).then(
      (output) => ({ status: 0, ...output }),
      ({ code = 1, stdout = "", stderr = "" }) => ({ status: Number(code) || 1, stdout, stderr }),
    );
  }
}

/** A PATH with Node, npm and a shell's own programs, but without a compiler and make. */
export function pathWithoutCompiler(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const programs = "node npm npx sh bash env uname cat ls sed grep dirname basename readlink".split(" ");
  for (const program of programs) {
    const found = (process.env.PATH ?? "")
      .split(delimiter)
      .map((directory) => join(directory, program))
      .find(isExecutable);
    if (found !== undefined) symlinkSync(found, join(folder, program));
  }
  return folder;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
