import { crc32, crcText } from "../base/crc32.js";
import { describeValue, fail } from "../base/errors.js";
import { MOST_NESTED } from "../base/nesting.js";
import { isRecord } from "../base/record.js";
import {
  isShapedArray,
  plainSnapshot,
  type ShapedArray,
  type Snapshot,
  type SnapshotArray,
  type SnapshotLeaf,
  shapedArray,
} from "../base/snapshot.js";

/**
 * Encodes a snapshot as one safetensors file, which any tool that reads this format can open, and decodes it.
 *
 * Eight bytes (little-endian) hold the length of the header; the header is JSON, {name: {dtype, shape,
 * data_offsets}}, padded with spaces to a multiple of eight; the arrays' bytes follow without gaps. The arrays are
 * sorted by descending element size, then by name: each is aligned to its element size, whatever its length.
 * Nested names are joined by "/" (inside a name, "/" is written "~1" and "~" is written "~0"). A leaf that is not an
 * array is JSON in the header's `__metadata__`, sorted by name. So equal snapshots give equal bytes.
 *
 * The metadata begins with the file's own CRC-32 as eight hexadecimal digits, computed with zeros in their place. A
 * file with any changed byte is refused.
 */

type ArrayClass = {
  new (buffer: ArrayBuffer): SnapshotArray;
  readonly BYTES_PER_ELEMENT: number;
};

const arrayClasses: Readonly<Record<string, ArrayClass>> = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
};

const METADATA = "__metadata__";
/** "~c" is not an escape, so no name in a snapshot is encoded as this one. */
const CHECKSUM = "~crc32";
/** The start of every file, after the header's length. */
const OPENING = `{"${METADATA}":{"${CHECKSUM}":"`;
const CHECKSUM_AT = 8 + OPENING.length;
const NO_CHECKSUM = "00000000";
const LONGEST_HEADER = 100_000_000;
/** Few enough for the arguments of one call. */
const DECODED_AT_ONCE = 8192;

/**
 * The bytes of a snapshot.
 * @throws SoftrlError for a number that JSON cannot hold, for a shape that its values do not fill, for the reserved
 * names, and for what {@link plainSnapshot} refuses.
 */
