import { describe, expect, it } from "vitest";
import { gradient } from "../../src/tensor/gradient.js";
import {
  add,
  constant,
  exp,
  input,
  mul,
  relu,
  reshape,
  slice,
  state,
  sub,
  sum,
  tanh,
} from "../../src/tensor/operations.js";
import { program } from "../../src/tensor/program.js";
import { createReferenceExecutor } from "../../src/tensor/reference-executor.js";
import { wasmExecutors } from "./wasm-builds.js";

const executors = [
  createReferenceExecutor(),
  createReferenceExecutor({ precision: "float32" }),
  ...wasmExecutors,
];

describe("program", () => {
  it("computes equal expressions once", () => {
    const x = input("x", [3]);
    const twice = program({ outputs: { y: add(exp(x), exp(x)) } });
    expect(twice.steps.length).toBe(3);
  });

  it("refuses two inputs with the same name", () => {
    expect(() => program({ outputs: { y: add(input("x", [2]), input("x", [2])) } })).toThrow(
      'program: two inputs are named "x"; use one tensor for both, or rename one.',
    );
  });

  it("refuses an update of a tensor that is not a state, with the wrong shape, or twice", () => {
    const s = state("s", [2]);
    const x = input("x", [2]);
    expect(() => program({ outputs: {}, updates: [[x, s]] })).toThrow("only a state can be updated");
    expect(() => program({ outputs: {}, updates: [[s, sum(x)]] })).toThrow("expected [2], got []");
    expect(() =>
      program({
        outputs: {},
        updates: [
          [s, x],
          [s, x],
        ],
      }),
    ).toThrow('state "s" is updated twice');
  });
});

