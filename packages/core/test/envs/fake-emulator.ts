import type { AtariEmulator } from "softrl";

/**
 * A fake game. Its screen shows the frame number in stripes, which reveals what frames were pooled. A life is lost
 * every 50 frames, every action except 0 scores points, and the game ends with the third life.
 */
export class FakeEmulator implements AtariEmulator {
  readonly width: number = 160;
  readonly height: number = 210;
  readonly minimalActions = [0, 1, 3, 4];
  /** All calls of reset and act, in order. */
  readonly calls: string[] = [];
  closed = 0;
  #state = Int32Array.of(0, 0, 0);

  reset(seed?: number): void {
    this.calls.push(`reset ${seed ?? "without a seed"}`);
    this.#state[0] = seed === undefined ? this.#state[0] + 1 : seed;
    this.#state[1] = 0;
  }

  act(action: number): number {
    this.calls.push(`act ${action}`);
    this.#state[1]++;
    return action * 2;
  }

  lives(): number {
    return Math.max(0, 3 - Math.floor(this.#state[1] / 50));
  }

  gameOver(): boolean {
    return this.lives() === 0;
  }

  /** Frame f of the game: stripes of 70 rows filled with f, 255 − f and the seed. */
  screenGrayInto(gray: Uint8Array): void {
    const [seed, frame] = this.#state;
    const stripe = this.width * 70;
    gray.fill(frame, 0, stripe);
    gray.fill(255 - frame, stripe, 2 * stripe);
    gray.fill(seed, 2 * stripe);
  }

  screenRgbInto(rgb: Uint8Array): void {
    rgb.fill(this.#state[1]);
  }

  save(): Uint8Array {
    return new Uint8Array(this.#state.slice().buffer);
  }

  restore(state: Uint8Array): void {
    this.#state = new Int32Array(state.slice().buffer);
  }

  close(): void {
    this.closed++;
  }
}