export function encodeCheckpoint(snapshot: Snapshot): Uint8Array {
  const arrays = new Map<string, ShapedArray>();
  const metadata = new Map<string, string>();
  collect(plainSnapshot("encodeCheckpoint", snapshot), "", arrays, metadata);

  let offset = 0;
  const entries: string[] = [];
  const sortedArrays = [...arrays].sort(byElementSizeThenName);
  for (const [name, { shape, values }] of sortedArrays) {
    const end = offset + values.byteLength;
    entries.push(
      `${ascii(name)}:{"dtype":"${dtypeOf(values)}","shape":[${shape}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  const scalars = [...metadata].sort(byName).map(([name, json]) => `${ascii(name)}:${ascii(json)}`);
  const metadataJson = [`${OPENING}${NO_CHECKSUM}"`, ...scalars].join(",");
  let header = `${metadataJson}}${entries.map((entry) => `,${entry}`).join("")}}`;
  header = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
  if (header.length > LONGEST_HEADER) {
    fail("encodeCheckpoint", "the names and scalars of the snapshot are too long", {
      expected: `a header of at most ${LONGEST_HEADER} bytes`,
      got: `one of ${header.length}`,
      remedy: "store long text as a Uint8Array",
    });
  }

  const bytes = new Uint8Array(8 + header.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  for (let i = 0; i < header.length; i++) bytes[8 + i] = header.charCodeAt(i);
  let position = 8 + header.length;
  for (const [, { values }] of sortedArrays) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  writeAscii(bytes, CHECKSUM_AT, checksumOf(bytes));
  return bytes;
}

/** The CRC-32 of a file, as if its own checksum were zeros. */
function checksumOf(bytes: Uint8Array): string {
  const end = CHECKSUM_AT + NO_CHECKSUM.length;
  let crc = crc32(0, bytes.subarray(0, CHECKSUM_AT));
  const zeros = new Uint8Array(NO_CHECKSUM.length);
  writeAscii(zeros, 0, NO_CHECKSUM);
  crc = crc32(crc32(crc, zeros), bytes.subarray(end));
  return crcText(crc);
}

function writeAscii(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** The CRC-32 that a file states of itself. @throws SoftrlError when it has none. */
export function statedChecksum(where: string, bytes: Uint8Array): string {
  const opening = textOf(bytes.subarray(8, CHECKSUM_AT));
  if (opening !== OPENING) damaged(where, `a checksum at byte ${CHECKSUM_AT}`, describeValue(opening));
  return textOf(bytes.subarray(CHECKSUM_AT, CHECKSUM_AT + NO_CHECKSUM.length));
}

/**
 * The snapshot that these bytes hold, with the arrays in any order. The bytes are not trusted.
 *
 * An array whose shape has one axis is decoded as a typed array, every other one as a {@link ShapedArray}.
 * @param where what an error names: the file.
 * @throws SoftrlError when the bytes are not a checkpoint, are cut off, or contradict themselves.
 */
export function decodeCheckpoint(where: string, bytes: Uint8Array): Snapshot {
  const header = decodeHeader(where, bytes);
  const dataStart = 8 + header.length;
  const dataLength = bytes.length - dataStart;
  const root: MutableSnapshot = {};

  const tensors: (Entry & { readonly name: string })[] = [];
  for (const [name, entry] of Object.entries(header.json)) {
    if (name === METADATA) continue;
    tensors.push({ name, ...readEntry(where, name, entry) });
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, dtype, shape, begin, end } of tensors) {
    if (begin !== covered) damaged(where, `"${name}" begins at byte ${covered}`, String(begin));
    covered = end;
    if (end > dataLength) damaged(where, `${end} bytes of data`, String(dataLength));
    // Not bytes.slice: Node's Buffer shares its memory there.
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    const values = new arrayClasses[dtype](copy.buffer);
    place(where, root, name, shape.length === 1 ? values : shapedArray(shape, values));
  }
  if (covered !== dataLength) damaged(where, `${covered} bytes of data`, String(dataLength));

  const metadata = header.json[METADATA] ?? {};
  if (!isRecord(metadata)) damaged(where, `an object as ${METADATA}`, describeValue(metadata));
  for (const [name, json] of Object.entries(metadata)) {
    if (name !== CHECKSUM) place(where, root, name, readScalar(where, name, json));
  }
  requireChecksum(where, bytes);
  return root;
}

function requireChecksum(where: string, bytes: Uint8Array): void {
  const stated = statedChecksum(where, bytes);
  const computed = checksumOf(bytes);
  if (computed !== stated) damaged(where, `bytes whose CRC-32 is ${stated}`, computed);
}

interface MutableSnapshot {
  [name: string]: SnapshotLeaf | MutableSnapshot;
}

function collect(
  snapshot: Snapshot,
  prefix: string,
  arrays: Map<string, ShapedArray>,
  metadata: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(snapshot)) {
    const path = prefix + name.replaceAll("~", "~0").replaceAll("/", "~1");
    if (name === METADATA || name === "__proto__" || name === "") {
      fail("encodeCheckpoint", `a snapshot cannot hold the name "${path}"`, {
        remedy: "give it another name",
      });
    }
    if (isShapedArray(value)) arrays.set(path, checkedArray(path, value));
    else if (ArrayBuffer.isView(value)) arrays.set(path, { shape: [value.length], values: value });
    else if (typeof value !== "object" || value === null) metadata.set(path, scalarJson(path, value));
    else if (Object.keys(value).length === 0) metadata.set(path, "{}");
    else collect(value, `${path}/`, arrays, metadata);
  }
}

function checkedArray(path: string, { shape, values }: ShapedArray): ShapedArray {
  return shapedArray(shape, values, `encodeCheckpoint: ${path}`);
}

function scalarJson(path: string, value: string | number | boolean | null): string {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      fail("encodeCheckpoint", `${path} cannot be written`, {
        expected: "a finite number",
        got: String(value),
      });
    }
    if (Object.is(value, -0)) return "-0";
  }
  return JSON.stringify(value);
}

function dtypeOf(array: SnapshotArray): string {
  for (const [dtype, arrayClass] of Object.entries(arrayClasses)) {
    if (array instanceof arrayClass) return dtype;
  }
  return fail("encodeCheckpoint", "an array of this kind cannot be written", {
    expected: "Float64Array, Float32Array, Int32Array, Uint32Array or Uint8Array",
    got: Object.prototype.toString.call(array),
  });
}

