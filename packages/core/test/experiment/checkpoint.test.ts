import { describe, expect, test } from "vitest";
import { type Snapshot, shapedArray } from "../../src/base/snapshot.js";
import { decodeCheckpoint, encodeCheckpoint } from "../../src/experiment/checkpoint.js";

const snapshot: Snapshot = {
  step: 12,
  name: "τ = 0.01 ✓",
  done: false,
  nothing: null,
  minusZero: -0,
  empty: {},
  algorithm: {
    "body/weight~0": new Float32Array([1.5, -0, 3e-45, 1]),
    mean: new Float64Array([Math.PI, -1e-308]),
    streams: { actions: new Uint32Array([1, 2, 3, 0xffffffff]) },
    none: new Float64Array(0),
    kernel: shapedArray([2, 1, 3], new Float32Array([1, 2, 3, 4, 5, 6])),
    scale: shapedArray([], new Float64Array([-0])),
    hollow: shapedArray([3, 0], new Int32Array(0)),
  },
  environment: { frames: new Uint8Array([0, 127, 255]), steps: new Int32Array([-1, 5]) },
};

/** CRC-32 by its definition, bit by bit. */
function crc32ByBits(bytes: Uint8Array): number {
  let crc = 0xffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0xedb88320n : crc >> 1n;
  }
  return Number(crc ^ 0xffffffffn);
}

function fileOf(header: string, data: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** A file with these entries and its checksum. */
function checkedFile(entries: string, data: readonly number[]): Uint8Array {
  const opening = '{"__metadata__":{"~crc32":"';
  const bytes = fileOf(`${opening}00000000"},${entries}}`, data);
  const checksum = crc32ByBits(bytes).toString(16).padStart(8, "0");
  bytes.set(new TextEncoder().encode(checksum), 8 + opening.length);
  return bytes;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The header of a file, and where its data start. */
function headerOf(bytes: Uint8Array): {
  readonly entries: Readonly<Record<string, HeaderEntry>>;
  readonly dataStart: number;
} {
  const dataStart = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, dataStart)));
  return { entries, dataStart };
}

describe("a checkpoint", () => {
  test("comes back bit for bit", () => {
    expect(decodeCheckpoint("test", encodeCheckpoint(snapshot))).toStrictEqual(snapshot);
  });

  test("has the same bytes whatever the order of the names", () => {
    const reversed = Object.fromEntries(Object.entries(snapshot).reverse());
    expect(encodeCheckpoint(reversed)).toEqual(encodeCheckpoint(snapshot));
  });

  test("is what the safetensors format says", () => {
    const bytes = encodeCheckpoint({ seed: 7, w: new Float32Array([1, 2]), b: new Uint8Array([9]) });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header).toEqual({
      __metadata__: { "~crc32": expect.stringMatching(/^[0-9a-f]{8}$/), seed: "7" },
      b: { dtype: "U8", shape: [1], data_offsets: [8, 9] },
      w: { dtype: "F32", shape: [2], data_offsets: [0, 8] },
    });
    // The checksum is that of the file with zeros in its place.
    const stated = new TextDecoder().decode(bytes).replace(/.*"~crc32":"(.{8})".*/s, "$1");
    const at = new TextDecoder("latin1").decode(bytes).indexOf(stated);
    const zeroed = bytes.slice();
    zeroed.fill(48, at, at + 8);
    expect(crc32ByBits(zeroed)).toBe(Number.parseInt(stated, 16));
    expect(crc32ByBits(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 64, 9]);
  });

  test("writes every shape, and reads one axis as a typed array", () => {
    const bytes = encodeCheckpoint({
      parameters: {
        "body.0.weight": shapedArray([8, 8, 4, 32], new Float32Array(8192)),
        "body.0.bias": shapedArray([32], new Float32Array(32)),
      },
      scale: shapedArray([], new Float64Array(1)),
    });
    const { entries } = headerOf(bytes);
    const shapes = Object.entries(entries).map(([name, { shape }]) => [name, shape]);
    expect(Object.fromEntries(shapes)).toEqual({
      "parameters/body.0.weight": [8, 8, 4, 32],
      "parameters/body.0.bias": [32],
      scale: [],
    });
    expect(decodeCheckpoint("test", bytes)).toStrictEqual({
      parameters: {
        "body.0.weight": { shape: [8, 8, 4, 32], values: new Float32Array(8192) },
        "body.0.bias": new Float32Array(32),
      },
      scale: { shape: [], values: new Float64Array(1) },
    });
  });

  test("aligns every array to its element size, whatever the lengths", () => {
    const arrays = [Uint8Array, Float32Array, Float64Array, Int32Array, Uint32Array];
    const odd = Object.fromEntries(
      [1, 3, 5, 7].flatMap((length) =>
        arrays.map((arrayClass) => [`${length} ${arrayClass.name}`, new arrayClass(length)]),
      ),
    );
    const { entries, dataStart } = headerOf(encodeCheckpoint(odd));
    expect(Object.keys(entries)).toHaveLength(20);
    for (const [name, { dtype, data_offsets }] of Object.entries(entries)) {
      expect((dataStart + data_offsets[0]) % (Number(dtype.slice(1)) / 8), name).toBe(0);
    }
    // By descending element size, then by name.
    const order = Object.entries(entries).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
    const bySize = (size: string) =>
      Object.keys(odd)
        .filter((name) => name.includes(size))
        .sort();
    expect(order.map(([name]) => name)).toEqual([...bySize("64"), ...bySize("32"), ...bySize("8")]);
  });

  test("is read whatever the order of its arrays", () => {
    const entries = [
      '"w":{"dtype":"F32","shape":[1,1],"data_offsets":[1,5]}',
      '"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}',
      '"none":{"dtype":"F64","shape":[0],"data_offsets":[1,1]}',
    ];
    const expected = {
      w: { shape: [1, 1], values: new Float32Array([1]) },
      b: new Uint8Array([9]),
      none: new Float64Array(0),
    };
    for (const order of [entries, entries.toReversed()]) {
      const bytes = checkedFile(order.join(","), [9, 0, 0, 128, 63]);
      expect(decodeCheckpoint("test", bytes)).toStrictEqual(expected);
    }
  });

  test("reads an array at any position of a larger buffer", () => {
    const bytes = encodeCheckpoint(snapshot);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeCheckpoint("test", shifted.subarray(3))).toStrictEqual(snapshot);
    expect(decodeCheckpoint("test", Buffer.from(bytes))).toStrictEqual(snapshot);
  });

  test("takes a view of a larger array for what it shows", () => {
    const view = new Float64Array([0, 1, 2, 3]).subarray(1, 3);
    expect(decodeCheckpoint("test", encodeCheckpoint({ view }))).toStrictEqual({
      view: new Float64Array([1, 2]),
    });
  });

  test("refuses numbers that JSON cannot hold, and reserved names", () => {
    expect(() => encodeCheckpoint({ a: { loss: Number.NaN } })).toThrow(/a\/loss cannot be written.*NaN/);
    expect(() => encodeCheckpoint({ __metadata__: 1 })).toThrow(/another name/);
  });

  test("refuses a shape that its values do not fill", () => {
    const weight = { shape: [2, 2], values: new Float32Array(3) };
    expect(() => encodeCheckpoint({ parameters: { weight } })).toThrow(
      /^encodeCheckpoint: parameters\/weight: the values do not fill the shape, .*3 values, got \[2, 2\]/,
    );
  });

  test("refuses to write a header that it would not read", () => {
    expect(() => encodeCheckpoint({ text: "x".repeat(1e8) })).toThrow(
      /expected a header of at most 100000000/,
    );
  });
});

