import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { encode as encodePng } from "fast-png";
import { type Picture, SoftrlError } from "softrl";
import { requireFree, takenFault, writeOut } from "../files/out-file.js";
import { codeOf, quietly } from "../files/regular-file.js";
import { outFault } from "../files/write-fault.js";

type Colour = readonly number[];

/** The part of gifenc that is used here; the package has no types. */
interface Gifenc {
  GIFEncoder(): GifEncoder;
  quantize(rgba: Uint8Array, colours: number): readonly Colour[];
  applyPalette(rgba: Uint8Array, palette: readonly Colour[]): Uint8Array;
}

interface GifEncoder {
  writeFrame(indices: Uint8Array, width: number, height: number, options: GifFrameOptions): void;
  finish(): void;
  bytes(): Uint8Array;
}

interface GifFrameOptions {
  readonly palette: readonly Colour[];
  readonly transparent: boolean;
  readonly transparentIndex: number;
  /** Milliseconds. */
  readonly delay: number;
  /** What a viewer does with the frame before the next one; 1 leaves it. */
  readonly dispose: number;
}

// Node and bundlers disagree about the default export of this CommonJS package; a require means one thing.
const gifenc: Gifenc = createRequire(import.meta.url)("gifenc");

/** Pictures that become a file or a folder of files. */
export interface Film {
  /** Pictures so far. */
  readonly frames: number;
  /** Pixels of a picture as it is written; null before the first. */
  readonly size: { readonly width: number; readonly height: number } | null;
  /** @throws SoftrlError for a picture of another size than the first. */
  add(picture: Picture): Promise<void>;
  /** Writes what is not yet written. */
  finish(): Promise<void>;
}

/** An error that ended a film, and what became of what was recorded until then. */
export class FailedFilm extends Error {
  /** In a sentence. */
  readonly kept: string;

  constructor(kept: string, cause: unknown) {
    super("the film failed", { cause });
    this.kept = kept;
  }
}

export interface FilmOptions {
  /** Where it goes: a file that ends in .gif, or a folder for PNG frames. */
  readonly out: string;
  /** Pixels a side for each pixel of a picture. */
  readonly scale: number;
  /** Pictures a second, 1 to 50: a GIF counts in hundredths of a second. */
  readonly fps: number;
  /** Whether it may take the place of an earlier film; false. */
  readonly overwrite?: boolean;
}

const LONGEST_SIDE = 4096;

/**
 * A film at `out`, which is looked at now: a film that cannot be written must not be played first.
 * @throws SoftrlError where nothing can be written there.
 */
export function openFilm(options: FilmOptions): Film {
  const { out, overwrite = false } = options;
  const extension = extname(out).toLowerCase();
  if (extension === ".gif") {
    if (existsSync(out)) {
      if (!statSync(out).isFile()) refuseOut(out, "a file", "a folder");
      requireFree(out, overwrite);
    }
    const folder = dirname(out);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      refuseOut(out, "a file in an existing folder", `no folder ${folder}`);
    }
    return new GifFilm(options);
  }
  if (extension !== "" && !statSync(out, { throwIfNoEntry: false })?.isDirectory()) {
    refuseOut(out, "a file that ends in .gif, or a folder for PNG frames", JSON.stringify(out));
  }
  if (existsSync(out)) {
    if (!statSync(out).isDirectory()) refuseOut(out, "a folder for PNG frames", "a file");
    const strange = readdirSync(out).filter((name) => !(overwrite && FRAME.test(name)));
    if (strange.length > 0) {
      if (strange.every((name) => FRAME.test(name))) throw takenFault(out);
      const files = `one with files in it: ${strange.slice(0, 3).join(", ")}`;
      refuseOut(out, "a new or empty folder", files, "choose another name");
    }
  }
  return new PngFrames(options);
}

function refuseOut(out: string, expected: string, got: string, remedy?: string): never {
  const details = { expected, got, ...(remedy === undefined ? {} : { remedy }) };
  throw new SoftrlError("--out", `${out} cannot be written`, details);
}

/** Checks the sizes and enlarges the pictures. */
abstract class Frames implements Film {
  protected readonly options: FilmOptions;
  size: Film["size"] = null;
  frames = 0;

  constructor(options: FilmOptions) {
    this.options = options;
  }

  async add(picture: Picture): Promise<void> {
    const { scale } = this.options;
    const size = { width: picture.width * scale, height: picture.height * scale };
    this.size ??= size;
    if (Math.max(size.width, size.height) > LONGEST_SIDE) {
      throw new SoftrlError("--scale", "the film is too large", {
        expected: `at most ${LONGEST_SIDE} pixels a side`,
        got: `${size.width} × ${size.height}`,
      });
    }
    if (size.width !== this.size.width || size.height !== this.size.height) {
      throw new SoftrlError("record", "the environment's pictures differ in size", {
        expected: `${this.size.width} × ${this.size.height}`,
        got: `${size.width} × ${size.height}`,
      });
    }
    await this.keep(size.width, size.height, picture);
    this.frames++;
  }

