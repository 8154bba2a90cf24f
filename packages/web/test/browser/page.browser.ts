import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { hasChromium, openedPages } from "./opened-page.js";

/** Bytes of the first view, compressed: the page with all that it loads before it is touched. */
const BUDGET = 250_000;
/** The page as it is: raised only by someone who decides to. */
const PRESENT = 47_000;

const widths = [360, 768, 1440];
const figures = ["sides", "temperature", "arrows", "race", "evidence"];

describe.skipIf(!hasChromium)("the page", () => {
  const open = openedPages();

  test("loads little, from its own folder", async () => {
    const page = await open();
    await page.waitForLoadState("networkidle");
    const addresses = await page.evaluate(() => [
      location.href,
      ...performance.getEntriesByType("resource").map(({ name }) => name),
    ]);
    expect(addresses.length).toBeGreaterThanOrEqual(3);
    let bytes = 0;
    for (const address of addresses) bytes += gzipSync(await (await page.request.get(address)).body()).length;
    expect(bytes).toBeLessThanOrEqual(Math.min(PRESENT, BUDGET));
  });

  test.each(widths)("fits %d pixels, and nothing moves while it loads", async (width) => {
    const page = await open("", { viewport: { width, height: 800 } });
    await page.waitForLoadState("networkidle");
    // The first picture waits for the script.
    expect(await page.locator("head script").getAttribute("blocking")).toBe("render");
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            resolve(
              list.getEntries().reduce((sum, entry) => sum + ("value" in entry ? Number(entry.value) : 0), 0),
            );
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => resolve(0), 300);
        }),
    );
    expect(shift).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
    // No table and no formula is cut off.
    const cut = await page
      .locator(".scroll, .formula")
      .evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    for (const hidden of cut) expect(hidden).toBeLessThanOrEqual(0);
  });

  test("follows the system's scheme", async () => {
    const ground = (page: Page) =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await ground(await open("", { colorScheme: "light" }))).toBe("rgb(255, 255, 255)");
    expect(await ground(await open("", { colorScheme: "dark" }))).toBe("rgb(13, 17, 23)");
  });

  test("has no motion of its own, and none at all where the reader wants none", async () => {
    const page = await open("", { reducedMotion: "reduce" });
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)).toBe("auto");
  });

  test("takes any address: what it cannot read is the default", async () => {
    const plain = await open();
    // The figures draw themselves in the first frame.
    const texts = async (page: Page) => {
      await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      return Promise.all(figures.map((id) => page.locator(`#${id}`).textContent()));
    };
    const wanted = await texts(plain);
    const hostile = [
      "?sides.q=1_2&sides.prior=0_0_0_0&sides.tau=-1&temperature.tau=x&temperature.gamma=1e9",
      "?arrows.cell=3&arrows.steps=1e99&arrows.broken=%3Cscript%3E&arrows.tau=&sides.q=NaN_NaN_NaN_NaN",
      "?race.game=doom&race.tau=x&race.every=-1&race.speed=fast&race.gap=1&race.seed=NaN",
      "?sides.tau=%00&arrows.cell=0.5&arrows.steps=-0.9&sides.prior=Infinity_1_1_1&x=y",
    ];
    for (const query of hostile) expect(await texts(await open(query))).toEqual(wanted);
  });

  test("can be read without its script", async () => {
    const page = await open("", { javaScriptEnabled: false });
    expect(await page.locator("noscript p").boundingBox()).toMatchObject({ width: 680 });
    expect(await page.locator("math").count()).toBeGreaterThan(50);
    expect(await page.locator(".formula.key math").first().isVisible()).toBe(true);
  });

  test("names all that can be used, for a screen reader and the keyboard", async () => {
    const page = await open();
    const named = await page.evaluate(() => {
      const usable = document.querySelectorAll(
        "a, button, input, select, [role=application], [role=slider], [role=radio], [role=img], svg[role]",
      );
      return Array.from(usable, (one) => ({
        html: one.outerHTML.slice(0, 80),
        name:
          one.getAttribute("aria-label") ??
          ("labels" in one ? document.querySelector(`label:has(input)`)?.textContent : one.textContent),
      }));
    });
    expect(named.length).toBeGreaterThan(30);
    for (const { html, name } of named) expect(name?.trim(), html).toBeTruthy();
    const levels = await page
      .locator("h1, h2, h3, h4")
      .evaluateAll((all) => all.map(({ tagName }) => Number(tagName[1])));
    expect(levels[0]).toBe(1);
    for (let i = 1; i < levels.length; i++) expect(levels[i] - levels[i - 1]).toBeLessThanOrEqual(1);
    // Each figure can be reached and left again.
    const reached = new Set<string>();
    for (let i = 0; i < 100; i++) {
      await page.keyboard.press("Tab");
      reached.add(
        await page.evaluate(
          () => document.activeElement?.closest("figure")?.id ?? document.activeElement?.tagName ?? "",
        ),
      );
    }
    expect([...reached]).toEqual(expect.arrayContaining([...figures, "A", "BODY"]));
  });
});

describe.skipIf(!hasChromium)("the page's policy", () => {
  const open = openedPages(/Content Security Policy/);

  test("allows no eval, no inline script and no other host", async () => {
    const page = await open();
    const policy =
      (await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content")) ?? "";
    expect(policy).toContain("default-src 'none'");
    // WebAssembly alone may be compiled.
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(policy.replace("'wasm-unsafe-eval'", "")).not.toMatch(/unsafe|http|data:|blob:|\*/);
    const refused = await page.evaluate(async () => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'changed'";
      document.head.append(script);
      // Later: what the test itself evaluates is allowed to.
      const evaluated = await new Promise((resolve) => {
        setTimeout(() => {
          try {
            resolve(new Function("return 1")());
          } catch {
            resolve("refused");
          }
        });
      });
      const fetched = await fetch("https://example.com/").then(
        () => "fetched",
        () => "refused",
      );
      return { title: document.title, evaluated, fetched };
    });
    expect(refused).toEqual({
      title: "Policy gradients and soft Q-learning take the same step",
      evaluated: "refused",
      fetched: "refused",
    });
  });
});
