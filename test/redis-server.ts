import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Why tests of queues cannot run here; null where they can. */
export const whyNoRedis: string | null =
  spawnSync("redis-server", ["--version"]).status === 0
    ? null
    : "redis-server is not installed: apt-get install redis-server";

/** A Redis server in a process of its own, with its append-only file in a folder. */
export class RedisServer {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  #child: ChildProcess | null = null;

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.url = `redis://127.0.0.1:${port}`;
  }

  static async start(folder: string): Promise<RedisServer> {
    const server = new RedisServer(folder, await freePort());
    await server.start();
    return server;
  }

  /** Starts it, also again after {@link kill}, and waits until it answers. */
  async start(): Promise<void> {
    const own = ["--port", String(this.#port), "--bind", "127.0.0.1", "--dir", this.#folder];
    const keep = ["--save", "", "--appendonly", "yes", "--daemonize", "no"];
    const child = spawn("redis-server", [...own, ...keep], { stdio: ["ignore", "pipe", "ignore"] });
    this.#child = child;
    let log = "";
    for await (const text of child.stdout) {
      log += String(text);
      if (log.includes("Ready to accept connections")) break;
    }
    if (!log.includes("Ready to accept connections")) throw new Error(`redis-server has ended: ${log}`);
  }

  /** Ends it as a failure of its machine would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    // The system frees the port.
    await sleep(20);
  }
}

/** A port on which nothing listens now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
    server.once("error", reject);
  });
}
