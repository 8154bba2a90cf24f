import { expect, test } from "vitest";
import { FigureMeans } from "../../src/experiment/figure-means.js";

test("the figures of iterations count once each, and those without figures not at all", () => {
  const means = new FigureMeans();
  means.add({ loss: 1, kl: 0.5 });
  means.add({});
  means.add({ loss: 3, kl: 1.5 });
  expect(means.take()).toEqual({ kl: 1, loss: 2 });
  expect(means.take()).toBeNull();
});

test("figures that are means of several updates count for as many, also after a restore", () => {
  const means = new FigureMeans();
  means.add({ loss: 1 }, 3);
  const restored = new FigureMeans();
  restored.restore("test", { ...means.save() });
  for (const each of [means, restored]) {
    each.add({ loss: 5 });
    // (3 · 1 + 1 · 5) / 4
    expect(each.take()).toEqual({ loss: 2 });
  }
});
