import {
  Canvas,
  environmentIds,
  finalPicture,
  makeEnvironment,
  observationPicture,
  type Picture,
  picture,
  RandomStreams,
  rgbaPicture,
  vectorize,
} from "softrl";
import { describe, expect, it } from "vitest";
import { Toy } from "./toy.js";

/** The colour of a pixel, 0xrrggbb. */
const colourAt = ({ width, pixels }: Picture, x: number, y: number): number => {
  const [red, green, blue] = pixels.subarray((y * width + x) * 3);
  return (red << 16) | (green << 8) | blue;
};

/** The pixels as one string, because comparing tens of thousands of elements one by one is slow. */
const bytes = ({ pixels }: Picture): string => Buffer.from(pixels).toString("latin1");

describe.each(environmentIds)("a picture of %s", (id) => {
  it("has a constant size, depends on the observation alone, and changes over time", () => {
    const environment = makeEnvironment(id, 2);
    const random = new RandomStreams(2).stream("test");
    environment.reset(new RandomStreams(7));
    const first = picture(environment, 1);
    const seen = new Set<string>();
    for (let t = 0; t < 40; t++) {
      const before = environment.save();
      const shown = picture(environment, 1);
      expect([shown.width, shown.height]).toEqual([first.width, first.height]);
      expect(shown.pixels.length).toBe(shown.width * shown.height * 3);
      expect(bytes(picture(environment, 1)) === bytes(shown)).toBe(true);
      expect(environment.save()).toEqual(before);
      seen.add(bytes(shown));
      environment.step(Int32Array.from({ length: 2 }, () => random.integer(2)));
      if (environment.episodeEnded[1]) {
        expect(bytes(finalPicture(environment, 1)) === bytes(picture(environment, 1))).toBe(false);
      }
    }
    // The grid has few different pictures, because moves into a wall change nothing.
    expect(seen.size).toBeGreaterThan(1);
    expect(() => picture(environment, 2)).toThrow(/expected an integer in \[0, 1\], got 2/);
  });
});

describe("pictures", () => {
  it("show a cart, a lake and a brick in the right places", () => {
    const cart = makeEnvironment("CartPole-v1", 1);
    const shown = cart.paint?.(Float32Array.of(0, 0, 0, 0)) ?? new Canvas(1, 1);
    expect(colourAt(shown, 150, 155)).toBe(0x2b3038);
    expect(colourAt(shown, 150, 60)).toBe(0xc98a4b);
    expect(colourAt(shown, 20, 60)).toBe(0xffffff);

    const lake = makeEnvironment("FrozenLake-v1", 1);
    const cells = new Float32Array(16);
    cells[6] = 1;
    const ice = lake.paint?.(cells) ?? new Canvas(1, 1);
    expect(colourAt(ice, 2 * 32 + 16, 32 + 16)).toBe(0xf08c2e);
    expect(colourAt(ice, 32 + 16, 32 + 16)).toBe(0x2f4f66);
    expect(colourAt(ice, 3 * 32 + 16, 3 * 32 + 16)).toBe(0x57b86b);

    const breakout = makeEnvironment("MinAtar/Breakout-v1", 1);
    breakout.reset(new RandomStreams(1));
    const board = picture(breakout, 0);
    expect([board.width, board.height]).toEqual([160, 160]);
    expect(colourAt(board, 5 * 16 + 8, 2 * 16 + 8)).toBe(0xff8a4f);
    expect(colourAt(board, 4 * 16 + 8, 9 * 16 + 8)).toBe(0x4f9dff);
    expect(colourAt(board, 8, 8)).toBe(0x14161b);
  });

  it("have rectangles that are clipped at every side", () => {
    const sides = [-4, -0.5, 0, 2.4, 5, 6.5, 8, 40];
    for (const x of sides) {
      for (const y of sides) {
        for (const [width, height] of [
          [0, 3],
          [3, 0],
          [2.5, 4],
          [30, 1],
          [9, 30],
        ]) {
          const canvas = new Canvas(8, 6, 0x123456);
          canvas.rectangle(x, y, width, height, 0xabcdef);
          const within = (at: number, from: number, size: number) =>
            at >= Math.round(from) && at < Math.round(from + size);
          for (let row = 0; row < 6; row++) {
            for (let column = 0; column < 8; column++) {
              const isInside = within(column, x, width) && within(row, y, height);
              expect(colourAt(canvas, column, row)).toBe(isInside ? 0xabcdef : 0x123456);
            }
          }
        }
      }
    }
  });

  it("are given to a page with every pixel opaque", () => {
    const canvas = new Canvas(3, 2, 0x0a141e);
    canvas.rectangle(1, 1, 1, 1, 0xff8000);
    const { width, height, rgba } = rgbaPicture(canvas);
    expect([width, height]).toEqual([3, 2]);
    const ground = [10, 20, 30, 255];
    expect(Array.from(rgba)).toEqual([ground, ground, ground, ground, [255, 128, 0, 255], ground].flat());
  });

  it("show the numbers of an environment without paint", () => {
    const toys = vectorize("Toy", () => new Toy(8, "float32"), 2);
    toys.reset(new RandomStreams(1));
    expect(toys.paint).toBeUndefined();
    expect(picture(toys, 1).pixels.length).toBeGreaterThan(0);
  });

  it("show the newest of stacked frames in grey, and three channels in colour", () => {
    const stack = { kind: "box", shape: [1, 2, 4], dtype: "uint8", low: 0, high: 255 } as const;
    const grey = observationPicture(stack, Uint8Array.of(1, 2, 3, 200, 5, 6, 7, 9));
    expect(grey).toEqual({ width: 2, height: 1, pixels: Uint8Array.of(200, 200, 200, 9, 9, 9) });
    const colours = { kind: "box", shape: [1, 1, 3], dtype: "float32", low: 0, high: 1 } as const;
    expect(observationPicture(colours, Float32Array.of(1, 0.5, 0)).pixels).toEqual(
      Uint8Array.of(255, 128, 0),
    );
  });

  it("show a vector as bars, upwards for positive and downwards for negative numbers", () => {
    const space = { kind: "box", shape: [2], dtype: "float32", low: -1, high: 1 } as const;
    const bars = observationPicture(space, Float32Array.of(1, -1));
    expect(colourAt(bars, 4, 10)).toBe(0x3b6ea8);
    expect(colourAt(bars, 4, 150)).toBe(0xffffff);
    expect(colourAt(bars, 28, 10)).toBe(0xffffff);
    expect(colourAt(bars, 28, 150)).toBe(0x3b6ea8);
    expect(() => observationPicture(space, new Float32Array(3))).toThrow(/wrong length, expected 2, got 3/);
    expect(() => observationPicture({ kind: "discrete", n: 3 }, new Float32Array(3))).toThrow(/discrete/);
  });

  it("are clipped at their edges", () => {
    const canvas = new Canvas(4, 3, 0x010203);
    canvas.rectangle(-5, 1, 100, 1, 0xff0000);
    canvas.disc(40, 40, 3, 0xff0000);
    canvas.line(0, 0, 0, 3, 2, 0x00ff00);
    expect(colourAt(canvas, 3, 1)).toBe(0xff0000);
    expect(colourAt(canvas, 0, 2)).toBe(0x00ff00);
    expect(colourAt(canvas, 3, 2)).toBe(0x010203);
    expect(() => new Canvas(0, 3)).toThrow(/width/);
  });
});
