import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import {
  CartPole,
  createTrainer,
  createWasmExecutor,
  encodeCheckpoint,
  evaluate,
  loadPolicy,
  softQLearning,
} from "softrl";
import { describe, expect, test } from "vitest";
import { raceRun } from "../../src/figures/race.js";
import { games } from "../../src/figures/race-controls.js";
import { hasChromium, openedPages } from "./opened-page.js";

const bin = join(import.meta.dirname, "../../../cli/bin/softrl.js");
/** Longer than any of it takes: the machine may be busy. */
const LONG = { timeout: 600_000 };
const SOON = { timeout: 30_000 };

const partOf = (page: Page, name: string) => page.locator(`#race [data-part="${name}"]`);
const stepOf = async (page: Page) => Number(await page.locator("#race").getAttribute("data-step"));
/** The note, once the frame that draws what it tells of is over. */
const noteOf = (page: Page) =>
  partOf(page, "note").evaluate(
    ({ textContent }) =>
      new Promise<string | null>((resolve) => requestAnimationFrame(() => resolve(textContent))),
  );
/** The newest mean returns of both curves. */
const returnsOf = async (page: Page) => {
  const label = (await partOf(page, "curves").getAttribute("aria-label")) ?? "";
  return Array.from(label.matchAll(/[\d.]+/g), ([text]) => Number(text));
};
const pathOf = (page: Page, className: string) =>
  page.locator(`#race [data-part=curves] .line.${className}:not(.faint)`).getAttribute("d");

/** The checkpoint of soft Q-learning that a page has saved. */
async function savedIn(page: Page): Promise<Uint8Array> {
  const bytes = await page.evaluate(
    () =>
      new Promise<number[]>((resolve, reject) => {
        const opening = indexedDB.open("softrl-race", 1);
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const table = opening.result.transaction("races").objectStore("races");
          const found = table.get("CartPole-v1");
          found.onsuccess = () => {
            opening.result.close();
            resolve(Array.from(found.result.checkpoints["soft-q"]));
          };
        };
      }),
  );
  return Uint8Array.from(bytes);
}

/** What a checkpoint's policy gives in another worker of the page. */
function evaluatedIn(page: Page, checkpoint: Uint8Array, observations: Float32Array) {
  const worker = page.workers()[0]?.url() ?? "";
  return page.evaluate(
    ({ worker, bytes, numbers }) =>
      new Promise<{ actions: number[]; logPi: number[] }>((resolve) => {
        const one = new Worker(worker, { type: "module" });
        one.onmessage = ({ data }) => {
          if (data.id !== 1) return;
          one.terminate();
          resolve({ actions: Array.from(data.answer.actions), logPi: Array.from(data.answer.logPi) });
        };
        one.postMessage({ entry: "race", data: null });
        const load = { kind: "load", checkpoint: Uint8Array.from(bytes) };
        one.postMessage({ id: 0, command: load });
        const evaluate = { kind: "evaluate", observations: Float32Array.from(numbers) };
        one.postMessage({ id: 1, command: evaluate });
      }),
    { worker, bytes: Array.from(checkpoint), numbers: Array.from(observations) },
  );
}