describe.each(executors.map((executor) => [`${executor.name} ${executor.precision}`, executor] as const))(
  "%s executor",
  (_, executor) => {
    it("lists the inputs in the error about an unknown one", () => {
      const loaded = executor.load({ f: program({ outputs: { y: exp(input("x", [1])) } }) });
      expect(() => loaded.programs.f.input("z")).toThrow('unknown input "z", expected "x"');
      expect(() => loaded.programs.f.output("z")).toThrow('unknown output "z", expected "y"');
    });

    it("updates states after everything is computed, so two states can be swapped", () => {
      const a = state("a", [3]);
      const b = state("b", [3]);
      const session = executor.load({
        exchange: program({
          outputs: { before: a, doubled: mul(2, a) },
          updates: [
            [a, b],
            [b, a],
          ],
        }),
      });
      session.state(a).set([1, 2, 3]);
      session.state(b).set([4, 5, 6]);
      session.programs.exchange.run();
      expect(Array.from(session.state(a))).toEqual([4, 5, 6]);
      expect(Array.from(session.state(b))).toEqual([1, 2, 3]);
      expect(Array.from(session.programs.exchange.output("before"))).toEqual([1, 2, 3]);
      expect(Array.from(session.programs.exchange.output("doubled"))).toEqual([2, 4, 6]);
    });

    it("gives all readers of a state its old value, whatever their position", () => {
      const a = state("a", [4]);
      const next = add(a, 1);
      const late = sum(mul(next, a));
      const head = mul(slice(a, [0], [2]), slice(a, [2], [4]));
      const session = executor.load({ f: program({ outputs: { late, head, next }, updates: [[a, next]] }) });
      session.state(a).set([1, 2, 3, 4]);
      session.programs.f.run();
      expect(session.programs.f.output("late")[0]).toBe(2 + 6 + 12 + 20);
      expect(Array.from(session.programs.f.output("head"))).toEqual([3, 8]);
      expect(Array.from(session.programs.f.output("next"))).toEqual([2, 3, 4, 5]);
      expect(Array.from(session.state(a))).toEqual([2, 3, 4, 5]);
      session.programs.f.run();
      expect(session.programs.f.output("late")[0]).toBe(6 + 12 + 20 + 30);
    });

    it("updates a state with a permuted view of itself", () => {
      const a = state("a", [4]);
      const session = executor.load({
        f: program({ outputs: {}, updates: [[a, sub(mul(a, 2), broadcastFirst(a))]] }),
      });
      session.state(a).set([1, 2, 3, 4]);
      session.programs.f.run();
      expect(Array.from(session.state(a))).toEqual([1, 3, 5, 7]);
    });

    it("shares states between programs and keeps inputs between runs", () => {
      const w = state("w", [2]);
      const x = input("x", [2]);
      const session = executor.load({
        read: program({ outputs: { y: mul(w, x) } }),
        write: program({ outputs: {}, updates: [[w, add(w, input("d", [2]))]] }),
      });
      const { read, write } = session.programs;
      read.input("x").set([10, 100]);
      write.input("d").set([1, 2]);
      write.run();
      write.run();
      read.run();
      expect(Array.from(read.output("y"))).toEqual([20, 400]);
    });

    it("sums squares, parts of squares, and squares of squares", () => {
      const x = input("x", [2, 3]);
      const rows = mul(x, x);
      const sums = {
        all: sum(rows),
        piece: sum(slice(rows, [1, 0], [2, 3])),
        reshaped: sum(slice(reshape(rows, [6]), [2], [5])),
        fourth: sum(mul(rows, rows)),
      };
      const each = Object.entries(sums).map(([name, y]) => [name, program({ outputs: { y } })] as const);
      const together = program({ outputs: sums });
      const alone = executor.load(Object.fromEntries(each)).programs;
      const { f } = executor.load({ f: together }).programs;
      f.input("x").set([1, 2, 3, 4, 5, 6]);
      f.run();
      for (const [name, expected] of Object.entries({ all: 91, piece: 77, reshaped: 50, fourth: 2275 })) {
        alone[name].input("x").set([1, 2, 3, 4, 5, 6]);
        alone[name].run();
        expect(alone[name].output("y")[0], name).toBe(expected);
        expect(f.output(name)[0], name).toBe(expected);
      }
    });

    it("sums squares that are also outputs", () => {
      const x = input("x", [3]);
      const y = mul(x, x);
      const { f } = executor.load({ f: program({ outputs: { y, all: sum(y) } }) }).programs;
      f.input("x").set([1, 2, 3]);
      f.run();
      expect(Array.from(f.output("y"))).toEqual([1, 4, 9]);
      expect(f.output("all")[0]).toBe(14);
    });

    it("accepts one tensor as several outputs, and inputs and constants as outputs", () => {
      const x = input("x", [2]);
      const y = relu(x);
      const traced = program({
        outputs: { y, again: y, x, part: slice(y, [1], [2]), one: constant([1, 1]) },
      });
      const { f } = executor.load({ f: traced }).programs;
      f.input("x").set([-1, 3]);
      f.run();
      const read = (name: string) => Array.from(f.output(name));
      expect([read("y"), read("again"), read("x"), read("part"), read("one")]).toEqual([
        [0, 3],
        [0, 3],
        [-1, 3],
        [3],
        [1, 1],
      ]);
    });
  },
);

function broadcastFirst(a: ReturnType<typeof state>) {
  return slice(a, [0], [1]);
}

describe("gradient", () => {
  it("refuses a tensor that is not a scalar", () => {
    const x = input("x", [2]);
    expect(() => gradient(tanh(x), [x])).toThrow(
      "gradient: y is not a scalar, expected one element, got [2]",
    );
  });

  it("gives zeros for tensors that y does not depend on", () => {
    const x = input("x", [2]);
    const other = input("other", [3]);
    const [zero] = gradient(sum(x), [other]);
    const { f } = executors[0].load({ f: program({ outputs: { zero } }) }).programs;
    f.run();
    expect(Array.from(f.output("zero"))).toEqual([0, 0, 0]);
  });
});
