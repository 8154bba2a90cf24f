import { RandomStreams, SoftrlError } from "softrl";
import { describe, expect, it } from "vitest";
import { FrameReader, frameHeader, type Operation, operations } from "../src/frames.js";

describe("FrameReader", () => {
  it("assembles frames from chunks of any size", () => {
    const random = new RandomStreams(1).stream("frames");
    const names: Operation[] = ["hello", "make", "reset", "step", "save", "restore"];
    for (let trial = 0; trial < 200; trial++) {
      const sent = Array.from({ length: random.integer(6) }, () => {
        const payload = Uint8Array.from({ length: random.integer(40) }, () => random.integer(256));
        return { operation: names[random.integer(names.length)], payload };
      });
      const bytes = sent.flatMap(({ operation, payload }) => [
        ...frameHeader(operation, payload.length),
        ...payload,
      ]);
      const got: [number, number[]][] = [];
      const reader = new FrameReader("test", (operation, payload) => {
        got.push([operation, Array.from(payload)]);
      });
      for (let at = 0; at < bytes.length; ) {
        const length = 1 + random.integer(12);
        reader.push(Uint8Array.from(bytes.slice(at, at + length)));
        at += length;
      }
      expect(got).toEqual(sent.map(({ operation, payload }) => [operations[operation], Array.from(payload)]));
    }
  });

  it("refuses the first wrong byte", () => {
    const reader = new FrameReader("test", () => {});
    expect(() => reader.push(Uint8Array.of(0x41))).toThrow(SoftrlError);
    expect(() => new FrameReader("test", () => {}).push(Uint8Array.of(0x51, 0x0a))).toThrow(/got "Q\\x0a"/);
  });
});