  protected abstract keep(width: number, height: number, picture: Picture): void | Promise<void>;
  abstract finish(): Promise<void>;
}

/** A frame of a GIF holds only what differs from the one before; the rest is transparent. */
class GifFilm extends Frames {
  readonly #encoder = gifenc.GIFEncoder();
  /** The frame before, 0xrrggbb. */
  #before: Uint32Array | null = null;

  protected keep(width: number, height: number, picture: Picture): void {
    const colours = new Uint32Array(width * height);
    enlarge(picture, this.options.scale, (at, colour) => {
      colours[at] = colour;
    });
    const { indices, palette } = indexed(colours, this.#before);
    const delay = 10 * Math.round(100 / this.options.fps);
    const transparent = this.#before !== null;
    const how = { palette, transparent, transparentIndex: 0, delay, dispose: 1 };
    this.#encoder.writeFrame(indices, width, height, how);
    this.#before = colours;
  }

  async finish(): Promise<void> {
    if (this.frames === 0) return;
    this.#encoder.finish();
    const bytes = this.#encoder.bytes();
    const { out, overwrite = false } = this.options;
    written(out, () => writeOut(out, overwrite, bytes));
  }
}

/** The files of a film in PNG frames. */
const FRAME = /^frame-\d{5,}\.png$/;

class PngFrames extends Frames {
  protected keep(width: number, height: number, picture: Picture): void {
    const { out, scale, overwrite = false } = this.options;
    const data = new Uint8Array(width * height * 3);
    enlarge(picture, scale, (at, colour) => {
      data[at * 3] = colour >> 16;
      data[at * 3 + 1] = colour >> 8;
      data[at * 3 + 2] = colour;
    });
    const name = `frame-${String(this.frames).padStart(5, "0")}.png`;
    written(out, () => {
      if (this.frames === 0) {
        mkdirSync(out, { recursive: true });
        // The earlier film may be longer.
        if (overwrite)
          for (const old of readdirSync(out).filter((file) => FRAME.test(file))) rmSync(join(out, old));
      }
      writeNew(join(out, name), encodePng({ width, height, data, channels: 3 }));
    });
  }

  async finish(): Promise<void> {}
}

/** Writes a file that is not there yet, whole or not at all. */
function writeNew(path: string, bytes: Uint8Array): void {
  try {
    // Exclusive: a link in its place is not followed.
    writeFileSync(path, bytes, { flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") quietly(rmSync, path, { force: true });
    throw error;
  }
}

function written(out: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw outFault(out, error);
  }
}

/** Gives every pixel of the enlarged picture, from the upper left on, with its colour 0xrrggbb. */
function enlarge(
  { width, height, pixels }: Picture,
  scale: number,
  take: (at: number, colour: number) => void,
): void {
  let at = 0;
  for (let y = 0; y < height * scale; y++) {
    const line = Math.floor(y / scale) * width;
    for (let x = 0; x < width * scale; x++) {
      const from = (line + Math.floor(x / scale)) * 3;
      take(at++, (pixels[from] << 16) | (pixels[from + 1] << 8) | pixels[from + 2]);
    }
  }
}

const rgb = (colour: number): Colour => [colour >> 16, (colour >> 8) & 255, colour & 255];

/** A GIF's palette has 256 places; the first is for what has not changed. */
const MOST_COLOURS = 255;

/** A frame as places of a palette: exact up to 255 colours, else the nearest of 255. */
function indexed(
  colours: Uint32Array,
  before: Uint32Array | null,
): { indices: Uint8Array; palette: readonly Colour[] } {
  const indices = new Uint8Array(colours.length);
  const places = new Map<number, number>();
  for (let at = 0; at < colours.length; at++) {
    const colour = colours[at];
    if (before !== null && before[at] === colour) continue;
    let place = places.get(colour);
    if (place === undefined) {
      if (places.size === MOST_COLOURS) return nearest(colours, before);
      place = places.size + 1;
      places.set(colour, place);
    }
    indices[at] = place;
  }
  return { indices, palette: [[0, 0, 0], ...Array.from(places.keys(), rgb)] };
}

function nearest(
  colours: Uint32Array,
  before: Uint32Array | null,
): { indices: Uint8Array; palette: readonly Colour[] } {
  const rgba = new Uint8Array(colours.length * 4).fill(255);
  for (let at = 0; at < colours.length; at++) rgba.set(rgb(colours[at]), at * 4);
  const palette = gifenc.quantize(rgba, MOST_COLOURS);
  const indices = gifenc.applyPalette(rgba, palette);
  for (let at = 0; at < colours.length; at++) {
    indices[at] = before !== null && before[at] === colours[at] ? 0 : indices[at] + 1;
  }
  return { indices, palette: [[0, 0, 0], ...palette] };
}
