/** How generated JavaScript reads a tensor: an expression for the element at a row-major index. */

/** Gives the expression for the element at `index`, which is itself an expression. */
export type Read = (index: string) => string;

/** The elements of a named array. */
export const elementOf =
  (array: string): Read =>
  (index) =>
    `${array}[${index}]`;

/**
 * A view of a tensor: element (i₀, i₁, …) of `shape` is at offset + Σ iₐ · strides[a] of what `read` reads. Broadcasting,
 * transposition and slices are views, so that the generated code copies nothing for them.
 */
export function viewOf(read: Read, shape: readonly number[], strides: readonly number[], offset = 0): Read {
  return (index) => read(viewIndex(index, shape, strides, offset));
}

/** The index into what a view is of; see {@link viewOf}. */
export function viewIndex(
  index: string,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): string {
  const terms: string[] = offset === 0 ? [] : [String(offset)];
  const axes = mergedAxes(shape, strides);
  const size = shape.reduce((product, length) => product * length, 1);
  for (const { length, step, stride } of axes) {
    if (stride === 0) continue;
    const divided = step === 1 ? atom(index) : `(${atom(index)} / ${step} | 0)`;
    const position = length * step === size ? divided : `${divided} % ${length}`;
    terms.push(stride === 1 ? position : `${atom(position)} * ${stride}`);
  }
  return terms.length === 0 ? "0" : terms.join(" + ");
}

/** An expression in parentheses, unless it is a name or a number. */
const atom = (expression: string): string => (/^\w+$/.test(expression) ? expression : `(${expression})`);

interface Axis {
  readonly length: number;
  /** Elements of the view for one step along the axis. */
  readonly step: number;
  readonly stride: number;
}

/** The axes of a view without those of length 1, and with neighbours joined that are one contiguous axis. */
function mergedAxes(shape: readonly number[], strides: readonly number[]): readonly Axis[] {
  const merged: Axis[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const length = shape[axis];
    if (length === 1) continue;
    const inner = merged[0];
    if (inner !== undefined && strides[axis] === inner.stride * inner.length) {
      merged[0] = { ...inner, length: inner.length * length };
    } else merged.unshift({ length, step, stride: strides[axis] });
    step *= length;
  }
  return merged;
}
