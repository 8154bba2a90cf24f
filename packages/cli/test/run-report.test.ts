import { trainConfig } from "softrl";
import { expect, test } from "vitest";
import { environmentPlayed, environmentTitle, notStarted } from "../src/runs/run-report.js";

test("results of Atari name the protocol that was played by, others none", () => {
  const pong = trainConfig({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
  expect(environmentPlayed(pong)).toEqual({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
  expect(environmentTitle(pong)).toBe("ALE/Pong-v5 (sticky)");
  expect(notStarted(pong)).toMatchObject({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
  const pole = trainConfig({ environment: "CartPole-v1" });
  expect(environmentPlayed(pole)).toEqual({ environment: "CartPole-v1" });
  expect(environmentTitle(pole)).toBe("CartPole-v1");
});
