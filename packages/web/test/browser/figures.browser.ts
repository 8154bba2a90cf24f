import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { drag, hasChromium, openedPages, tableNumbers } from "./opened-page.js";

describe.skipIf(!hasChromium)("drag either side", () => {
  const open = openedPages();
  const knobOf = (page: Page, name: string) => page.getByRole("slider", { name, exact: true });
  const shownBy = async (page: Page, name: string) =>
    Number(await knobOf(page, name).getAttribute("aria-valuenow"));
  const rowsOf = (page: Page) => tableNumbers(page.locator("#sides tbody tr"));
  /** Q = V + τ log(π/π̄) in each row of the table, to its three digits. */
  const expectSums = async (page: Page) => {
    const rows = await rowsOf(page);
    expect(rows).toHaveLength(4);
    for (const [q, v, rest] of rows) expect(Math.abs(q - v - rest)).toBeLessThan(0.0021);
  };

  test("drag Q, and the policy and V follow", async () => {
    const page = await open();
    const [p, v] = [await shownBy(page, "π of action a"), await shownBy(page, "V")];
    await drag(page, knobOf(page, "Q of action a").locator(".dot"), { y: 60 });
    await expect.poll(() => shownBy(page, "π of action a")).toBeLessThan(p - 0.1);
    expect(await shownBy(page, "Q of action a")).toBeLessThan(0.2);
    expect(await shownBy(page, "V")).toBeLessThan(v);
    await expectSums(page);
  });

  test("drag π, and Q follows while V stays", async () => {
    const page = await open();
    const v = await shownBy(page, "V");
    await drag(page, knobOf(page, "π of action d").locator(".dot"), { y: -60 });
    await expect.poll(() => shownBy(page, "Q of action d")).toBeGreaterThan(0);
    expect(await shownBy(page, "V")).toBeCloseTo(v, 2);
    expect(await shownBy(page, "π of action d")).toBeGreaterThan(0.3);
    await expectSums(page);
  });

  test("drag V, and all of Q follows while the policy stays; drag π̄, and the policy follows", async () => {
    const page = await open();
    const [p, q] = [await shownBy(page, "π of action b"), await shownBy(page, "Q of action c")];
    await drag(page, knobOf(page, "V").locator(".dot"), { y: -30 });
    await expect.poll(() => shownBy(page, "Q of action c")).toBeGreaterThan(q + 0.3);
    expect(await shownBy(page, "π of action b")).toBeCloseTo(p, 2);
    await drag(page, knobOf(page, "π̄ of action b").locator(".dot"), { y: -50 });
    await expect.poll(() => shownBy(page, "π of action b")).toBeGreaterThan(p + 0.05);
    await expectSums(page);
  });

  test("the ends of τ are the greedy policy and the reference, and the policy cannot be dragged there", async () => {
    const page = await open();
    const tau = page.locator("#sides").getByLabel("Temperature τ");
    await tau.press("Home");
    await expect.poll(() => shownBy(page, "π of action a")).toBe(1);
    expect(await shownBy(page, "V")).toBe(0.9);
    expect(await knobOf(page, "π of action b").getAttribute("aria-disabled")).toBe("true");
    await drag(page, knobOf(page, "π of action b").locator(".column"), { y: -10 });
    expect(await shownBy(page, "π of action b")).toBe(0);
    await tau.press("End");
    await expect.poll(() => shownBy(page, "π of action a")).toBe(0.25);
    expect(await shownBy(page, "V")).toBeCloseTo(0.15, 6);
    expect(await page.locator("#sides [role=status]").textContent()).toContain("τ → ∞");
  });

  test("works with the keys alone, and the address restores it", async () => {
    const page = await open();
    await knobOf(page, "Q of action b").press("PageUp");
    await knobOf(page, "Q of action b").press("ArrowUp");
    await knobOf(page, "π of action c").press("End");
    await expect.poll(() => shownBy(page, "π of action c")).toBeGreaterThan(0.98);
    // The newest values: the address is written a little later.
    await expect.poll(() => page.url()).toContain("sides.q=-1.6");
    const before = await rowsOf(page);
    await page.reload();
    expect(await rowsOf(page)).toEqual(before);
    await page.locator("#sides").getByRole("button", { name: "Reset" }).click();
    await expect.poll(() => page.url()).not.toContain("?");
    expect(await shownBy(page, "Q of action b")).toBe(0.5);
  });

  test("a finger drags a knob, and scrolls the page beside it", async () => {
    const page = await open("", { hasTouch: true, viewport: { width: 360, height: 700 } });
    const knob = knobOf(page, "Q of action a");
    await knob.scrollIntoViewIfNeeded();
    await page.evaluate(() => scrollBy(0, -150));
    const touch = await page.context().newCDPSession(page);
    const swipe = async (x: number, y: number, by: number) => {
      await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
      for (let i = 1; i <= 6; i++) {
        const touchPoints = [{ x, y: y + (by * i) / 6 }];
        await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints });
      }
      await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    const box = await knob.locator(".dot").boundingBox();
    if (box === null) throw new Error("no knob");
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const scrolled = await page.evaluate(() => scrollY);
    await swipe(x, y, 50);
    await expect.poll(() => shownBy(page, "Q of action a")).toBeLessThan(0.3);
    expect(await page.evaluate(() => scrollY)).toBe(scrolled);
    const value = await shownBy(page, "Q of action a");
    await swipe(x, y - 35, -80);
    await expect.poll(() => page.evaluate(() => scrollY)).toBeGreaterThan(scrolled);
    expect(await shownBy(page, "Q of action a")).toBe(value);
  });
});

