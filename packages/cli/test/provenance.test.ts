import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolderPerTest } from "../../../test/temporary-folder.js";
import { commitOf, provenance } from "../src/runs/provenance.js";

const place = temporaryFolderPerTest("provenance");

function git(...args: string[]): string {
  const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  return execFileSync("git", [...author, ...args], { cwd: place, encoding: "utf8", stdio: "pipe" }).trim();
}

test("the commit is that of the checkout that the package is part of", () => {
  const folder = join(place, "packages", "cli");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "file"), "1");
  expect(commitOf(folder)).toBeNull();
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "one");
  const commit = git("rev-parse", "HEAD");
  expect(commit).toMatch(/^[0-9a-f]{40}$/);
  expect(commitOf(folder)).toBe(commit);
  writeFileSync(join(folder, "file"), "2");
  expect(commitOf(folder)).toBe(`${commit}-dirty`);
});

test("a package installed into another project has no commit of that project", () => {
  const folder = join(place, "node_modules", "@softrl", "cli");
  mkdirSync(folder, { recursive: true });
  git("init", "-q");
  git("commit", "-qm", "one", "--allow-empty");
  expect(commitOf(folder)).toBeNull();
});

test("the host is this machine, as plain data", () => {
  const { host } = provenance();
  expect(host).toEqual(JSON.parse(JSON.stringify(host)));
  expect(host).toMatchObject({
    platform: `${process.platform} ${process.arch}`,
    runtime: `node ${process.versions.node}`,
  });
  expect(host?.cores).toBeGreaterThan(0);
  expect(host?.cpu).not.toBe("");
});
