import type { Page } from "playwright-core";
import { createWasmExecutor, loadPolicy } from "softrl";
import { describe, expect, test } from "vitest";
import { hasChromium, openedPages } from "./opened-page.js";

/** Longer than any of it takes: the machine may be busy. */
const LONG = { timeout: 120_000 };

const partOf = (page: Page, name: string) => page.locator(`#race [data-part="${name}"]`);
const stepOf = async (page: Page) => Number(await page.locator("#race").getAttribute("data-step"));
const noteOf = (page: Page) => partOf(page, "note").textContent();
/** The newest mean returns of both curves. */
const returnsOf = async (page: Page) => {
  const label = (await partOf(page, "curves").getAttribute("aria-label")) ?? "";
  return Array.from(label.matchAll(/[\d.]+/g), ([text]) => Number(text));
};
const pathOf = (page: Page, className: string) =>
  page.locator(`#race [data-part=curves] .line.${className}:not(.faint)`).getAttribute("d");

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
    await expect.poll(() => noteOf(page), LONG).toBe("Paused after 1,000 steps of each agent.");
    expect(page.workers()).toHaveLength(2);
    await partOf(page, "step").click();
    await expect.poll(() => stepOf(page), LONG).toBe(1040);
    const still = () => partOf(page, "a2c-screen").evaluate((one: HTMLCanvasElement) => one.toDataURL());
    await expect.poll(() => noteOf(page), LONG).toContain("1,040");
    const before = await still();
    await page.waitForTimeout(300);
    expect(await still()).toBe(before);
  });

  test("both algorithms learn CartPole, to at least 475", LONG, async () => {
    const page = await open("?race.speed=Infinity");
    const began = Date.now();
    await partOf(page, "go").click();
    await expect
      .poll(
        async () => Math.min(...(await returnsOf(page)), (await returnsOf(page)).length === 2 ? 1e9 : 0),
        {
          timeout: 110_000,
        },
      )
      .toBeGreaterThanOrEqual(475);
    const seconds = (Date.now() - began) / 1000;
    const step = await stepOf(page);
    console.log(`both at 475 after ${seconds.toFixed(1)} s, ${step} steps of each`);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after/);
    const distance = await partOf(page, "distance").getAttribute("aria-label");
    expect(distance).toMatch(/: [\d.]+e[-+]\d+ for a sample, ([\d.]+e-1[4-9]|0e\+0) averaged/);
  });

  test("the gap subtracted, both curves are one", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toContain("10,0");
    expect(await pathOf(page, "pg")).not.toBe(await pathOf(page, "sq"));
    await partOf(page, "gap").check();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Start the race/);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toContain("10,0");
    expect(await pathOf(page, "pg")).toMatch(/^M.*L/);
    expect(await pathOf(page, "pg")).toBe(await pathOf(page, "sq"));
  });

  test("a change of τ comes at the same step of both, and one can go back before it", LONG, async () => {
    const page = await open("?race.speed=10000");
    await partOf(page, "go").click();
    await expect.poll(() => stepOf(page), LONG).toBeGreaterThan(22_000);
    await page.locator("#race").getByLabel("Temperature τ").press("End");
    await expect.poll(() => page.locator("#race .line.bound").count(), LONG).toBe(1);
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after/);
    const paused = await stepOf(page);
    const scrub = partOf(page, "scrub");
    await scrub.focus();
    await scrub.press("Home");
    await scrub.press("ArrowRight");
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Back at step 1\d,\d/);
    expect(await stepOf(page)).toBeLessThan(paused);
    expect(await page.locator("#race .line.bound").count()).toBe(0);
    await expect.poll(() => page.locator("#race .slider output").textContent(), LONG).toBe("0.05");
    await partOf(page, "step").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after 1\d,/);
  });

  test("a person takes over the controls with the keyboard", LONG, async () => {
    const page = await open("?race.every=1000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after/);
    const facts = () => partOf(page, "soft-q-facts").textContent();
    const screen = partOf(page, "soft-q-screen");
    await screen.focus();
    await page.keyboard.down("ArrowRight");
    await expect.poll(facts, LONG).toMatch(/^You play: \d+, last episode (\d|1\d) /);
    await page.keyboard.up("ArrowRight");
    await page.keyboard.press("Escape");
    await partOf(page, "step").click();
    await expect.poll(facts, LONG).toMatch(/^Return/);
  });

  test("a race is saved, and goes on in the page loaded anew; Node acts as the page does", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after/);
    const step = await stepOf(page);
    await partOf(page, "save").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Saved/);
    const curve = await pathOf(page, "sq");
    const bars = () => partOf(page, "soft-q-policy").getAttribute("aria-label");
    const checkpoint = await page.evaluate(
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
    await page.reload();
    await partOf(page, "load").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Loaded: step 10,/);
    expect(await stepOf(page)).toBe(step);
    expect(await pathOf(page, "sq")).toBe(curve);
    expect(await bars()).toMatch(/^Policy: ← push [01]\.\d\d, push → [01]\.\d\d$/);
    const policy = loadPolicy(Uint8Array.from(checkpoint), await createWasmExecutor());
    expect(policy.evaluate(new Float32Array(4)).logPi).toHaveLength(2);
    await partOf(page, "step").click();
    await expect.poll(() => stepOf(page), LONG).toBe(step + 40);
  });

  test("learns a MinAtar game", LONG, async () => {
    const page = await open("?race.speed=Infinity&race.game=breakout&race.every=10000");
    await partOf(page, "go").click();
    await expect.poll(() => noteOf(page), LONG).toMatch(/^Paused after 10,/);
    expect(await partOf(page, "a2c-policy").getAttribute("aria-label")).toMatch(/^Policy: wait 0\.\d\d, ←/);
  });
});
