import type { ChildProcess } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type ClientRequest, get, type IncomingMessage, request } from "node:http";
import { createConnection } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { MOST_LINE_BYTES } from "../src/watch/event-tail.js";
import {
  type Circumstances,
  eventually,
  expectRefusal,
  type Running,
  softrl,
  startSoftrl,
} from "./command.js";

const place = temporaryFolder("watch");
const line = (event: object) => `${JSON.stringify(event)}\n`;
const update = (step: number, meanReturn: number, note?: string) =>
  line({ event: "update", step, meanReturn, seconds: 1 + step / 1000, figures: { entropy: 0.5 }, note });
const started = (seed: number, settings: object = {}) =>
  line({
    event: "started",
    version: "0.1.0",
    executor: "native",
    precision: "float32",
    config: {
      run: { steps: 100_000, seed },
      environment: { id: "CartPole-v1" },
      algorithm: { name: "a2c", tau: 0.01, ...settings },
    },
  });

let count = 0;
/** A new folder of runs. */
const newFolder = (): string => {
  const folder = join(place, `runs-${++count}`);
  mkdirSync(folder);
  return folder;
};

/** Writes a run of a folder; returns its file of events. */
function writeRun(folder: string, name: string, events: string): string {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "config.json"), `{"seed":"${name}"}\n`);
  const path = join(folder, name, "events.jsonl");
  writeFileSync(path, events);
  return path;
}

interface Watching extends Running {
  readonly address: URL;
  readonly token: string;
}

let open: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const one of open) one.destroy();
  open = [];
});

/** Starts the command on a folder. */
async function watch(folder: string, circumstances: Circumstances = {}): Promise<Watching> {
  const running = startSoftrl(["watch", folder, "--json"], place, circumstances);
  let text = "";
  running.child.stdout?.on("data", (chunk: string) => {
    text += chunk;
  });
  await eventually(() => text.includes("\n") || running.child.exitCode !== null);
  const { address } = JSON.parse(text);
  return { ...running, address: new URL(address), token: address.split("/")[3] };
}

