import {
  createGymnasiumEnvironment,
  type GymnasiumConfig,
  type GymnasiumEnvironment,
} from "@softrl/gymnasium";
import { picture, RandomStreams } from "softrl";
import { afterEach, describe, expect, inject, it } from "vitest";
import { LiveAle } from "./live-ale.js";

const python = inject("python");
const open: { close(): void | Promise<void> }[] = [];

async function make(config: Omit<GymnasiumConfig, "python" | "training">): Promise<GymnasiumEnvironment> {
  const environment = await createGymnasiumEnvironment({ python, training: false, ...config });
  open.push(environment);
  await environment.reset(new RandomStreams(1));
  return environment;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe("the screen of a bridged environment", () => {
  it("is the console's screen for every environment, whichever process it runs in", async () => {
    const environment = await make({ id: "ALE/Breakout-v5", size: 3, processes: 2 });
    for (let t = 0; t < 12; t++) await environment.step(Int32Array.of(1, 2, 3));
    const screens = [];
    for (let i = 0; i < 3; i++) screens.push(await environment.screen?.(i));
    const ale = new LiveAle(python, "breakout");
    open.push(ale);
    ale.reset(1);
    const colours = new Uint8Array(160 * 210 * 3);
    ale.screenRgbInto(colours);
    for (const screen of screens) {
      expect(screen).toMatchObject({ width: 160, height: 210 });
      // Walls, bricks and score are always in the same place; only the ball and the paddle differ.
      const same = colours.filter((value, at) => value === screen?.pixels[at]).length;
      expect(same / colours.length).toBeGreaterThan(0.97);
    }
    expect(screens[0]?.pixels).not.toEqual(screens[2]?.pixels);
  });

  it("is the image that Gymnasium renders as rgb_array", async () => {
    const environment = await make({ id: "Pong-v4", size: 1, options: { render_mode: "rgb_array" } });
    for (let t = 0; t < 10; t++) await environment.step(Int32Array.of(2));
    const screen = await environment.screen?.(0);
    expect([screen?.width, screen?.height]).toEqual([160, 210]);
    expect(screen?.pixels).toEqual(picture(environment, 0).pixels);
    await expect(environment.screen?.(1)).rejects.toThrow(/no such environment/);
  });

  it("is absent without render_mode, and shows the observation if rendering is not possible", async () => {
    expect((await make({ id: "Pong-v4", size: 1 })).screen).toBeUndefined();
    const pole = await make({ id: "CartPole-v1", size: 1, options: { render_mode: "rgb_array" } });
    const seen = await pole.screen?.(0);
    // With pygame, Gymnasium renders 600 × 400 pixels.
    if (seen?.width !== 600) expect(seen).toEqual(picture(pole, 0));
  });
});
