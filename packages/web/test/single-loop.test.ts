import { expect, it } from "vitest";
import { singleLoop } from "../src/figures/single-loop.js";

it("a loop that is started again while it waits takes no more turns", async () => {
  let [isGoing, turns] = [true, 0];
  let wake = () => {};
  const loop = singleLoop(
    () => isGoing,
    () => {
      turns++;
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
  );
  const ended = loop();
  // Paused and gone on while the loop waits, as by quick clicks.
  for (let i = 0; i < 5; i++) {
    isGoing = false;
    isGoing = true;
    await loop();
  }
  expect(turns).toBe(1);
  wake();
  await Promise.resolve();
  expect(turns).toBe(2);
  isGoing = false;
  wake();
  await ended;
  expect(turns).toBe(2);
});

it("a loop that has failed can be started again", async () => {
  let turns = 0;
  const loop = singleLoop(
    () => turns < 2,
    async () => {
      turns++;
      if (turns === 1) throw new Error("once");
    },
  );
  await expect(loop()).rejects.toThrow("once");
  await loop();
  expect(turns).toBe(2);
});
