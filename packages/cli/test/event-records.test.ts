import { describe, expect, test } from "vitest";
import {
  crc32c,
  endRecord,
  hyperParametersRecord,
  imageRecord,
  maskedCrc32c,
  scalarsRecord,
  startRecord,
  tfRecord,
  versionRecord,
} from "../src/tensorboard/event-records.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const text = (content: string) => new TextEncoder().encode(content);

/** The data of a record, without its length and its checksums. */
const dataOf = (record: Uint8Array) => hex(record.subarray(12, -4));

/** 1.5 as a double, little endian: sign 0, exponent 0x3ff, fraction 1000…; 09 is field 1 of eight bytes. */
const wallTime = "09000000000000f83f";

describe("CRC-32C", () => {
  // RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms.
  test.each([
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 times 255", new Uint8Array(32).fill(255), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["123456789", text("123456789"), 0xe3069283],
    ["nothing", new Uint8Array(), 0],
  ])("of %s", (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });

  test("is rotated right by 15 bits and shifted by a constant where data may hold checksums", () => {
    // The last 15 of its bits, 0x36aa, go first: 0x36aa << 17 | 0x8a9136aa >>> 15 = 0x6d551522. The sum wraps around.
    expect(maskedCrc32c(new Uint8Array(32))).toBe(0x0fd7fffa);
  });
});

test("a record is its length in eight bytes, the length's checksum, the data, the data's checksum", () => {
  const record = tfRecord(text("123456789"));
  expect(hex(record.subarray(0, 8))).toBe("0900000000000000");
  expect(hex(record.subarray(12, 21))).toBe(hex(text("123456789")));
  const view = new DataView(record.buffer);
  expect(view.getUint32(8, true)).toBe(maskedCrc32c(record.subarray(0, 8)));
  // 0xe3069283 rotated right by 15: 0x2507c60d. Plus 0xa282ead8: 0xc78ab0e5.
  expect(view.getUint32(21, true)).toBe(0xc78ab0e5);
  expect(record).toHaveLength(25);
});

// Field n of wire type w begins with 8 n + w: 0 is a varint, 1 eight bytes, 2 a length and that many bytes, 5 four bytes.
describe("the bytes of", () => {
  test("a version", () => {
    expect(dataOf(versionRecord(1.5))).toBe(`${wallTime}10001a0d${hex(text("brain.Event:2"))}`);
  });

  test("a scalar", () => {
    // 300 = 2 · 128 + 44: ac 02. 2 as a float: 00000040.
    const value = "0a01611500000040";
    expect(dataOf(scalarsRecord(1.5, 300, [{ tag: "a", value: 2 }]))).toBe(
      `${wallTime}10ac02${"2a0a"}${"0a08"}${value}`,
    );
  });

  test("several scalars of the largest step", () => {
    // 2^53 − 1 has 53 ones: seven groups of seven, and four more.
    const step = "10ffffffffffffff0f";
    const scalars = [
      { tag: "a", value: 2 },
      { tag: "τ", value: -2 },
    ];
    expect(dataOf(scalarsRecord(1.5, Number.MAX_SAFE_INTEGER, scalars))).toBe(
      `${wallTime}${step}2a15${"0a08"}0a016115000000400a09${"0a02cf84"}15000000c0`,
    );
  });

  test("a start", () => {
    expect(dataOf(startRecord(1.5, 7))).toBe(`${wallTime}1007${"3a02"}0801`);
  });

  test("an image", () => {
    const image = "0802" + "1003" + "1803" + "220141";
    expect(dataOf(imageRecord(1.5, 1, { tag: "f", width: 3, height: 2, bytes: text("A") }))).toBe(
      `${wallTime}1001${"2a10"}${"0a0e"}${"0a0166"}${"2209"}${image}`,
    );
  });

  test("hyper-parameters: a number, a text, a truth", () => {
    const parameters = [
      `0a0e0a0178120911${wallTime.slice(2)}`,
      "0a08" + "0a0179" + "1203" + "1a0161",
      "0a07" + "0a017a" + "1202" + "2001",
    ].join("");
    // Start time is field 5 of eight bytes: 29.
    const info = `${parameters}29${wallTime.slice(2)}`;
    const length = (content: string) => (content.length / 2).toString(16).padStart(2, "0");
    const data = `1a${length(info)}${info}`;
    const plugin = `0a07${hex(text("hparams"))}12${length(data)}${data}`;
    const metadata = `0a${length(plugin)}${plugin}2002`;
    const tag = text("_hparams_/session_start_info");
    const found = dataOf(hyperParametersRecord(1.5, { x: 1.5, y: "a", z: true, nothing: undefined }));
    expect(found).toContain(`0a1c${hex(tag)}4a${length(metadata)}${metadata}`);
    // The empty tensor: float, shape [0].
    expect(found.endsWith("4206" + "0801" + "12021200")).toBe(true);
  });

  test("an end", () => {
    const found = dataOf(endRecord(1.5, true));
    expect(found).toContain(hex(text("_hparams_/session_end_info")));
    expect(found).toContain(`220b080111${wallTime.slice(2)}`);
    expect(dataOf(endRecord(1.5, false))).toContain(`220b080211${wallTime.slice(2)}`);
  });
});
