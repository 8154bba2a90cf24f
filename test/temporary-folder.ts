import { randomUUID } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";

/** The path of a folder that exists while the tests of the calling file, or of the calling `describe`, run. */
export function temporaryFolder(name: string): string {
  const path = pathOf(name);
  beforeAll(() => make(path));
  afterAll(() => remove(path));
  return path;
}

/** The path of a folder that each test finds empty. */
export function temporaryFolderPerTest(name: string): string {
  const path = pathOf(name);
  beforeEach(() => make(path));
  afterEach(() => remove(path));
  return path;
}

const pathOf = (name: string): string => join(tmpdir(), `softrl-${name}-${randomUUID().slice(0, 8)}`);

function make(path: string): void {
  mkdirSync(path, { mode: 0o700 });
}

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
