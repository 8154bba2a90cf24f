import { requireLength } from "../../base/errors.js";
import { AreaResize } from "./area-resize.js";
import { atariSide, atariStack } from "./protocol.js";

/** Makes observations [84, 84, 4] from grey screens: the pixelwise maximum of two, shrunk, newest last. */
export class AtariFrames {
  readonly #resize: AreaResize;
  readonly #pooled: Uint8Array;
  readonly #frame = new Uint8Array(atariSide * atariSide);

  /** @param width,height the size of a screen: 160 × 210. */
  constructor(width: number, height: number) {
    this.#resize = new AreaResize(width, height, atariSide, atariSide);
    this.#pooled = new Uint8Array(width * height);
  }

  /** Appends the maximum of two grey screens to an observation and drops its oldest frame. */
  push(screen: Uint8Array, other: Uint8Array, observation: Uint8Array): void {
    this.#pool(screen, other);
    requireLength("AtariFrames", "observation", observation.length, this.#frame.length * atariStack);
    // Shifts every byte by one; the byte that crosses into the neighbouring pixel is overwritten below.
    observation.copyWithin(0, 1);
    const frame = this.#frame;
    for (let pixel = 0; pixel < frame.length; pixel++) {
      observation[pixel * atariStack + atariStack - 1] = frame[pixel];
    }
  }

  /** Fills an observation with four copies of the maximum of two grey screens, as at the start of a game. */
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
