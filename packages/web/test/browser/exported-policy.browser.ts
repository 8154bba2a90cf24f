import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium, serveFolder, startChromium } from "../../../../test/chromium.js";

const root = join(import.meta.dirname, "../../../..");
const executable = findChromium();

/** Observations of CartPole around an upright pole, the same in the page and here. */
const observations = Array.from({ length: 2000 }, (_, i) =>
  [1, 2, 3, 4].map((element) => 0.3 * Math.sin(i * element + element)),
);

describe.skipIf(executable === null)("an exported policy in a page without a bundler", () => {
  let [browser, server, address, place]: [Browser?, Server?, string?, string?] = [];
  beforeAll(async () => {
    if (executable === null) return;
    const folder = mkdtempSync(join(tmpdir(), "softrl-page-"));
    place = folder;
    const softrl = (line: string) =>
      execFileSync(process.execPath, [join(root, "packages/cli/bin/softrl.js"), ...line.split(" ")], {
        cwd: folder,
      });
    softrl("train --algorithm a2c --env CartPole-v1 --steps 20000 --no-chart -o run");
    softrl("export run --to js");
    softrl("export run --to js --weights-file --out beside.js");
    cpSync(join(root, "examples/page/index.html"), join(folder, "index.html"));
    ({ server, address } = await serveFolder(folder));
    browser = await startChromium(executable);
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    if (place !== undefined) rmSync(place, { recursive: true, force: true });
  });

  test.each(["policy.js", "beside.js"])("%s takes the same actions as in Node", async (name) => {
    const page = await browser?.newPage();
    await page?.goto(address ?? "");
    // As text: vitest rewrites an import that it sees.
    const actions = await page?.evaluate<readonly number[]>(
      `import("${address}${name}").then(({ act }) => ${JSON.stringify(observations)}.map((x) => act(x)))`,
    );
    const { act } = await import(pathToFileURL(join(place ?? "", name)).href);
    expect(actions).toEqual(observations.map((observation) => act(observation)));
    expect(new Set(actions)).toEqual(new Set([0, 1]));
    await page?.close();
  });

  test("the example balances its pole", async () => {
    const page = await browser?.newPage();
    const messages: string[] = [];
    page?.on("pageerror", (error) => messages.push(String(error)));
    await page?.goto(address ?? "");
    await page?.waitForFunction(() => Number(document.querySelector("#steps")?.textContent) >= 20);
    expect(Number(await page?.locator("#value").textContent())).not.toBeNaN();
    expect(messages).toEqual([]);
    await page?.close();
  });
});
