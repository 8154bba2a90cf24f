import { requireInteger } from "../base/errors.js";

/** An RGB image, to show in a page, a GIF or a terminal. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3]: red, green and blue; row 0 is the top row. */
  readonly pixels: Uint8Array;
}

/** A picture as a page draws it: `new ImageData(rgba, width, height)`. */
export interface RgbaPicture {
  readonly width: number;
  readonly height: number;
  /** [height, width, 4]: red, green, blue and opacity; row 0 is the top row. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

/** The picture with every pixel opaque. */
export function rgbaPicture({ width, height, pixels }: Picture): RgbaPicture {
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let from = 0, to = 0; to < rgba.length; from += 3, to += 4) {
    rgba[to] = pixels[from];
    rgba[to + 1] = pixels[from + 1];
    rgba[to + 2] = pixels[from + 2];
    rgba[to + 3] = 255;
  }
  return { width, height, rgba };
}

/**
 * A picture to draw on. Colours are 0xrrggbb. Coordinates are in pixels: x grows to the right, y downwards. Anything
 * outside the picture is clipped.
 */
export class Canvas implements Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;

  constructor(width: number, height: number, background = 0xffffff) {
    requireInteger("Canvas", "width", width, 1);
    requireInteger("Canvas", "height", height, 1);
    this.width = width;
    this.height = height;
    this.pixels = new Uint8Array(width * height * 3);
    this.rectangle(0, 0, width, height, background);
  }

  /** A filled rectangle; (x, y) is its upper left corner. */
  rectangle(x: number, y: number, width: number, height: number, colour: number): void {
    const [left, top] = [Math.max(0, Math.round(x)), Math.max(0, Math.round(y))];
    const right = Math.min(this.width, Math.round(x + width));
    const bottom = Math.min(this.height, Math.round(y + height));
    if (!(left < right && top < bottom)) return;
    for (let column = left; column < right; column++) this.#dot(column, top, colour);
    // All other rows are copies of the first.
    const at = (row: number) => (row * this.width + left) * 3;
    const bytes = (right - left) * 3;
    for (let row = top + 1; row < bottom; row++) {
      this.pixels.copyWithin(at(row), at(top), at(top) + bytes);
    }
  }

  /** A filled circle. */
  disc(x: number, y: number, radius: number, colour: number): void {
    this.line(x, y, x, y, 2 * radius, colour);
  }

  /** A straight line with round ends: every pixel whose centre is at most thickness / 2 away from it. */
  line(x0: number, y0: number, x1: number, y1: number, thickness: number, colour: number): void {
    const reach = thickness / 2;
    const alongX = x1 - x0;
    const alongY = y1 - y0;
    const square = alongX * alongX + alongY * alongY;
    const right = Math.min(this.width - 1, Math.ceil(Math.max(x0, x1) + reach));
    const bottom = Math.min(this.height - 1, Math.ceil(Math.max(y0, y1) + reach));
    for (let row = Math.max(0, Math.floor(Math.min(y0, y1) - reach)); row <= bottom; row++) {
      for (let column = Math.max(0, Math.floor(Math.min(x0, x1) - reach)); column <= right; column++) {
        const x = column + 0.5 - x0;
        const y = row + 0.5 - y0;
        const nearest = square === 0 ? 0 : Math.min(1, Math.max(0, (x * alongX + y * alongY) / square));
        const farX = x - nearest * alongX;
        const farY = y - nearest * alongY;
        if (farX * farX + farY * farY <= reach * reach) this.#dot(column, row, colour);
      }
    }
  }

  #dot(column: number, row: number, colour: number): void {
    const at = (row * this.width + column) * 3;
    this.pixels[at] = colour >> 16;
    this.pixels[at + 1] = colour >> 8;
    this.pixels[at + 2] = colour;
  }
}

/** The side of a grid cell in pixels, including the line between cells. */
export const gridCell = 32;

/** A grid of coloured cells with thin lines between them; `colours` is [rows, columns]. */
export function gridCanvas(rows: number, columns: number, colours: ArrayLike<number>): Canvas {
  const canvas = new Canvas(columns * gridCell, rows * gridCell, 0xc9ced6);
  for (let cell = 0; cell < rows * columns; cell++) {
    const x = (cell % columns) * gridCell;
    const y = Math.floor(cell / columns) * gridCell;
    canvas.rectangle(x + 1, y + 1, gridCell - 2, gridCell - 2, colours[cell]);
  }
  return canvas;
}

/** Draws the agent as a disc in the middle of a grid cell. */
export function drawAgent(canvas: Canvas, row: number, column: number, colour = 0xf08c2e): void {
  canvas.disc((column + 0.5) * gridCell, (row + 0.5) * gridCell, gridCell * 0.3, colour);
}
