import { describe, expect, it } from "vitest";
import { crc32, crcText } from "../../src/base/crc32.js";

/** The remainder of a division by the polynomial, bit by bit. */
function divided(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

const bytes = Uint8Array.from({ length: 70 }, (_, i) => (i * i * 37 + 11) & 0xff);

describe("crc32", () => {
  it("is cbf43926 of the digits 1 to 9, the standard's check value", () => {
    expect(
      crcText(
        crc32(
          0,
          Uint8Array.from("123456789", (digit) => digit.charCodeAt(0)),
        ),
      ),
    ).toBe("cbf43926");
    expect(crcText(5)).toBe("00000005");
  });

  it("is the remainder of every beginning and every ending, whatever their alignment", () => {
    for (let i = 0; i <= bytes.length; i++) {
      expect(crc32(0, bytes.subarray(0, i))).toBe(divided(bytes.slice(0, i)));
      expect(crc32(0, bytes.subarray(i))).toBe(divided(bytes.slice(i)));
    }
  });

  it("continues: of two parts it is that of both", () => {
    for (let i = 0; i <= bytes.length; i++) {
      expect(crc32(crc32(0, bytes.subarray(0, i)), bytes.subarray(i))).toBe(divided(bytes));
    }
  });
});
