import { describe, expect, it } from "vitest";
import { bytesOfText } from "../../src/base/byte-text.js";
import { sweepText } from "../../src/mdp/sweep-wasm.js";
import { relaxedThreadedKernelsText } from "../../src/tensor/compiled/kernels-relaxed-threads-wasm.js";
import { relaxedKernelsText } from "../../src/tensor/compiled/kernels-relaxed-wasm.js";
import { threadedKernelsText } from "../../src/tensor/compiled/kernels-threads-wasm.js";
import { kernelsText } from "../../src/tensor/compiled/kernels-wasm.js";

describe("bytes as text", () => {
  it("are one character or two, and every byte has its own", () => {
    const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
    const numbers = printable.filter((character) => !`"'\`\\$<}~`.includes(character));
    const text = ["", "}", "~"].flatMap((prefix) => numbers.map((character) => prefix + character));
    const bytes = bytesOfText(text.slice(0, 256).join(""));
    expect([...bytes]).toEqual(Array.from({ length: 256 }, (_, n) => (n + 252) % 256));
    expect(bytesOfText("")).toHaveLength(0);
  });

  it.each([kernelsText, threadedKernelsText, relaxedKernelsText, relaxedThreadedKernelsText, sweepText])(
    "are a WebAssembly module in each text",
    (text) => {
      expect([...bytesOfText(text).subarray(0, 8)]).toEqual([0, 97, 115, 109, 1, 0, 0, 0]);
    },
  );
});