describe("a damaged checkpoint", () => {
  test("with a long header is refused in linear time and memory", () => {
    const blanks = new Uint8Array(8 + 5e7).fill(32);
    new DataView(blanks.buffer).setBigUint64(0, 50_000_000n, true);
    const start = performance.now();
    expect(() => decodeCheckpoint("file", blanks)).toThrow(/expected a header of JSON/);
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  const whole = encodeCheckpoint(snapshot);

  test("is refused wherever it is cut off", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeCheckpoint("run/checkpoint.safetensors", whole.subarray(0, length))).toThrow(
        /run\/checkpoint.safetensors: not a checkpoint, or damaged/,
      );
    }
  });

  test("is refused whichever bit of it flips", () => {
    for (let bit = 0; bit < 8 * whole.length; bit++) {
      const flipped = whole.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      expect(() => decodeCheckpoint("file", flipped)).toThrow(/file: not a checkpoint, or damaged/);
    }
  });

  test("says that its bytes are not those that were written", () => {
    const flipped = whole.slice();
    flipped[whole.length - 1] ^= 1;
    expect(() => decodeCheckpoint("file", flipped)).toThrow(
      /expected bytes whose CRC-32 is \w{8}, got \w{8};/,
    );
  });

  test.each([
    ["trailing bytes", fileOf("{}", [1])],
    ["a header that is no JSON", fileOf("{")],
    ["a header that is no object", fileOf("[1]")],
    ["bytes that are no ASCII", fileOf('{"é":1}')],
    ["an unknown dtype", fileOf('{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', [0, 0])],
    ["a shape that does not fit", fileOf('{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}', [0])],
    ["axes that do not fit", fileOf('{"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,3]}}', [0, 0, 0])],
    ["a scalar of two values", fileOf('{"a":{"dtype":"U8","shape":[],"data_offsets":[0,2]}}', [0, 0])],
    [
      "a shape beyond any file",
      fileOf(`{"a":{"dtype":"U8","shape":[${"9e15,".repeat(30)}0],"data_offsets":[0,0]}}`),
    ],
    ["a negative shape", fileOf('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,-1]}}')],
    ["a hole", fileOf('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', [0, 0])],
    [
      "an overlap",
      fileOf(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        [0, 0, 0],
      ),
    ],
    ["a name within a leaf", fileOf('{"__metadata__":{"a":"1","a/b":"2"}}')],
    [
      "a name within a shaped array",
      fileOf('{"__metadata__":{"a/b":"2"},"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}', [0]),
    ],
    ["an array as metadata", fileOf('{"__metadata__":{"a":"[1]"}}')],
    ["metadata that is no text", fileOf('{"__metadata__":{"a":1}}')],
    ["the prototype's name", fileOf('{"__metadata__":{"__proto__/polluted":"1"}}')],
  ])("with %s is refused", (_, bytes) => {
    expect(() => decodeCheckpoint("file", bytes)).toThrow(/file: not a checkpoint, or damaged, expected/);
  });
});
