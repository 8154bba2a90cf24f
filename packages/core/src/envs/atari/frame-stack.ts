import { requireLength } from "../../base/errors.js";
import { AreaResize } from "./area-resize.js";
import { atariSide, atariStack } from "./protocol.js";

/** Makes observations [84, 84, 4] of screens: the larger of two grey ones a pixel, shrunk, the newest last. */
export class AtariFrames {
  readonly #resize: AreaResize;
  readonly #pooled: Uint8Array;
  readonly #frame = new Uint8Array(atariSide * atariSide);

  /** @param width,height of a screen: 160 and 210. */
  constructor(width: number, height: number) {
    this.#resize = new AreaResize(width, height, atariSide, atariSide);
    this.#pooled = new Uint8Array(width * height);
  }

  /** Puts the maximum of two grey screens behind the frames of an observation; the oldest one goes. */
  push(screen: Uint8Array, other: Uint8Array, observation: Uint8Array): void {
    this.#pool(screen, other);
    requireLength("AtariFrames", "observation", observation.length, this.#frame.length * atariStack);
    // Every byte one place towards the oldest; what crosses from pixel to pixel is then written over.
    observation.copyWithin(0, 1);
    const frame = this.#frame;
    for (let pixel = 0; pixel < frame.length; pixel++) {
      observation[pixel * atariStack + atariStack - 1] = frame[pixel];
    }
  }

  /** An observation that is the maximum of two grey screens four times: how a game starts. */
  fill(screen: Uint8Array, other: Uint8Array, observation: Uint8Array): void {
    this.#pool(screen, other);
    requireLength("AtariFrames", "observation", observation.length, this.#frame.length * atariStack);
    const frame = this.#frame;
    for (let at = 0; at < observation.length; at++) observation[at] = frame[Math.floor(at / atariStack)];
  }

  #pool(screen: Uint8Array, other: Uint8Array): void {
    const pooled = this.#pooled;
    requireLength("AtariFrames", "screen", screen.length, pooled.length);
    requireLength("AtariFrames", "other", other.length, pooled.length);
    for (let at = 0; at < pooled.length; at++) {
      pooled[at] = Math.max(screen[at], other[at]);
    }
    this.#resize.into(pooled, this.#frame);
  }
}
