import { mkdirSync, readdirSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { requireFree, writeTogether } from "../src/files/out-file.js";

const disk = vi.hoisted(() => ({ hasLinks: true }));

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  return {
    ...fs,
    linkSync: (from: string, to: string) => {
      if (!disk.hasLinks) throw Object.assign(new Error("EPERM: the disk has no links"), { code: "EPERM" });
      fs.linkSync(from, to);
    },
  };
});

afterEach(() => {
  disk.hasLinks = true;
});

const place = temporaryFolderPerTest("out");

describe("writeTogether", () => {
  const pair = () => [join(place, "a"), join(place, "b")];
  const write = (files: readonly number[], text: string) => {
    for (const file of files) writeSync(file, text);
  };
  const contents = (paths: readonly string[]) => paths.map((path) => readFileSync(path, "utf8"));

  test("writes into files of its own, whoever else writes the same ones", () => {
    const paths = pair();
    writeTogether(paths, true, (outer) => {
      write(outer, "be");
      writeTogether(paths, true, (inner) => write(inner, "whole"));
      expect(contents(paths)).toEqual(["whole", "whole"]);
      write(outer, "gun");
    });
    expect(contents(paths)).toEqual(["begun", "begun"]);
    expect(readdirSync(place).sort()).toEqual(["a", "b"]);
  });

  test.each([true, false])(
    "takes names that are free, of which there is one of each (links: %s)",
    (hasLinks) => {
      disk.hasLinks = hasLinks;
      const paths = pair();
      const refused = /--out: \S+b already exists; choose another name, or pass --overwrite/;
      const writeBoth = () =>
        writeTogether(paths, false, (outer) => {
          write(outer, "second");
          for (const path of paths) requireFree(path, false);
          writeTogether(paths, false, (inner) => write(inner, "first"));
        });
      expect(writeBoth).toThrow(refused);
      expect(contents(paths)).toEqual(["first", "first"]);
      expect(readdirSync(place).sort()).toEqual(["a", "b"]);
    },
  );

  test("leaves nothing of its own where one of several names is taken", () => {
    const [a, b] = pair();
    expect(() => writeTogether([a, b], false, () => writeFileSync(a, "of another"))).toThrow(
      /a already exists/,
    );
    expect(readdirSync(place)).toEqual(["a"]);
    expect(readFileSync(a, "utf8")).toBe("of another");
  });

  test.each(["a", "b"])("leaves nothing new where a folder is in the place of %s", (taken) => {
    mkdirSync(join(place, taken));
    expect(() => writeTogether(pair(), true, () => {})).toThrow(/cannot be replaced by a file, got a folder/);
    expect(readdirSync(place)).toEqual([taken]);
  });
});
