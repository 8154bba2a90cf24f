import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { EventTail } from "../src/watch/event-tail.js";

const place = temporaryFolder("tail");

describe("a tail of events", () => {
  const chunk = Buffer.alloc(16);

  test("gives the same lines for any size of reads", async () => {
    const path = join(place, "tail.jsonl");
    writeFileSync(path, "one\ntwo – β\n\nthree\nbegun");
    const lines: string[] = [];
    const tail = new EventTail(path, {
      line: (text) => lines.push(text),
      skipped: () => lines.push("skipped"),
      restarted: () => lines.push("restarted"),
    });
    while ((await tail.read(chunk, 3)).changed);
    expect(lines).toEqual(["one", "two – β", "", "three"]);
    appendFileSync(path, " and ended\n");
    expect(await tail.read(chunk, 1000)).toEqual({ bytes: 11, changed: true });
    expect(lines.at(-1)).toBe("begun and ended");
    expect(await tail.read(chunk, 1000)).toEqual({ bytes: 0, changed: false });
    writeFileSync(path, "short\n");
    await tail.read(chunk, 1000);
    expect(lines.slice(-2)).toEqual(["restarted", "short"]);
    rmSync(path);
    await expect(tail.read(chunk, 1000)).rejects.toThrow(/ENOENT/);
  });
});
