/**
 * The part of TensorBoard's event files that softrl writes: TFRecord framing, CRC-32C, and the protocol buffers of
 * `tensorboard/compat/proto/{event,summary,tensor}.proto` and `tensorboard/plugins/hparams/plugin_data.proto`. The
 * packages that npm has for TFRecords do not write events, and TensorFlow itself takes hundreds of megabytes.
 */

import { concat, doubleField, field, floatField, message, text, varintField } from "../files/protobuf.js";

/** A value under a tag: a point of a curve. TensorBoard keeps it in float32. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

/** A hyper-parameter as TensorBoard's table shows it. */
export type HyperParameter = number | string | boolean;

/** A picture in a file format that browsers show; an animated GIF is shown as an animation. */
export interface EncodedImage {
  readonly tag: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** The first record of an event file: the version of its format. */
export const versionRecord = (wallTime: number): Uint8Array =>
  record(wallTime, 0, field(3, text("brain.Event:2")));

/** Readers drop what they know of this run from this step on: `SessionLog.START`. */
export const startRecord = (wallTime: number, step: number): Uint8Array =>
  record(wallTime, step, message(7, varintField(1, SESSION_START)));

/** Values of one step. */
export const scalarsRecord = (wallTime: number, step: number, scalars: readonly Scalar[]): Uint8Array =>
  summaryRecord(
    wallTime,
    step,
    scalars.map(({ tag, value }) => concat([field(1, text(tag)), floatField(2, value)])),
  );

/** A picture of one step. */
export const imageRecord = (
  wallTime: number,
  step: number,
  { tag, width, height, bytes }: EncodedImage,
): Uint8Array => {
  const image = [varintField(1, height), varintField(2, width), varintField(3, RGB), field(4, bytes)];
  return summaryRecord(wallTime, step, [concat([field(1, text(tag)), message(4, ...image)])]);
};

/** The hyper-parameters of a run that starts now. */
export const hyperParametersRecord = (
  wallTime: number,
  parameters: Readonly<Record<string, HyperParameter | undefined>>,
): Uint8Array => {
  const entries = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [message(1, field(1, text(name)), message(2, protobufValue(value)))],
  );
  const info = message(3, ...entries, doubleField(5, wallTime));
  return hyperParameterPluginRecord(wallTime, "_hparams_/session_start_info", info);
};

/** A run has ended, with success or not. */
export const endRecord = (wallTime: number, success: boolean): Uint8Array => {
  const info = message(
    4,
    varintField(1, success ? STATUS_SUCCESS : STATUS_FAILURE),
    doubleField(2, wallTime),
  );
  return hyperParameterPluginRecord(wallTime, "_hparams_/session_end_info", info);
};

const SESSION_START = 1;
const STATUS_SUCCESS = 1;
const STATUS_FAILURE = 2;
const RGB = 3;
const DATA_CLASS_TENSOR = 2;
const FLOAT = 1;

/** The plugin reads its data from the metadata of a tag; the tensor there is empty, of shape [0]. */
function hyperParameterPluginRecord(wallTime: number, tag: string, data: Uint8Array): Uint8Array {
  const plugin = message(1, field(1, text("hparams")), field(2, data));
  const metadata = message(9, plugin, varintField(4, DATA_CLASS_TENSOR));
  const tensor = message(8, varintField(1, FLOAT), message(2, message(2)));
  return summaryRecord(wallTime, 0, [concat([field(1, text(tag)), metadata, tensor])]);
}

/** `google.protobuf.Value` */
function protobufValue(value: HyperParameter): Uint8Array {
  if (typeof value === "number") return doubleField(2, value);
  if (typeof value === "string") return field(3, text(value));
  return varintField(4, value ? 1 : 0);
}

function summaryRecord(wallTime: number, step: number, values: readonly Uint8Array[]): Uint8Array {
  return record(wallTime, step, message(5, ...values.map((value) => field(1, value))));
}

function record(wallTime: number, step: number, content: Uint8Array): Uint8Array {
  return tfRecord(concat([doubleField(1, wallTime), varintField(2, step), content]));
}

/** One record: its length (uint64), the checksum of the length, the data, the checksum of the data. */
export function tfRecord(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}

/** A checksum of data that may itself hold checksums: rotated right by 15 bits, plus a constant. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4. */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) crc = (crc >>> 8) ^ remainders[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

/** The polynomial with its bits reversed. */
const CASTAGNOLI = 0x82f63b78;
const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? CASTAGNOLI : 0);
  return remainder;
});
