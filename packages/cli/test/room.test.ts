import { expect, test } from "vitest";
import { Room } from "../src/queue/room.js";

const never = new AbortController().signal;
/** Lets what was resolved go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a room lets in what it has room for, in order, and one that is too heavy alone", async () => {
  const room = new Room(3);
  const inside: string[] = [];
  const enter = async (name: string, weight: number, stop = never) => {
    const leave = await room.enter(weight, stop);
    if (leave === null) return;
    inside.push(name);
    leaves.set(name, () => {
      inside.splice(inside.indexOf(name), 1);
      leave();
    });
  };
  const leaves = new Map<string, () => void>();
  const stop = new AbortController();
  for (const [name, weight] of [
    ["a", 2],
    ["b", 2],
    ["c", 1],
  ] as const)
    void enter(name, weight);
  void enter("gone", 1, stop.signal);
  void enter("huge", 9);
  await turn();
  // A light one does not pass a heavy one.
  expect([inside, room.left]).toEqual([["a"], 1]);
  stop.abort();
  leaves.get("a")?.();
  await turn();
  expect([inside, room.left]).toEqual([["b", "c"], 0]);
  leaves.get("b")?.();
  await turn();
  expect(inside).toEqual(["c"]);
  leaves.get("c")?.();
  await turn();
  expect([inside, room.left]).toEqual([["huge"], 0]);
  leaves.get("huge")?.();
  expect(room.left).toBe(3);
  expect(await room.enter(1, stop.signal)).toBeNull();
});
