import { spawnSync } from "node:child_process";
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { makeFolders } from "../src/files/make-folders.js";
import { readLines, readRegular, replaceFile } from "../src/files/regular-file.js";

const place = temporaryFolderPerTest("regular");

describe("readRegular", () => {
  test("reads regular files, up to a size that is checked before", () => {
    const path = join(place, "file");
    writeFileSync(path, "text");
    expect(readRegular(path, 4).toString()).toBe("text");
    truncateSync(path, 2 ** 40);
    expect(() => readRegular(path, 2 ** 20)).toThrow(
      /file: the file is too large, expected at most 1 MiB, got 1048576 MiB/,
    );
  });

  test.skipIf(process.platform === "win32")("waits for nothing and follows nothing", () => {
    const path = join(place, "file");
    const refuses = (kind: RegExp) => {
      expect(() => readRegular(path, 2 ** 20)).toThrow(/file: not a regular file, got/);
      expect(() => readRegular(path, 2 ** 20)).toThrow(kind);
      rmSync(path, { recursive: true });
    };
    symlinkSync("/etc/hostname", path);
    refuses(/a symbolic link; put the file itself in its place/);
    symlinkSync("/dev/zero", path);
    refuses(/a symbolic link/);
    spawnSync("mkfifo", [path]);
    refuses(/a named pipe/);
    mkdirSync(path);
    refuses(/a folder/);
    expect(() => readRegular("/dev/zero", 2 ** 20)).toThrow(/a device/);
  });
});

describe("replaceFile", () => {
  test.skipIf(process.platform === "win32")("replaces links, and never what they name", () => {
    const elsewhere = join(place, "elsewhere");
    writeFileSync(elsewhere, "precious");
    mkdirSync(join(place, "run"));
    const path = join(place, "run", "file");
    for (const link of [symlinkSync, linkSync]) {
      link(elsewhere, path);
      link(elsewhere, join(place, "run", ".file.unfinished"));
      replaceFile(path, "new");
      expect(readFileSync(path, "utf8")).toBe("new");
      expect(lstatSync(path).isFile()).toBe(true);
      expect(readFileSync(elsewhere, "utf8")).toBe("precious");
      expect(readdirSync(join(place, "run"))).toEqual(["file"]);
      rmSync(path);
    }
  });
});

test("readLines gives whole lines of any length, and where they end", () => {
  const path = join(place, "lines");
  const lines = ["a", "", "ä".repeat(700_000), "b"];
  writeFileSync(path, `${lines.join("\n")}\nhalf`);
  const file = openSync(path, "r");
  const found: string[] = [];
  let end = 0;
  readLines(path, file, 2 ** 22, (line, next) => {
    found.push(line);
    end = next;
    return true;
  });
  expect(found).toEqual(lines);
  expect(end).toBe(Buffer.byteLength(`${lines.join("\n")}\n`));
  expect(() => readLines(path, file, 1000, () => true)).toThrow(/lines: a line is too long/);
  closeSync(file);
});

test("makeFolders makes what is missing, and nothing where it fails", () => {
  makeFolders(join(place, "a", "b"));
  makeFolders(join(place, "a", "b"));
  expect(readdirSync(join(place, "a"))).toEqual(["b"]);
  writeFileSync(join(place, "file"), "");
  expect(() => makeFolders(join(place, "file", "c"))).toThrow();
  expect(() => makeFolders(join(place, "x", "y".repeat(300)))).toThrow(/ENAMETOOLONG/);
  expect(readdirSync(place).sort()).toEqual(["a", "file"]);
});
