/**
 * The wire format of protocol buffers, as far as softrl writes it: what TensorBoard's events and ONNX's models are made of.
 * A library would need the schemas of both, which are larger than what is written of them.
 */

// Wire types: how long a field is.
const VARINT = 0;
const EIGHT_BYTES = 1;
const LENGTH_FIRST = 2;
const FOUR_BYTES = 5;

const key = (number: number, wireType: number): Uint8Array => varint(number * 8 + wireType);

/** Seven bits to a byte, the lowest first; the highest bit of a byte tells that more follow. */
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  // Beyond 2^32 there are no bit operations.
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** @param value a non-negative safe integer */
export const varintField = (number: number, value: number): Uint8Array =>
  concat([key(number, VARINT), varint(value)]);

export function doubleField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return concat([key(number, EIGHT_BYTES), bytes]);
}

export function floatField(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return concat([key(number, FOUR_BYTES), bytes]);
}

export const field = (number: number, bytes: Uint8Array): Uint8Array =>
  concat([key(number, LENGTH_FIRST), varint(bytes.length), bytes]);

export const textField = (number: number, content: string): Uint8Array => field(number, text(content));

export const message = (number: number, ...fields: readonly Uint8Array[]): Uint8Array =>
  field(number, concat(fields));

export const text = (content: string): Uint8Array => new TextEncoder().encode(content);

export const concat = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
