import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode as decodePng } from "fast-png";
import { decompressFrames, parseGIF } from "gifuct-js";
import { beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { openFilm } from "../src/figures/film.js";
import { eventually, expectRefusal, fakeGymnasium, softrl, startSoftrl } from "./command.js";

const place = temporaryFolder("record");
beforeAll(async () => {
  const pole = ["train", "--steps", "4000", "--run-folder", "pole"];
  const bricks = ["train", "--env", "MinAtar/Breakout-v1", "--steps", "800", "--run-folder", "bricks"];
  for (const args of [pole, bricks]) expect(await softrl(args, place)).toMatchObject({ code: 0 });
});

interface Decoded {
  readonly width: number;
  readonly height: number;
  /** Hundredths of a second. */
  readonly delays: readonly number[];
  /** [height, width, 3] each. */
  readonly frames: readonly Uint8Array[];
}

/** A GIF as a viewer shows it: each frame is drawn over the one before, where it is not transparent. */
function decodedGif(path: string): Decoded {
  const bytes = readFileSync(path);
  expect(bytes.subarray(0, 6).toString("latin1")).toBe("GIF89a");
  const gif = parseGIF(new Uint8Array(bytes).buffer);
  const { width, height } = gif.lsd;
  const screen = new Uint8Array(width * height * 3);
  const delays: number[] = [];
  const frames = decompressFrames(gif, true).map(({ patch, dims, delay, disposalType }) => {
    expect(disposalType).toBe(1);
    delays.push(delay / 10);
    for (let at = 0; at < dims.width * dims.height; at++) {
      if (patch[at * 4 + 3] === 0) continue;
      const x = dims.left + (at % dims.width);
      const y = dims.top + Math.floor(at / dims.width);
      screen.set(patch.subarray(at * 4, at * 4 + 3), (y * width + x) * 3);
    }
    return screen.slice();
  });
  return { width, height, delays, frames };
}

const record = (...args: string[]) => softrl(["record", ...args], place);

describe("softrl record", () => {
  test.each([
    ["pole", 300, 200],
    ["bricks", 160, 160],
  ])("%s: a GIF and PNG frames of the same episode, pixel for pixel", async (run, width, height) => {
    const film = await record(run, "--out", `${run}.gif`, "--max-steps", "30", "--fps", "10", "--json");
    expect(film.stderr).toBe("");
    expect(film.code).toBe(0);
    const said: unknown = JSON.parse(film.stdout);
    expect(said).toMatchObject({ runFolder: run, out: `${run}.gif`, seed: 1, interrupted: false });
    const gif = decodedGif(join(place, `${run}.gif`));
    expect(gif).toMatchObject({ width, height });
    expect(said).toMatchObject({ frames: gif.frames.length });
    expect(new Set(gif.delays)).toEqual(new Set([10]));

    const twice = await record(run, "--out", `${run}-frames`, "--max-steps", "30", "--scale", "2");
    expect(twice).toMatchObject({ code: 0, stderr: "" });
    const names = readdirSync(join(place, `${run}-frames`)).sort();
    expect(names).toHaveLength(gif.frames.length);
    names.forEach((name, f) => {
      expect(name).toBe(`frame-${String(f).padStart(5, "0")}.png`);
      const png = decodePng(readFileSync(join(place, `${run}-frames`, name)));
      expect([png.width, png.height, png.channels]).toEqual([2 * width, 2 * height, 3]);
      let wrong = 0;
      for (let y = 0; y < 2 * height; y++) {
        for (let x = 0; x < 2 * width; x++) {
          for (let c = 0; c < 3; c++) {
            const small = ((y >> 1) * width + (x >> 1)) * 3 + c;
            if (png.data[(y * 2 * width + x) * 3 + c] !== gif.frames[f][small]) wrong++;
          }
        }
      }
      expect(wrong, name).toBe(0);
    });
    const distinct = new Set(gif.frames.map((frame) => Buffer.from(frame).toString("base64")));
    expect(distinct.size).toBeGreaterThan(5);
  });

  test("films whole episodes: the first state, one frame a step, the last state, then the next episode", async () => {
    const film = await record("pole", "--episodes", "2", "--json", "--out", "two.gif", "--max-steps", "2000");
    const { returns, lengths, frames } = JSON.parse(film.stdout);
    expect(returns).toHaveLength(2);
    expect(lengths).toEqual(returns);
    expect(frames).toBe(lengths[0] + 1 + lengths[1] + 1);
    expect(decodedGif(join(place, "two.gif")).frames).toHaveLength(frames);
    // The same seed is the same film, another one another.
    const [first, again] = [readFileSync(join(place, "two.gif")), "again.gif"];
    await record("pole", "--episodes", "2", "--out", again, "--max-steps", "2000");
    expect(readFileSync(join(place, again)).equals(first)).toBe(true);
    await record(
      "pole",
      "--episodes",
      "2",
      "--out",
      again,
      "--overwrite",
      "--seed",
      "2",
      "--max-steps",
      "2000",
    );
    expect(readFileSync(join(place, again)).equals(first)).toBe(false);
  });

  test("shows the pole where it is: a CartPole frame has a cart, a pole and a track", async () => {
    await record("pole", "--out", "look.gif", "--max-steps", "1");
    const { frames } = decodedGif(join(place, "look.gif"));
    expect(frames).toHaveLength(2);
    const colours = new Set<string>();
    for (let at = 0; at < frames[0].length; at += 3) colours.add(frames[0].subarray(at, at + 3).join());
    expect(colours.size).toBeGreaterThanOrEqual(4);
    expect(colours).toContain("255,255,255");
  });

  test("keeps to the nearest of 255 colours where a picture has more", async () => {
    const pixels = new Uint8Array(40 * 40 * 3);
    const later = pixels.slice();
    for (let at = 0; at < 1600; at++) {
      pixels.set([(at % 40) * 6, Math.floor(at / 40) * 6, 90], at * 3);
      later.set([(at % 40) * 6, Math.floor(at / 40) * 6, at < 800 ? 90 : 120], at * 3);
    }
    const film = openFilm({ out: join(place, "many.gif"), scale: 1, fps: 25 });
    for (const frame of [pixels, later]) await film.add({ width: 40, height: 40, pixels: frame });
    await expect(film.add({ width: 41, height: 40, pixels })).rejects.toThrow(/pictures differ in size/);
    await film.finish();
    const { frames, delays } = decodedGif(join(place, "many.gif"));
    expect(delays).toEqual([4, 4]);
    [pixels, later].forEach((expected, f) => {
      const far = expected.filter((value, at) => Math.abs(value - frames[f][at]) > 24).length;
      expect(far).toBeLessThan(0.02 * expected.length);
    });
  });

  test("replaces a film that is there with --overwrite alone, and nothing that is no film", async () => {
    const taken = (...args: string[]) => record("pole", "--max-steps", "3", ...args);
    const there = /--out: kept(\.gif)? already exists; choose another name, or pass --overwrite\.\n$/;
    for (const out of ["kept.gif", "kept"]) {
      expect(await record("pole", "--out", out, "--max-steps", "9")).toMatchObject({ code: 0 });
      const film = () => (out === "kept" ? readdirSync(join(place, out)) : readFileSync(join(place, out)));
      const before = film();
      expectRefusal(await taken("--out", out), 1, there);
      expect(film()).toEqual(before);
      expect(await taken("--out", out, "--overwrite")).toMatchObject({ code: 0, stderr: "" });
    }
    expect(decodedGif(join(place, "kept.gif")).frames).toHaveLength(4);
    expect(readdirSync(join(place, "kept"))).toHaveLength(4);
    writeFileSync(join(place, "kept", "notes"), "");
    const mixed = await taken("--out", "kept", "--overwrite");
    expectRefusal(mixed, 1, /got one with files in it: notes; choose another name\.\n$/);
    expect(readdirSync(join(place, "kept"))).toHaveLength(5);
  });

  test("speaks to people", async () => {
    const film = await record("pole", "--out", "words.gif", "--max-steps", "3");
    expect(film.stdout).toBe("A2C on CartPole-v1: 4 frames, no whole episode, in words.gif\n");
  });

  test("writes what there is when it is interrupted", async () => {
    const args = ["record", "pole", "--episodes", "99999", "--out", "part", "--max-steps", "9999999"];
    const { child, finished } = startSoftrl(args, place);
    await eventually(() => existsSync(join(place, "part", "frame-00005.png")) || child.exitCode !== null);
    child.kill("SIGINT");
    const run = await finished;
    expect(run.code).toBe(130);
    expect(run.stderr).toMatch(/writing the film so far/);
    const names = readdirSync(join(place, "part")).sort();
    expect(names.length).toBeGreaterThan(5);
    expect(decodePng(readFileSync(join(place, "part", names[names.length - 1])))).toMatchObject({
      width: 300,
    });
  });

  test.skipIf(process.platform === "win32")(
    "keeps what there is when the environment fails, and tells the error",
    async () => {
      const run = (manner: string, ...args: string[]) =>
        softrl(args, place, { env: fakeGymnasium(place, manner) });
      const trained = await run(
        "lives",
        "train",
        "--env",
        "Fake-v0",
        "--steps",
        "40",
        "--run-folder",
        "fake",
      );
      expect(trained, trained.stderr).toMatchObject({ code: 0 });
      for (const out of ["failed.gif", "failed"]) {
        const film = await run("dies in step 6", "record", "fake", "--out", out, "--json");
        const message = new RegExp(
          `Fake-v0: .* ended during step.*the last words.* The film so far is in ${out}, 6 frames\\.\n$`,
        );
        expectRefusal(film, 1, message);
      }
      expect(decodedGif(join(place, "failed.gif")).frames).toHaveLength(6);
      const frames = readdirSync(join(place, "failed")).map((name) =>
        readFileSync(join(place, "failed", name)),
      );
      expect(frames.map((png) => decodePng(png).channels)).toEqual([3, 3, 3, 3, 3, 3]);
      // Nothing was seen yet.
      const unborn = await run("dies at start", "record", "fake", "--out", "unborn.gif");
      expectRefusal(unborn, 1, /Fake-v0: [^.]*\.\n$/);
      expect(readdirSync(place)).not.toContain("unborn.gif");
    },
  );

  test.each([
    [["nowhere"], /nowhere\/checkpoint.safetensors: the checkpoint could not be read/],
    [
      ["pole", "--out", "film.mp4"],
      /--out: film.mp4 cannot be written, expected a file that ends in .gif, or a/,
    ],
    [
      ["pole", "--out", "none/film.gif"],
      /--out: .* expected a file in an existing folder, got no folder none/,
    ],
    [["pole", "--out", "full"], /--out: full cannot be written, expected a new or empty folder/],
    [["pole", "--out", "full/file"], /--out: full\/file cannot be written, expected a folder .* got a file/],
    [["pole", "--out", "folder.gif"], /--out: folder.gif cannot be written, expected a file, got a folder/],
    [["pole", "--episodes", "0"], /--episodes: invalid value, expected an integer of at least 1, got "0"/],
    [["pole", "--max-steps", "ten"], /--max-steps: invalid value/],
    [["pole", "--scale", "0.5"], /--scale: invalid value/],
    [["pole", "--scale", "100"], /--scale: the film is too large, expected at most 4096 pixels/],
    [["pole", "--fps", "51"], /--fps: invalid value, expected an integer in \[1, 50\], got "51"/],
    [["pole", "--mode", "best"], /--mode: invalid value/],
    [["pole", "--seed", "-1"], /--seed: invalid value/],
  ])("refuses %j with one line, and writes nothing", async (args, message) => {
    mkdirSync(join(place, "full"), { recursive: true });
    mkdirSync(join(place, "folder.gif"), { recursive: true });
    writeFileSync(join(place, "full", "file"), "");
    const before = readdirSync(place);
    expectRefusal(await record(...args), 1, message);
    expect(readdirSync(place)).toEqual(before);
  });
});
