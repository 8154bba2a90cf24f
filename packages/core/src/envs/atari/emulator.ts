/**
 * An Atari 2600 as the Arcade Learning Environment has it: what a build of ALE of your own, for instance one in
 * WebAssembly, has to offer. softrl ships neither an emulator nor a game.
 *
 * The emulator must not repeat actions by itself (ALE's `repeat_action_probability` is 0): the sticky actions of a
 * protocol are drawn by {@link atariEnvironment}, since ALE's saved state leaves out the action that it repeats.
 */
export interface AtariEmulator {
  /** Pixels of a line of the screen: 160. */
  readonly width: number;
  /** Lines of the screen: 210 (PAL: 250). */
  readonly height: number;
  /** ALE's numbers of the actions that do something in this game: `getMinimalActionSet()`. */
  readonly minimalActions: readonly number[];
  /**
   * Starts a game, as ALE's `reset_game()`. With a seed, a whole number below 2³¹, the emulator's own random numbers
   * start anew, as after ALE's `setInt("random_seed", seed)` and `loadROM`.
   */
  reset(seed?: number): void;
  /** Emulates one frame with one of ALE's actions held, 0 to 17; returns the points of that frame. */
  act(action: number): number;
  /** The lives left, 0 in games without. */
  lives(): number;
  /** Whether the game has ended. */
  gameOver(): boolean;
  /** Writes the screen in grey, [height, width], by ALE's own palette: `getScreenGrayscale`. */
  screenGrayInto(gray: Uint8Array): void;
  /** Writes the screen in colours, [height, width, 3]: `getScreenRGB`. */
  screenRgbInto(rgb: Uint8Array): void;
  /** The whole state, its random numbers included: `cloneState(include_rng=True).serialize()`. */
  save(): Uint8Array;
  /** Continues, bit for bit, from what {@link save} gave. */
  restore(state: Uint8Array): void;
  /** Frees what it holds. */
  close?(): void;
}

/** ALE's actions, all 18. */
export const fullActions: readonly number[] = Array.from({ length: 18 }, (_, action) => action);
