/**
 * The interface to an Atari 2600 emulator, modelled on the Arcade Learning Environment. Implement it for your own build
 * of ALE, for instance one in WebAssembly; softrl includes neither an emulator nor a game.
 *
 * Set ALE's `repeat_action_probability` to 0: {@link atariEnvironment} draws the sticky actions itself, because ALE's
 * saved state does not include the action that it repeats.
 */
export interface AtariEmulator {
  /** Width of the screen in pixels: 160. */
  readonly width: number;
  /** Height of the screen in pixels: 210 (PAL: 250). */
  readonly height: number;
  /** ALE's numbers of the actions that have an effect in this game: `getMinimalActionSet()`. */
  readonly minimalActions: readonly number[];
  /**
   * Starts a game, like ALE's `reset_game()`. A seed, a non-negative integer below 2³¹, also reseeds the emulator, like
   * ALE's `setInt("random_seed", seed)` followed by `loadROM`.
   */
  reset(seed?: number): void;
  /** Emulates one frame with one of ALE's actions, 0 to 17; returns the points scored in that frame. */
  act(action: number): number;
  /** The remaining lives; 0 in games without lives. */
  lives(): number;
  /** Whether the game has ended. */
  gameOver(): boolean;
  /** Writes the grey screen, [height, width], in ALE's palette: `getScreenGrayscale`. */
  screenGrayInto(gray: Uint8Array): void;
  /** Writes the screen in colour, [height, width, 3]: `getScreenRGB`. */
  screenRgbInto(rgb: Uint8Array): void;
  /** The whole state, including the random generator: `cloneState(include_rng=True).serialize()`. */
  save(): Uint8Array;
  /** Restores a state from {@link save}, so that the game continues bit for bit. */
  restore(state: Uint8Array): void;
  /** Frees the emulator's memory. */
  close?(): void;
}

/** All 18 actions of ALE. */
export const fullActions: readonly number[] = Array.from({ length: 18 }, (_, action) => action);
