import { join } from "node:path";
import { Writable } from "node:stream";
import { expect, test, vi } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { main } from "../src/index.js";

const loaded = vi.hoisted((): string[] => []);
vi.mock("linkedom", (importOriginal) => {
  loaded.push("linkedom");
  return importOriginal();
});
vi.mock("@observablehq/plot", (importOriginal) => {
  loaded.push("plot");
  return importOriginal();
});

const place = temporaryFolder("start");
const out = new Writable({ write: (_chunk, _encoding, done) => done() }) as NodeJS.WriteStream;
const command = (...args: string[]) => main(args, { out, err: out });

test("a command loads what draws figures only where it draws one", async () => {
  expect(await command("--version")).toBe(0);
  expect(await command("evaluate", join(place, "nowhere"))).toBe(1);
  expect(await command("theory")).toBe(0);
  expect(loaded).toEqual([]);
  expect(await command("train", "--steps", "40", "-o", join(place, "run"))).toBe(0);
  expect(loaded.toSorted()).toEqual(["linkedom", "plot"]);
});