/** Ends the command as Ctrl-C does. */
async function end({ child, finished }: Running): Promise<void> {
  child.kill("SIGINT");
  const { code, stderr } = await finished;
  expect(stderr).toMatch(/stopping; the runs go on/);
  expect(stderr).not.toMatch(/Error|fault/);
  expect(code).toBe(130);
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Asks for a path as it stands: nothing is normalised. */
function ask(
  { address }: Watching,
  path: string,
  { headers = {}, method = "GET" }: { headers?: Record<string, string>; method?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = address;
    const asked: ClientRequest = request({ hostname, port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** A page that is open: the newest HTML of each part. */
interface OpenPage {
  readonly parts: Map<string, string>;
  status: number | null;
  frames: number;
  ended: boolean;
}

function openPage({ address }: Watching): OpenPage {
  const page: OpenPage = { parts: new Map(), status: null, frames: 0, ended: false };
  const asked = get(new URL("events", address), (response) => {
    page.status = response.statusCode ?? 0;
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const frames = text.split("\n\n");
      text = frames.pop() ?? "";
      for (const frame of frames) {
        const data = /^event: part\ndata: (.*)$/.exec(frame)?.[1];
        if (data === undefined) continue;
        const { name, html } = JSON.parse(data);
        page.parts.set(name, html);
        page.frames++;
      }
    });
    response.on("close", () => {
      page.ended = true;
    });
    response.on("error", () => {});
  });
  asked.on("error", () => {});
  open.push(asked);
  return page;
}

const runsOf = (page: OpenPage): string => page.parts.get("runs") ?? "";

describe("softrl watch", () => {
  test("shows finished and running runs, a new run, a changed setting, a film and a config", async () => {
    const folder = newFolder();
    writeRun(
      folder,
      "a",
      started(1) + update(500, 20) + update(1000, 33.25) + line({ event: "finished", step: 1000 }),
    );
    const running = writeRun(folder, "b", started(2, { tau: 0.5 }) + update(500, 7));
    writeFileSync(join(folder, "a", "film.gif"), "GIF89a");
    const command = await watch(folder);
    const page = openPage(command);
    await eventually(() => /33\.3/.test(runsOf(page)) && page.parts.size === 5);
    expect(page.parts.get("summary")).toMatch(/2 runs: 1 finished, 1 running/);
    expect(page.parts.get("settings")).toMatch(/A2C, tau 0\.01.*algorithm\.tau.*A2C, tau 0\.5/s);
    expect(page.parts.get("curves")).toMatch(/<svg role="img" aria-label="Learning curves: CartPole-v1"/);
    appendFileSync(running, update(1000, 44.75));
    await eventually(() => /44\.8/.test(runsOf(page)));
    // It begins after the command.
    writeRun(folder, "<img src=x>", started(3));
    await eventually(() => /3 runs/.test(page.parts.get("summary") ?? ""));
    expect(runsOf(page)).toContain("&lt;img src=x&gt;");

    const html = await ask(command, command.address.pathname);
    expect(html.status).toBe(200);
    const policy = String(html.headers["content-security-policy"]);
    expect(policy).toMatch(/default-src 'none'; script-src 'sha256-[^']+';/);
    expect(html.headers["x-content-type-options"]).toBe("nosniff");
    const [config] = /run\/\d+\/config/.exec(runsOf(page)) ?? [];
    expect((await ask(command, `${command.address.pathname}${config}`)).body).toBe('{"seed":"a"}\n');
    const [film] = /run\/\d+\/film\/0/.exec(page.parts.get("films") ?? "") ?? [];
    expect(await ask(command, `${command.address.pathname}${film}`)).toMatchObject({
      status: 200,
      body: "GIF89a",
      headers: { "content-type": "image/gif" },
    });
    await end(command);
    await eventually(() => page.ended);
  });

  test("waits for the first run", async () => {
    const folder = newFolder();
    const command = await watch(folder);
    const page = openPage(command);
    await eventually(() => /No run yet/.test(page.parts.get("summary") ?? ""));
    writeRun(folder, "first", started(1) + update(10, 5.5));
    await eventually(() => /5\.5/.test(runsOf(page)));
    await end(command);
  });

  test("refuses what does not come from its own page", async () => {
    const folder = newFolder();
    writeRun(folder, "a", started(1));
    writeFileSync(join(folder, "secret.txt"), "secret");
    symlinkSync(join(folder, "secret.txt"), join(folder, "a", "link.gif"));
    const command = await watch(folder);
    const { pathname, port } = command.address;
    const ok = await ask(command, pathname, { headers: { host: `localhost:${port}` } });
    expect(ok.status).toBe(200);
    const own = { origin: `http://127.0.0.1:${port}` };
    expect((await ask(command, pathname, { headers: own })).status).toBe(200);
    for (const path of [pathname, `${pathname}events`, `${pathname}run/1/config`]) {
      for (const host of [
        "example.com",
        `example.com:${port}`,
        "127.0.0.1",
        `127.0.0.1.example.com:${port}`,
      ]) {
        expect((await ask(command, path, { headers: { host } })).status, host).toBe(403);
      }
      for (const origin of [
        "https://example.com",
        "null",
        `http://localhost:${port}`,
        `https://127.0.0.1:${port}`,
      ]) {
        expect((await ask(command, path, { headers: { origin } })).status, origin).toBe(403);
      }
      for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"]) {
        expect((await ask(command, path, { method })).status, method).toBe(405);
      }
    }
    const { token } = command;
    const wrong = [
      "/",
      "/events",
      "/run/1/config",
      `/${token}`,
      `/${token.slice(1)}/`,
      `/${token}x/`,
      `/x/${token}/`,
    ];
    wrong.push(`/${token.toUpperCase()}/events`, `//${token}/`, `/?${token}`, `/%2f${token}/`);
    for (const path of wrong) {
      const { status, body } = await ask(command, path);
      expect(status, path).toBe(403);
      expect(body).not.toContain(token);
    }
    const outside = ["../secret.txt", "..%2fsecret.txt", "run/1/../../secret.txt", "run/1/film/../config"];
    outside.push(
      "run/1/%2e%2e/secret.txt",
      "run/1/film/..%2f..%2fsecret.txt",
      "run/1/film/link.gif",
      "run/1/film/0",
    );
    outside.push(
      "run/1/config/../../../secret.txt",
      "run/1/config%00.txt",
      "run/-1/config",
      "run/99/config",
      "run/1/",
    );
    outside.push(
      "run/1e0/config",
      "run/1/film/99999999999999999999",
      "a/config.json",
      "run/1/events.jsonl",
      "%00",
    );
    outside.push("run\\1\\config", "run/1/config?x", ".//run/1/config", "/etc/passwd", "run/1/....//config");
    for (const path of outside) {
      const { status, body } = await ask(command, `${pathname}${path}`);
      expect(status, path).toBe(404);
      expect(body).toBe("not found\n");
    }
    // An absolute form, and no HTTP at all.
    expect((await ask(command, `http://127.0.0.1:${port}/${token}/`)).status).toBe(403);
    const garbage = createConnection(Number(port), "127.0.0.1");
    open.push(garbage);
    garbage.on("error", () => {}).end("\0\0\0 nonsense\r\n\r\n");
    expect((await ask(command, pathname)).status).toBe(200);
    await end(command);
  });

  test("serves 100 pages at once, and refuses the 201st", async () => {
    const folder = newFolder();
    const events = writeRun(folder, "a", started(1) + update(10, 1.5));
    const command = await watch(folder);
    const pages = Array.from({ length: 100 }, () => openPage(command));
    await eventually(() => pages.every((page) => /1\.5/.test(runsOf(page))));
    appendFileSync(events, update(20, 2.75));
    await eventually(() => pages.every((page) => /2\.75/.test(runsOf(page))));
    const more = Array.from({ length: 101 }, () => openPage(command));
    await eventually(() => more.every(({ status }) => status !== null));
    expect(more.filter(({ status }) => status === 503)).toHaveLength(1);
    await end(command);
    await eventually(() => pages.every(({ ended }) => ended));
  });

  test("keeps its memory while a run writes 10,000 events a second, also for a page that reads nothing", async () => {
    const folder = newFolder();
    const events = writeRun(folder, "a", started(1));
    // A server that kept the lines would run out of this heap.
    const command = await watch(folder, { env: { NODE_OPTIONS: "--max-old-space-size=96" } });
    const page = openPage(command);
    const { address } = command;
    const stuck = createConnection(Number(address.port), "127.0.0.1");
    open.push(stuck);
    stuck.on("error", () => {}).pause();
    stuck.write(`GET ${address.pathname}events HTTP/1.1\r\nHost: ${address.host}\r\n\r\n`);
    await eventually(() => page.parts.size === 5);
    const note = "x".repeat(3000);
    let step = 0;
    const writeEvents = async (seconds: number) => {
      const [first, began] = [step, performance.now()];
      while (step < first + seconds * 10_000) {
        const wanted = Math.min(seconds * 10_000, Math.floor((performance.now() - began) * 10));
        let text = "";
        while (step < first + wanted) text += update(++step, 100 + Math.sin(step), note);
        appendFileSync(events, text);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const began = performance.now();
    await writeEvents(1);
    appendFileSync(events, update(++step, 654.32));
    const shows = async (meanReturn: RegExp) => {
      const { child } = command;
      await eventually(
        () => meanReturn.test(runsOf(page)) || child.exitCode !== null || child.signalCode !== null,
      );
      expect(runsOf(page)).toMatch(meanReturn);
    };
    await shows(/\b654\b/);
    const before = residentMegabytes(command.child);
    await writeEvents(6);
    appendFileSync(events, update(++step, 987.65));
    await shows(/\b988\b/);
    expect(page.frames).toBeLessThan(((performance.now() - began) / 1000) * 40);
    expect(statSync(events).size).toBeGreaterThan(180 * 2 ** 20);
    if (before !== null) expect((residentMegabytes(command.child) ?? 0) - before).toBeLessThan(50);
    await end(command);
  });

  test("goes on where a run is deleted, replaced or damaged", async () => {
    const folder = newFolder();
    const kept = writeRun(folder, "kept", started(1) + update(10, 11.5));
    writeRun(folder, "gone", started(2) + update(10, 22.5));
    const command = await watch(folder);
    const page = openPage(command);
    await eventually(() => /11\.5.*22\.5|22\.5.*11\.5/s.test(runsOf(page)));
    const [goneConfig] = /run\/\d+\/config(?=[^>]*config of gone)/.exec(runsOf(page)) ?? [];
    rmSync(join(folder, "gone"), { recursive: true });
    await eventually(() => !/22\.5/.test(runsOf(page)));
    expect(page.parts.get("summary")).toMatch(/1 run:/);
    expect((await ask(command, `${command.address.pathname}${goneConfig}`)).status).toBe(404);

    // Damage is counted, and what follows it is read.
    appendFileSync(
      kept,
      'not JSON\n[1]\n{"event":"dream"}\n{"event":"update","step":20,"meanReturn":1e999}\n',
    );
    appendFileSync(kept, `${"x".repeat(MOST_LINE_BYTES + 10)}\n${update(30, 33.5)}`);
    await eventually(() => /33\.5/.test(runsOf(page)));
    expect(runsOf(page)).toMatch(/4 damaged lines/);
    // A line that is written in two parts is one.
    const text = update(40, 44.5);
    appendFileSync(kept, text.slice(0, 20));
    await new Promise((resolve) => setTimeout(resolve, 500));
    appendFileSync(kept, text.slice(20));
    await eventually(() => /44\.5/.test(runsOf(page)));
    expect(runsOf(page)).toMatch(/4 damaged lines/);

    // `resume` replaces the file.
    writeFileSync(`${kept}.new`, started(1) + update(10, 55.5));
    renameSync(`${kept}.new`, kept);
    await eventually(() => /55\.5/.test(runsOf(page)) && !/damaged/.test(runsOf(page)));
    // A link is not followed.
    rmSync(kept);
    symlinkSync("/etc/hostname", kept);
    await eventually(() => /regular file/.test(runsOf(page)));
    await end(command);
  });

  test("refuses a folder that is not there, and a port that is taken or invalid", async () => {
    expectRefusal(await softrl(["watch", "nowhere"], place), 1, /nowhere: there is no such folder/);
    expectRefusal(await softrl(["watch", "--port", "70000"], place), 1, /--port: invalid value/);
    const folder = newFolder();
    const command = await watch(folder);
    const { port } = command.address;
    expectRefusal(
      await softrl(["watch", folder, "--port", port], place),
      1,
      /--port: port \d+ cannot be used/,
    );
    await end(command);
  });
});

/** Of a process, on Linux. */
function residentMegabytes({ pid }: ChildProcess): number | null {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return null;
  }
}
