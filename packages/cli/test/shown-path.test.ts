import { expect, test } from "vitest";
import { pathArgument, shownPath } from "../src/terminal/shown-path.js";

test("a path is shown on one line, without terminal commands", () => {
  expect(shownPath("runs/bad\n\u001b[31mred\u0007")).toBe("runs/bad red");
  expect(shownPath("runs/CartPole-v1-seed1-a2c")).toBe("runs/CartPole-v1-seed1-a2c");
});

test("a path in a command is in quotes where a shell would split or expand it", () => {
  expect(pathArgument("runs/CartPole-v1-seed1-a2c")).toBe("runs/CartPole-v1-seed1-a2c");
  expect(pathArgument("Läufe/1")).toBe("Läufe/1");
  expect(pathArgument("my runs/$1")).toBe("'my runs/$1'");
  expect(pathArgument("it's")).toBe("'it'\\''s'");
  expect(pathArgument("")).toBe("''");
});
