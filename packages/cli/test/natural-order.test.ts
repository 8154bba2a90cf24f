import { expect, test } from "vitest";
import { naturalOrder } from "../src/files/natural-order.js";

test("names are ordered by the numbers in them, and every order of the same names gives the same", () => {
  const sorted = [
    "1",
    "01",
    "2 steps",
    "10 steps",
    "a",
    "a10",
    "a-2",
    "a-10",
    "a-10-3",
    "a-10-20",
    "b-9007199254740993",
    "b-9007199254740994",
  ];
  expect([...sorted].reverse().sort(naturalOrder)).toEqual(["01", "1", ...sorted.slice(2)]);
  expect([...sorted].sort(naturalOrder)).toEqual(["01", "1", ...sorted.slice(2)]);
});
