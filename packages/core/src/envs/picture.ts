import { fail } from "../base/errors.js";
import { Canvas, type Picture } from "./canvas.js";
import type { Observations, VectorEnvironment } from "./environment.js";
import { type Box, describeSpace, type Space } from "./spaces.js";

/**
 * The current state of environment i, drawn by the environment's own `paint` or else from the numbers of its
 * observation ({@link observationPicture}). After a step that ended an episode, this is the first state of the next
 * one.
 */
export function picture(environment: VectorEnvironment, i: number): Picture {
  return draw(environment, environment.observations, i);
}

/** The last state of the episode that just ended in environment i; valid wherever `finalObservations` is. */
export function finalPicture(environment: VectorEnvironment, i: number): Picture {
  return draw(environment, environment.finalObservations, i);
}

function draw(environment: VectorEnvironment, all: Observations, i: number): Picture {
  const { id, size, observationSpace } = environment;
  if (!(Number.isInteger(i) && i >= 0 && i < size)) {
    fail("picture", `${id} has no such environment`, {
      expected: `an integer in [0, ${size - 1}]`,
      got: String(i),
    });
  }
  const width = all.length / size;
  const observation = all.subarray(i * width, (i + 1) * width);
  return environment.paint?.(observation) ?? observationPicture(observationSpace, observation);
}

/**
 * Draws any observation. [height, width, 3] is an image in colour. Any other [height, width, channels] is a stack of
 * grey frames, of which the last channel, the newest, is drawn. Anything else becomes a bar chart: one bar per number,
 * upwards if it is positive and downwards if it is negative.
 * @throws SoftrlError for a discrete space or an observation of the wrong length.
 */
export function observationPicture(space: Space, observation: Observations): Picture {
  if (space.kind === "discrete") {
    return fail("observationPicture", "a discrete space is not an array of numbers", {
      expected: "a box",
      got: describeSpace(space),
    });
  }
  const length = space.shape.reduce((product, size) => product * size, 1);
  if (observation.length !== length) {
    fail("observationPicture", "the observation has the wrong length", {
      expected: String(length),
      got: String(observation.length),
    });
  }
  return space.shape.length === 3 ? frame(space, observation) : bars(space, observation);
}

function frame(space: Box, observation: Observations): Picture {
  const [height, width, channels] = space.shape;
  const pixels = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let colour = 0; colour < 3; colour++) {
      const from = at * channels + (channels === 3 ? colour : channels - 1);
      const low = boundAt(space.low, from);
      const part = (observation[from] - low) / (boundAt(space.high, from) - low);
      pixels[at * 3 + colour] = Math.round(255 * Math.min(1, Math.max(0, part)));
    }
  }
  return { width, height, pixels };
}

function bars(space: Box, observation: Observations): Picture {
  const barWidth = Math.max(2, Math.min(24, Math.floor(320 / observation.length)));
  const middle = 80;
  const canvas = new Canvas(barWidth * observation.length, 2 * middle);
  for (let k = 0; k < observation.length; k++) {
    const x = observation[k];
    const bound = Math.max(Math.abs(boundAt(space.low, k)), Math.abs(boundAt(space.high, k)));
    // Numbers with wide or no bounds are squashed, so that they stay within the picture.
    const part = bound <= 100 ? x / bound : x / (1 + Math.abs(x));
    const height = Math.abs(part) * (middle - 4);
    canvas.rectangle(k * barWidth, part > 0 ? middle - height : middle, barWidth - 1, height, 0x3b6ea8);
  }
  canvas.rectangle(0, middle, canvas.width, 1, 0x9aa1ab);
  return canvas;
}

const boundAt = (bound: number | readonly number[], i: number): number =>
  typeof bound === "number" ? bound : bound[i];