describe.skipIf(!hasChromium)("what the temperature does", () => {
  const open = openedPages();
  const noteOf = (page: Page) => page.locator("#temperature [role=status]").textContent();
  const softness = async (page: Page) => Number(/has ([\d.]+) moves/.exec((await noteOf(page)) ?? "")?.[1]);

  test("the slider and a drag in a chart choose τ, and all four panels follow", async () => {
    const page = await open();
    const picture = (name: string) => page.locator(`#temperature [data-part=${name}]`).innerHTML();
    const names = ["maze", "softness", "regret", "contraction"];
    const before = await Promise.all(names.map(picture));
    const soft = await softness(page);
    await page.locator("#temperature").getByLabel("Temperature τ").press("PageUp");
    await expect.poll(() => softness(page)).toBeGreaterThan(soft);
    const after = await Promise.all(names.map(picture));
    for (const [i, name] of names.entries()) expect(after[i], name).not.toBe(before[i]);
    await drag(page, page.locator("#temperature [data-part=regret] .grid"), { x: -90 });
    await expect.poll(() => softness(page)).toBeLessThan(2);
    const tau = async () => /τ = ([\d.]+)/.exec((await noteOf(page)) ?? "")?.[1];
    await expect.poll(async () => page.url().includes(`temperature.tau=${await tau()}`)).toBe(true);
    const chosen = await noteOf(page);
    await page.reload();
    expect(await noteOf(page)).toBe(chosen);
  });

  test("γ decides how many backups are needed", async () => {
    const page = await open();
    const backups = async () => Number(/needs (\d+) backups/.exec((await noteOf(page)) ?? "")?.[1]);
    await page.locator("#temperature").getByLabel("Temperature τ").press("End");
    await page.locator("#temperature").getByLabel("Discount γ").press("Home");
    await expect.poll(backups).toBeLessThan(30);
    await page.locator("#temperature").getByLabel("Discount γ").press("End");
    await expect.poll(backups).toBeGreaterThan(60);
    await page.locator("#temperature").getByRole("button", { name: "Reset" }).click();
    await expect.poll(() => softness(page)).toBe(2.92);
  });
});

describe.skipIf(!hasChromium)("two arrows", () => {
  const open = openedPages();
  const noteOf = (page: Page) => page.locator("#arrows [role=status]").textContent();
  const rowsOf = (page: Page) => tableNumbers(page.locator("#arrows tbody tr"));

  test("the theorem holds at every stage, and the four differences add up to nothing", async () => {
    const page = await open();
    for (const steps of [0, 7, 60]) {
      await page.locator("#arrows").getByLabel("Steps taken").fill(String(steps));
      await expect.poll(() => noteOf(page)).toMatch(/^The theorem holds: .* below 10⁻¹[³⁴⁵⁶⁷]/);
      const [softQ, policy, ...samples] = await rowsOf(page);
      expect(softQ).toEqual(policy);
      expect(samples.at(-1)).toEqual([0, 0, 0, 0]);
    }
    expect(await page.locator("#arrows [data-part=loop]").getAttribute("aria-label")).toContain(
      "a closed loop",
    );
  });

  test.each(["tau", "behaviour", "kl", "terminal"])("breaking the line about %s shows", async (line) => {
    const page = await open();
    const box = page.locator(`#arrows [data-part=holds-${line}]`);
    await box.uncheck();
    await expect.poll(() => noteOf(page)).toMatch(/^Broken: the two steps differ/);
    const label = page.locator(`#arrows [data-line=${line}]`);
    expect(await label.getAttribute("class")).toContain("broken");
    const cells = page.getByRole("radio", { name: /the steps differ by 0\.(?!000)/ });
    expect(await cells.count()).toBeGreaterThan(0);
    await cells.first().click();
    await expect.poll(async () => (await rowsOf(page)).at(-1)?.some((x) => x !== 0)).toBe(true);
    expect(await page.locator("#arrows [data-part=loop]").getAttribute("aria-label")).toContain("do not end");
    await expect.poll(() => page.url()).toContain(`arrows.broken=${line}`);
    await page.reload();
    expect(await box.isChecked()).toBe(false);
    await box.check();
    await expect.poll(() => noteOf(page)).toMatch(/^The theorem holds/);
  });

  test("a cell is selected with the mouse or the arrow keys", async () => {
    const page = await open();
    const title = () => page.locator("#arrows [data-part=cell]").textContent();
    await page.getByRole("radio", { name: /^row 1, column 1/ }).click();
    await expect.poll(title).toBe("Cell in row 1, column 1");
    await page.keyboard.press("ArrowRight");
    await expect.poll(title).toBe("Cell in row 1, column 2");
    // The wall is passed over.
    await page.keyboard.press("ArrowDown");
    await expect.poll(title).toBe("Cell in row 3, column 2");
    await page.keyboard.press("ArrowDown");
    await expect.poll(title).toBe("Cell in row 3, column 2");
    expect(await page.getByRole("radio", { checked: true }).count()).toBe(1);
  });
});
