import { place } from "./drawn.js";

/** A vector in the coordinates of a picture, y downwards. */
export interface Offset {
  readonly x: number;
  readonly y: number;
}

/** Shorter vectors have no direction that one could see; a dot stands for them. */
const SHORTEST = 1.5;

/**
 * The path of an arrow: its line and the two strokes of its head, which shrinks with a short arrow; a dot where it has no
 * length.
 */
export function arrowPath(from: Offset, { x, y }: Offset, head = 9): string {
  const length = Math.hypot(x, y);
  const start = `M${place(from.x)} ${place(from.y)}`;
  if (!(length >= SHORTEST)) return `${start}h0`;
  const tip = { x: from.x + x, y: from.y + y };
  const size = Math.min(head, length * 0.6) / length;
  const side = (turn: number) => {
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    return `${place(tip.x - size * (x * cos - y * sin))} ${place(tip.y - size * (x * sin + y * cos))}`;
  };
  const end = `${place(tip.x)} ${place(tip.y)}`;
  return `${start}L${end}M${side(0.55)}L${end}L${side(-0.55)}`;
}