describe.skipIf(!hasChromium)("the race", () => {
  const open = openedPages();

  test("loads and moves nothing before it is started, and then its worker", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=1000");
    await page.waitForLoadState("networkidle");
    const workersOf = () =>
      page.evaluate(
        () => performance.getEntriesByType("resource").filter(({ name }) => /worker/.test(name)).length,
      );
    expect(page.workers()).toHaveLength(0);
    expect(await workersOf()).toBe(0);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toBe("Paused after 1,000 steps of each agent.");
    expect(page.workers()).toHaveLength(2);
    await partOf(page, "step").click();
    await expect.poll(() => stepOf(page), SOON).toBe(1040);
    const still = () => partOf(page, "a2c-screen").evaluate((one: HTMLCanvasElement) => one.toDataURL());
    await expect.poll(() => noteOf(page), SOON).toContain("1,040");
    const before = await still();
    await page.waitForTimeout(300);
    expect(await still()).toBe(before);
  });

  test("both algorithms learn CartPole, to at least 475 within 100,000 steps", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=50000");
    const began = Date.now();
    // The seed decides the returns at a step. The time depends on the machine: it is reported alone.
    for (const steps of ["50,000", "100,000"]) {
      await partOf(page, "go").click();
      await expect
        .poll(() => noteOf(page), { timeout: 250_000 })
        .toBe(`Paused after ${steps} steps of each agent.`);
    }
    const seconds = (Date.now() - began) / 1000;
    const returns = await returnsOf(page);
    expect(returns).toHaveLength(2);
    expect(Math.min(...returns)).toBeGreaterThanOrEqual(475);
    console.log(`both at ${returns.join(" and ")} after ${seconds.toFixed(1)} s, 100,000 steps of each`);
    const distance = await partOf(page, "distance").getAttribute("aria-label");
    expect(distance).toMatch(/: [\d.]+e[-+]\d+ for a sample, ([\d.]+e-1[4-9]|0e\+0) averaged/);
  });

  test("the gap subtracted, both curves are one", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toContain("10,0");
    expect(await pathOf(page, "pg")).not.toBe(await pathOf(page, "sq"));
    await partOf(page, "gap").check();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Start the race/);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toContain("10,0");
    expect(await pathOf(page, "pg")).toMatch(/^M.*L/);
    expect(await pathOf(page, "pg")).toBe(await pathOf(page, "sq"));
    const difference = (await partOf(page, "difference").textContent()) ?? "";
    expect(Number(/: (.+)$/.exec(difference)?.[1])).toBeLessThan(1e-5);
  });

  test("the gap subtracted, both screens show the same game; cleared, neither shows one", LONG, async () => {
    const bars = () => page.locator("#race [data-part$=-policy] .bar").count();
    const pictures = () =>
      page
        .locator("#race .screen")
        .evaluateAll((all: HTMLCanvasElement[]) => all.map((one) => one.toDataURL()));
    const page = await open("?race.gap=subtracted&race.speed=1000");
    await partOf(page, "go").click();
    await expect.poll(bars, SOON).toBe(4);
    const seen = new Set<string>();
    for (let i = 0; i < 20 || (seen.size <= 5 && i < 300); i++) {
      const [one, other] = await pictures();
      expect(one).toBe(other);
      seen.add(one);
      await page.waitForTimeout(100);
    }
    expect(seen.size).toBeGreaterThan(5);
    await page.locator("#race").getByRole("button", { name: "Reset" }).click();
    await expect.poll(bars, SOON).toBe(0);
  });

  test("a change of τ comes at the same step of both, and one can go back before it", LONG, async () => {
    const page = await open("?race.speed=10000");
    await partOf(page, "go").click();
    await expect.poll(() => stepOf(page), SOON).toBeGreaterThan(22_000);
    await page.locator("#race").getByLabel("Temperature τ").press("End");
    await expect.poll(() => page.locator("#race .line.bound").count(), SOON).toBe(1);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after/);
    const paused = await stepOf(page);
    const scrub = partOf(page, "scrub");
    await scrub.focus();
    await scrub.press("Home");
    await scrub.press("ArrowRight");
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Back at step 1\d,\d/);
    expect(await stepOf(page)).toBeLessThan(paused);
    expect(await page.locator("#race .line.bound").count()).toBe(0);
    await expect.poll(() => page.locator("#race .slider output").textContent(), SOON).toBe("0.05");
    await partOf(page, "step").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 1\d,/);
  });

  test("a person takes over the controls with the keyboard", LONG, async () => {
    const page = await open("?race.every=1000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after/);
    const facts = () => partOf(page, "soft-q-facts").textContent();
    const screen = partOf(page, "soft-q-keys");
    await screen.focus();
    await page.keyboard.down("ArrowRight");
    await expect.poll(facts, SOON).toMatch(/^You play: \d+, last episode (\d|1\d) /);
    await page.keyboard.up("ArrowRight");
    await page.keyboard.press("Escape");
    await partOf(page, "step").click();
    await expect.poll(facts, SOON).toMatch(/^Return/);
  });

  test("a finger takes over the controls on a phone, and hands them back", LONG, async () => {
    const page = await open("?race.every=1000", { hasTouch: true, viewport: { width: 360, height: 740 } });
    const pad = partOf(page, "soft-q-pad");
    const [left, right, handBack] = ["Push left", "Push right", "Hand back"].map((name) =>
      pad.getByRole("button", { name }),
    );
    expect(await right.isDisabled()).toBe(true);
    await partOf(page, "go").tap();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after/);
    for (const button of [left, right, handBack]) {
      const box = await button.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(44);
    }
    const facts = () => partOf(page, "soft-q-facts").textContent();
    const taken = () => page.locator("#race [data-part=soft-q-policy] .bar").nth(1).getAttribute("class");
    await pad.scrollIntoViewIfNeeded();
    // A finger that stays: the cart is pushed to the right until the pole falls.
    const box = await right.boundingBox();
    if (box === null) throw new Error("no button");
    const touch = await page.context().newCDPSession(page);
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
    await expect.poll(facts, SOON).toMatch(/^You play: \d+, last episode (\d|1\d) /);
    for (let i = 0; i < 5; i++) {
      await page.waitForTimeout(60);
      expect((await facts())?.startsWith("You play")).toBe(true);
    }
    await expect.poll(taken, SOON).toContain("taken");
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    // A tap takes the controls over, too, and keeps them.
    await handBack.tap();
    await expect.poll(() => handBack.isDisabled(), SOON).toBe(true);
    await left.tap();
    await expect.poll(() => handBack.isDisabled(), SOON).toBe(false);
    await expect.poll(facts, SOON).toMatch(/^You play/);
    await page.waitForTimeout(300);
    expect(await facts()).toMatch(/^You play/);
    await handBack.tap();
    await partOf(page, "step").tap();
    await expect.poll(facts, SOON).toMatch(/^Return/);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  });

  test("the buttons below a screen work with the keyboard", LONG, async () => {
    const page = await open("?race.every=1000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after/);
    const facts = () => partOf(page, "a2c-facts").textContent();
    await partOf(page, "a2c-pad").getByRole("button", { name: "Push left" }).focus();
    await page.keyboard.down("Space");
    await expect.poll(facts, SOON).toMatch(/^You play: \d+, last episode (\d|1\d) /);
    await page.keyboard.up("Space");
    // Still at the controls, from one button to the next.
    await page.keyboard.press("Tab");
    await page.waitForTimeout(200);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Hand back");
    await page.keyboard.press("Enter");
    await partOf(page, "step").click();
    await expect.poll(facts, SOON).toMatch(/^Return/);
    await partOf(page, "a2c-pad").getByRole("button", { name: "Push left" }).press("Enter");
    await expect.poll(facts, SOON).toMatch(/^You play/);
    await page.keyboard.press("Escape");
    await partOf(page, "step").click();
    await expect.poll(facts, SOON).toMatch(/^Return/);
  });

  test("loads the command's checkpoints, and the command loads the page's", LONG, async () => {
    const folder = mkdtempSync(join(tmpdir(), "softrl-race-"));
    const softrl = (line: string) =>
      execFileSync(process.execPath, [bin, ...line.split(" ")], { cwd: folder, encoding: "utf8" });
    try {
      for (const algorithm of ["a2c", "soft-q"]) {
        const what = `--algorithm ${algorithm} --env CartPole-v1 --seed 4 --steps 12000 --executor wasm`;
        softrl(`train ${what} --no-chart -o ${algorithm}`);
      }
      const pathOfRun = (run: string) => join(folder, run, "checkpoint.safetensors");
      const page = await open("?race.every=1000&race.speed=Infinity");
      const files = partOf(page, "files");
      await files.setInputFiles([pathOfRun("soft-q")]);
      await expect.poll(() => noteOf(page), SOON).toMatch(/^Choose two checkpoint files.*of soft-q\.$/);
      softrl("train --algorithm a2c --env CartPole-v1 --steps 800 --executor wasm --no-chart -o short");
      await files.setInputFiles([pathOfRun("soft-q"), pathOfRun("short")]);
      await expect
        .poll(() => noteOf(page), SOON)
        .toMatch(/not of one race: a2c is on CartPole-v1 at step 800,/);
      await files.setInputFiles([pathOfRun("soft-q"), pathOfRun("a2c")]);
      await expect.poll(() => noteOf(page), SOON).toBe("Loaded: step 12,000.");
      expect(await stepOf(page)).toBe(12_000);

      // What the page has loaded is the command's run to the last bit, and acts in its worker as in Node.
      const downloaded = async (racer: string) => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          partOf(page, `${racer}-download`).click(),
        ]);
        return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
      };
      const observations = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i * i) / 5);
      const executor = await createWasmExecutor();
      for (const racer of ["a2c", "soft-q"]) {
        const written = readFileSync(pathOfRun(racer));
        const { name, bytes } = await downloaded(racer);
        expect(name).toBe(`${racer}-12000.safetensors`);
        expect(Buffer.compare(bytes, written)).toBe(0);
        const policy = loadPolicy(written, executor, { rows: 8 });
        const actions = new Int32Array(100);
        policy.act(observations, actions, "mode");
        expect(new Set(actions).size).toBe(2);
        const inPage = await evaluatedIn(page, bytes, observations);
        expect(inPage.actions).toEqual(Array.from(actions));
        expect(inPage.logPi).toEqual(Array.from(policy.evaluate(observations).logPi));
      }

      // It goes on beyond the end that the command gave it, and the command plays what comes of it.
      await partOf(page, "go").click();
      await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 13,0/);
      expect(await page.locator("#race .line.bound").count()).toBe(0);
      for (const racer of ["a2c", "soft-q"]) {
        const { bytes } = await downloaded(racer);
        mkdirSync(join(folder, `${racer}-page`));
        writeFileSync(pathOfRun(`${racer}-page`), bytes);
        const how = "--episodes 20 --seed 5 --mode mode --executor wasm --json";
        const played = JSON.parse(softrl(`evaluate ${racer}-page ${how}`));
        const { returns } = await evaluate({
          policy: loadPolicy(bytes, executor),
          environment: new CartPole(8),
          episodes: 20,
          seed: 5,
          mode: "mode",
        });
        expect(played.algorithm).toBe(racer);
        expect([...played.returns].sort()).toEqual([...returns].sort());
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a race is saved, and goes on in the page loaded anew; Node acts as the page does", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after/);
    const step = await stepOf(page);
    await partOf(page, "save").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Saved/);
    const curve = await pathOf(page, "sq");
    const bars = () => partOf(page, "soft-q-policy").getAttribute("aria-label");
    const saved = await savedIn(page);

    // The same seed in Node: the same bytes.
    const executor = await createWasmExecutor();
    const [game] = games;
    const { settings = {} } = raceRun("soft-q", { game, seed: 1, tau: game.tau, isGapSubtracted: false });
    const parts = { algorithm: softQLearning, environment: new CartPole(8), executor, settings };
    const trainer = createTrainer(parts);
    await trainer.start();
    while (trainer.step < step) await trainer.iterate();
    expect(Buffer.compare(saved, encodeCheckpoint(await trainer.save()))).toBe(0);

    // The page's checkpoint acts in Node as it does in the page's worker.
    const observations = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i * i) / 5);
    const inPage = await evaluatedIn(page, saved, observations);
    const policy = loadPolicy(saved, executor, { rows: 8 });
    const actions = new Int32Array(100);
    policy.act(observations, actions, "mode");
    expect(new Set(actions).size).toBe(2);
    expect(inPage.actions).toEqual(Array.from(actions));
    expect(inPage.logPi).toEqual(Array.from(policy.evaluate(observations).logPi));

    await page.reload();
    await partOf(page, "load").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Loaded: step 10,/);
    expect(await stepOf(page)).toBe(step);
    expect(await pathOf(page, "sq")).toBe(curve);
    expect(await bars()).toMatch(/^Policy: ← push [01]\.\d\d, push → [01]\.\d\d$/);
    await partOf(page, "step").click();
    await expect.poll(() => stepOf(page), SOON).toBe(step + 40);
  });

  test(
    "τ changed on the way gives Node's bytes with the same change, and others than without",
    LONG,
    async () => {
      const page = await open("?race.speed=Infinity&race.every=1000");
      await partOf(page, "go").click();
      await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 1,0/);
      const changed = await stepOf(page);
      await page.locator("#race").getByLabel("Temperature τ").press("End");
      await expect.poll(() => page.locator("#race .line.bound").count(), SOON).toBe(1);
      await partOf(page, "go").click();
      await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 2,0/);
      const step = await stepOf(page);
      await partOf(page, "save").click();
      await expect.poll(() => noteOf(page), SOON).toMatch(/^Saved/);
      const saved = await savedIn(page);
      const inNode = async (tau: number | null) => {
        const [game] = games;
        const { settings = {} } = raceRun("soft-q", { game, seed: 1, tau: game.tau, isGapSubtracted: false });
        const executor = await createWasmExecutor();
        const parts = { algorithm: softQLearning, environment: new CartPole(8), executor, settings };
        const trainer = createTrainer(parts);
        await trainer.start();
        while (trainer.step < changed) await trainer.iterate();
        if (tau !== null) await trainer.set({ tau });
        while (trainer.step < step) await trainer.iterate();
        return Buffer.from(encodeCheckpoint(await trainer.save()));
      };
      expect(Buffer.compare(saved, await inNode(1))).toBe(0);
      const actsLike = async (bytes: Uint8Array) =>
        Array.from(loadPolicy(bytes, await createWasmExecutor()).evaluate(new Float32Array(4)).logPi);
      expect(await actsLike(saved)).not.toEqual(await actsLike(await inNode(null)));
    },
  );

  test("starts anew when the gap is changed while it goes on", LONG, async () => {
    const page = await open();
    await partOf(page, "go").click();
    await expect.poll(() => stepOf(page), SOON).toBeGreaterThan(12_000);
    await partOf(page, "gap").check();
    await expect.poll(() => stepOf(page), SOON).toBeLessThan(12_000);
    await expect.poll(() => page.locator("#race .line.faint").getAttribute("d"), SOON).toMatch(/^M/);
    expect(await partOf(page, "go").textContent()).toMatch(/Loading|Pause/);
    await partOf(page, "reset").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Start the race/);
    await expect.poll(() => page.workers().length, SOON).toBe(0);
  });

  test("learns a MinAtar game", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.game=breakout&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 10,/);
    expect(await partOf(page, "a2c-policy").getAttribute("aria-label")).toMatch(/^Policy: wait 0\.\d\d, ←/);
  });
});

describe.skipIf(!hasChromium)("a host whose policy forbids WebAssembly", () => {
  const open = openedPages(/Content Security Policy|WebAssembly/);

  test("is told what to allow", LONG, async () => {
    const page = await open();
    await page.route("**/race-worker-*.js", async (route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), "content-security-policy": "script-src 'self'" };
      await route.fulfill({ response, headers });
    });
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), SOON).toContain("script-src 'self' 'wasm-unsafe-eval'");
    await expect.poll(() => partOf(page, "go").textContent(), SOON).toBe("Start");
    await page.unrouteAll();
    await partOf(page, "step").click();
    await expect.poll(() => noteOf(page), SOON).toMatch(/^Paused after 40 steps/);
  });
});
