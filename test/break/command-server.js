// @ts-check
// Runs many commands in one process, one at a time: a start of Node takes longer than most of them. The commands arrive
// as messages.
import { Writable } from "node:stream";
import { main } from "@softrl/cli";

/** @type {((reply: object) => void) | null} */
let answer = null;
let stdout = "";
let stderr = "";

/** @param {(text: string) => void} take */
function collector(take) {
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _, done) {
      take(String(chunk));
      done();
    },
  });
  return /** @type {NodeJS.WriteStream} */ (stream);
}

const terminal = {
  out: collector((text) => {
    stdout += text;
  }),
  err: collector((text) => {
    stderr += text;
  }),
};

for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error) => {
    stderr += `${error instanceof Error ? error.stack : String(error)}\n`;
    answer?.({ code: 70, stdout, stderr, seconds: null });
  });
}

const before = { ...process.env };

process.on(
  "message",
  async (/** @type {{ args: string[], cwd: string, env: Record<string, string> }} */ request) => {
    stdout = "";
    stderr = "";
    let answered = false;
    answer = (reply) => {
      if (!answered) process.send?.(reply);
      answered = true;
    };
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before, request.env);
    process.chdir(request.cwd);
    const began = process.cpuUsage();
    const code = await main(request.args, terminal);
    const { user, system } = process.cpuUsage(began);
    answer({ code, stdout, stderr, seconds: (user + system) / 1e6 });
  },
);
process.on("disconnect", () => process.exit());
process.send?.("ready");