/** JSON text of pure ASCII, in which each character is one byte. */
function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function byElementSizeThenName(a: readonly [string, ShapedArray], b: readonly [string, ShapedArray]): number {
  return b[1].values.BYTES_PER_ELEMENT - a[1].values.BYTES_PER_ELEMENT || byName(a, b);
}

function decodeHeader(
  where: string,
  bytes: Uint8Array,
): { json: Readonly<Record<string, unknown>>; length: number } {
  if (bytes.length < 8) damaged(where, "at least 8 bytes", String(bytes.length));
  const stated = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  const longest = Math.min(LONGEST_HEADER, bytes.length - 8);
  if (stated > BigInt(longest)) damaged(where, `a header of at most ${longest} bytes`, `one of ${stated}`);
  const length = Number(stated);
  const header = bytes.subarray(8, 8 + length);
  for (let i = 0; i < length; i++) {
    if (header[i] > 126) damaged(where, "a header of plain ASCII", `byte ${header[i]} at position ${8 + i}`);
  }
  const text = textOf(header);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    damaged(where, "a header of JSON", describeValue(text.slice(0, 40)));
  }
  return isRecord(json) ? { json, length } : damaged(where, "a header that is a JSON object", typeof json);
}

/** The ASCII text that these bytes are, in linear time. */
function textOf(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += DECODED_AT_ONCE) {
    // Spreading the bytes as arguments is seven times slower.
    parts.push(Reflect.apply(String.fromCharCode, null, bytes.subarray(at, at + DECODED_AT_ONCE)));
  }
  return parts.join("");
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function readEntry(where: string, name: string, entry: unknown): Entry {
  if (!isRecord(entry)) damaged(where, `an object for "${name}"`, describeValue(entry));
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(arrayClasses, dtype)) {
    damaged(where, `"${name}" of dtype ${Object.keys(arrayClasses).join(", ")}`, describeValue(dtype));
  }
  if (!isSizes(shape)) damaged(where, `the shape of "${name}" as a list of sizes`, describeValue(shape));
  if (!isSizes(offsets) || offsets.length !== 2) {
    damaged(where, `two data_offsets of "${name}"`, describeValue(offsets));
  }
  const [begin, end] = offsets;
  const length = shape.reduce((product, size) => product * size, 1) * arrayClasses[dtype].BYTES_PER_ELEMENT;
  if (end - begin !== length) damaged(where, `${length} bytes for "${name}"`, String(end - begin));
  return { dtype, shape, begin, end };
}

function readScalar(where: string, name: string, json: unknown): SnapshotLeaf | MutableSnapshot {
  let value: unknown;
  try {
    if (typeof json === "string") value = JSON.parse(json);
  } catch {
    // Text that does not parse is refused below, with everything else that is not a scalar.
  }
  if (
    value === null ||
    typeof value === "string" ||
    typeof value === "number" ||
    typeof value === "boolean"
  ) {
    return value;
  }
  if (isRecord(value) && Object.keys(value).length === 0) return {};
  return damaged(where, `a JSON scalar for "${name}"`, describeValue(json));
}

/** Puts a value at the end of its path. */
function place(
  where: string,
  root: MutableSnapshot,
  path: string,
  value: SnapshotLeaf | MutableSnapshot,
): void {
  const names = path.split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (names.length > MOST_NESTED) {
    damaged(where, `names of at most ${MOST_NESTED} parts`, `one of ${names.length}`);
  }
  let node = root;
  names.forEach((name, depth) => {
    const last = depth === names.length - 1;
    if (name === "__proto__" || name === "" || (last && Object.hasOwn(node, name))) {
      damaged(where, "names that can all stand together", describeValue(path));
    }
    if (last) {
      node[name] = value;
      return;
    }
    const inner = Object.hasOwn(node, name) ? node[name] : {};
    if (!isSection(inner)) damaged(where, "names that can all stand together", describeValue(path));
    node[name] = inner;
    node = inner;
  });
}

function isSection(value: SnapshotLeaf | MutableSnapshot): value is MutableSnapshot {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !isShapedArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function damaged(where: string, expected: string, got: string): never {
  return fail(where, "not a checkpoint, or damaged", {
    expected,
    got,
    remedy: "use the checkpoint.safetensors of a run folder as softrl wrote it",
  });
}
