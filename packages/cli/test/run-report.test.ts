import { builtInKinds, createReferenceExecutor, runConfig } from "softrl";
import { expect, test } from "vitest";
import { environmentPlayed, environmentTitle, notStarted } from "../src/runs/run-report.js";

const config = (environment: string, settings: Record<string, unknown> = {}) =>
  runConfig({
    kinds: {
      algorithm: builtInKinds.algorithm[0],
      network: builtInKinds.network[0],
      optimiser: builtInKinds.optimiser[0],
    },
    environment,
    executor: createReferenceExecutor(),
    chosen: { environment: settings },
  });

test("results of Atari name the protocol that was played by, others none", () => {
  const pong = config("ALE/Pong-v5", { atariProtocol: "sticky" });
  expect(environmentPlayed(pong)).toEqual({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
  expect(environmentTitle(pong)).toBe("ALE/Pong-v5 (sticky)");
  expect(notStarted(pong)).toMatchObject({ environment: "ALE/Pong-v5", atariProtocol: "sticky" });
  const pole = config("CartPole-v1");
  expect(environmentPlayed(pole)).toEqual({ environment: "CartPole-v1" });
  expect(environmentTitle(pole)).toBe("CartPole-v1");
});
