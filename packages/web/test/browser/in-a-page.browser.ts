import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import {
  CartPole,
  createTrainer,
  createWasmExecutor,
  encodeCheckpoint,
  loadPolicy,
  softQLearning,
} from "softrl";
import { build, defaultClientConditions } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, serveFolder, startChromium } from "../../../../test/chromium.js";

/** The machine may be busy. */
const LONG = 180_000;
const root = join(import.meta.dirname, "../../../..");
const executable = findChromium();
const guide = readFileSync(join(root, "docs/in-a-page.md"), "utf8");
/** The files of the guide, by name. */
const files = new Map(
  [...guide.matchAll(/^```\w+ ([\w.-]+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [name, text]),
);
const isolation = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

const status = async (page: Page) => (await page.locator("#status").textContent()) ?? "";
const stepOf = async (page: Page) => Number(/step (\d+)/.exec(await status(page))?.[1]);

/** The checkpoint that the page has saved. */
async function savedIn(page: Page): Promise<Uint8Array> {
  const bytes = await page.evaluate(
    () =>
      new Promise<number[]>((resolve, reject) => {
        const opening = indexedDB.open("my-softrl-page", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const found = opening.result.transaction("checkpoints").objectStore("checkpoints").get("newest");
          found.onsuccess = () => resolve(Array.from(found.result));
        };
      }),
  );
  return Uint8Array.from(bytes);
}

/** The run of the guide in Node, to the same step. */
async function checkpointInNode(step: number): Promise<Uint8Array> {
  const trainer = await createTrainer({
    algorithm: softQLearning,
    environment: new CartPole(8),
    executor: await createWasmExecutor(),
    settings: { run: { seed: 1, steps: 200_000 } },
  });
  await trainer.start();
  while (trainer.step < step) await trainer.iterate();
  return encodeCheckpoint(await trainer.save());
}

describe.skipIf(executable === null)("the page of the guide", () => {
  let [browser, place]: [Browser?, string?] = [];
  const servers: Server[] = [];
  const serve = async (folder: string, headers: Readonly<Record<string, string>>) => {
    const { server, address } = await serveFolder(folder, { headers });
    servers.push(server);
    return address;
  };
  /** Builds the files of the guide, changed in one place, and gives the folder. */
  const built = async (name: string, change: (text: string, file: string) => string = (text) => text) => {
    const folder = join(place ?? "", name);
    mkdirSync(folder);
    for (const [file, text] of files) writeFileSync(join(folder, file), change(text, file));
    await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      resolve: { conditions: ["softrl-source", ...defaultClientConditions] },
      worker: { format: "es" },
      build: { target: "es2022" },
    });
    return join(folder, "dist");
  };
  const opened = async (address: string, messages: string[]) => {
    const page = await (await browser?.newContext())?.newPage();
    if (page === undefined) throw new Error("no browser has started");
    page.on("console", (message) => messages.push(message.text()));
    page.on("pageerror", (error) => messages.push(String(error)));
    await page.goto(address);
    await expect.poll(() => status(page)).not.toBe("");
    return page;
  };
  /** Trains until a step has passed, saves, and gives the checkpoint and its step. */
  const trained = async (page: Page, step: number) => {
    await page.locator("#train").click();
    await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(step);
    await page.locator("#pause").click();
    await expect.poll(() => page.locator("#train").isEnabled()).toBe(true);
    await page.locator("#save").click();
    await expect.poll(() => status(page)).toMatch(/^saved/);
    return { step: await stepOf(page), checkpoint: await savedIn(page) };
  };

  beforeAll(async () => {
    if (executable === null) return;
    place = mkdtempSync(join(tmpdir(), "softrl-guide-"));
    symlinkSync(join(root, "node_modules"), join(place, "node_modules"));
    browser = await startChromium(executable);
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) server.close();
    if (place !== undefined) rmSync(place, { recursive: true, force: true });
  });

  test("is four files that compile", () => {
    expect([...files.keys()].sort()).toEqual([
      "checkpoint-store.ts",
      "index.html",
      "page.ts",
      "train-worker.ts",
    ]);
    const folder = join(place ?? "", "compiled");
    mkdirSync(folder);
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
    const compilerOptions = {
      composite: false,
      declaration: false,
      declarationMap: false,
      noEmit: true,
      allowImportingTsExtensions: true,
      lib: ["ES2023", "DOM"],
    };
    writeFileSync(join(folder, "package.json"), '{"type":"module"}');
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["*.ts"] }),
    );
    const tsc = join(root, "node_modules/.bin/tsc");
    expect(execFileSync(tsc, ["-p", folder], { encoding: "utf8", stdio: "pipe" })).toBe("");
  });

  test(
    "trains, saves, goes on after a reload, and equals the run in Node",
    async () => {
      const messages: string[] = [];
      const page = await opened(await serve(await built("plain"), {}), messages);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      const { step, checkpoint } = await trained(page, 3000);
      expect(Buffer.from(checkpoint).equals(await checkpointInNode(step))).toBe(true);
      expect(loadPolicy(checkpoint, await createWasmExecutor()).evaluate(new Float32Array(4)).q).toHaveLength(
        2,
      );
      expect(
        await page.locator("#screen").evaluate((screen: HTMLCanvasElement) => screen.width),
      ).toBeGreaterThan(100);
      await page.reload();
      await expect.poll(() => stepOf(page)).toBe(step);
      await page.locator("#tau").fill("0.5");
      await expect.poll(() => status(page)).toMatch(/τ = 0\.50/);
      expect(messages).toEqual([]);
    },
    LONG,
  );

  test(
    "gives the same bytes with threads, where it is isolated",
    async () => {
      // CartPole's network is too small for threads, unless every kernel is shared.
      const folder = await built("threads", (text) =>
        text.replace("threads: 2", "threads: 2, leastShared: 0"),
      );
      const messages: string[] = [];
      const page = await opened(await serve(folder, isolation), messages);
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
      const { step, checkpoint } = await trained(page, 1000);
      expect(Buffer.from(checkpoint).equals(await checkpointInNode(step))).toBe(true);
      expect(page.workers().length).toBeGreaterThan(1);
      expect(messages).toEqual([]);
    },
    LONG,
  );

  test("names 'wasm-unsafe-eval' where the policy lacks it", async () => {
    const policy = "default-src 'none'; script-src 'self'; worker-src 'self' blob:";
    const page = await opened(
      await serve(join(place ?? "", "plain/dist"), { "content-security-policy": policy }),
      [],
    );
    await expect.poll(() => status(page)).toMatch(/'wasm-unsafe-eval'/);
  });
});
