import { createNativeMachine } from "@softrl/native";
import { RandomStreams, SoftrlError } from "softrl";
import { expect, it } from "vitest";
import { arenaLength, corrupted, valid } from "../../core/test/tensor/corrupt-kernels.js";
import { describeNative, variants } from "./native-machines.js";

// Without AddressSanitizer this test shows that nothing crashes; with it, that nothing outside the arena is
// accessed.
describeNative("corrupt kernels", () => {
  it.each(variants)("are refused, or run inside the arena (%s)", (_, options) => {
    const random = new RandomStreams(15).stream("corrupt");
    const machine = createNativeMachine(options);
    let refused = 0;
    const ran = new Set<number>();
    for (let trial = 0; trial < 4000; trial++) {
      const kernel = corrupted(valid[trial % valid.length], random);
      try {
        machine.instantiate(arenaLength, [[kernel]]).run(0);
        ran.add(trial % valid.length);
      } catch (error) {
        expect(error).toBeInstanceOf(SoftrlError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1000);
    expect(ran.size).toBe(valid.length);
  });
});
