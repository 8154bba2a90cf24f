import type {
  Conv2dFilterGradientKernel,
  Conv2dInputGradientKernel,
  Conv2dKernel,
  ConvolutionSizes,
  Kernel,
  MapKernel,
  MatmulKernel,
} from "../../src/tensor/compiled/kernel.js";

// The definition of each kernel as float64 loops, written for readability; map steps round to float32, as
// kernels do.

type Arena = Float64Array;

export function referenceRun(kernel: Kernel, arena: Arena): void {
  switch (kernel.kind) {
    case "map":
      referenceMap(kernel, arena);
      return;
    case "fill":
      arena.fill(Math.fround(kernel.value), kernel.out, kernel.out + kernel.count);
      return;
    case "reduce": {
      const results = new Map<number, number>();
      forEachIndex(kernel.dims, (index, position) => {
        let to = 0;
        for (const [axis, size] of kernel.dims.entries()) {
          if (!kernel.reduced[axis]) to = to * size + index[axis];
        }
        const at = arena[kernel.x + position];
        const x = kernel.operation === "sumOfSquares" ? at * at : at;
        const held = results.get(to);
        if (held === undefined) results.set(to, x);
        else results.set(to, kernel.operation === "max" ? Math.max(held, x) : held + x);
      });
      for (const [to, value] of results) arena[kernel.out + to] = value;
      return;
    }
    case "copy": {
      const before = arena.slice();
      forEachIndex(kernel.dims, (index) => {
        let from = kernel.x;
        let to = kernel.out;
        for (const [axis, i] of index.entries()) {
          from += i * kernel.xStrides[axis];
          to += i * kernel.outStrides[axis];
        }
        arena[to] = before[from];
      });
      return;
    }
    case "matmul":
      referenceMatmul(kernel, arena);
      return;
    case "conv2d":
    case "conv2dInputGradient":
    case "conv2dFilterGradient":
      referenceConvolution(kernel, arena);
      return;
    case "gather":
    case "scatter":
      for (let r = 0; r < kernel.rows; r++) {
        const index = arena[kernel.index + r];
        const valid = Number.isInteger(index) && index >= 0 && index < kernel.columns;
        if (kernel.kind === "gather") {
          arena[kernel.out + r] = valid ? arena[kernel.x + r * kernel.columns + index] : Number.NaN;
          continue;
        }
        for (let c = 0; c < kernel.columns; c++) {
          const value = c === index ? arena[kernel.x + r] : 0;
          arena[kernel.out + r * kernel.columns + c] = valid ? value : Number.NaN;
        }
      }
      return;
    case "logSumExp":
    case "logSoftmax":
      for (let r = 0; r < kernel.rows; r++) {
        const row = arena.slice(kernel.x + r * kernel.columns, kernel.x + (r + 1) * kernel.columns);
        const top = Math.max(...row);
        const normaliser = Number.isFinite(top)
          ? top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0))
          : top;
        if (kernel.kind === "logSumExp") arena[kernel.out + r] = normaliser;
        else {
          for (const [c, x] of row.entries()) {
            arena[kernel.out + r * kernel.columns + c] = Number.isFinite(top) ? x - normaliser : Number.NaN;
          }
        }
      }
      return;
    case "normalise":
    case "normaliseGradient": {
      const { rows, columns } = kernel;
      const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / columns;
      for (let r = 0; r < rows; r++) {
        const row = (offset: number) =>
          Float64Array.from(arena.slice(offset + r * columns, offset + (r + 1) * columns));
        const x = row(kernel.x);
        const centre = mean(x);
        const deviation = Math.sqrt(mean(x.map((value) => (value - centre) ** 2)) + kernel.epsilon);
        const y = x.map((value) => (value - centre) / deviation);
        if (kernel.kind === "normalise") {
          arena.set(y, kernel.out + r * columns);
          continue;
        }
        const g = row(kernel.cotangent);
        const [ofG, ofGy] = [mean(g), mean(g.map((value, c) => value * y[c]))];
        const gradient = g.map((value, c) => (value - ofG - y[c] * ofGy) / deviation);
        arena.set(gradient, kernel.out + r * columns);
      }
      return;
    }
  }
}

function forEachIndex(dims: readonly number[], visit: (index: number[], position: number) => void): void {
  const total = dims.reduce((product, size) => product * size, 1);
  for (let position = 0; position < total; position++) {
    const index: number[] = [];
    let rest = position;
    for (const size of dims.toReversed()) {
      index.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    visit(index, position);
  }
}

function referenceMap(kernel: MapKernel, arena: Arena): void {
  const scalars = kernel.inputs.map(({ offset }) => arena[offset]);
  for (let i = 0; i < kernel.count; i++) {
    const registers: number[] = [];
    for (const { offset, mode } of kernel.inputs) {
      registers.push(mode === "each" ? arena[offset + i] : scalars[registers.length]);
    }
    for (const constant of kernel.constants) registers.push(Math.fround(constant));
    for (const { operation, operands, target } of kernel.steps) {
      const values = operands.map((operand) => registers[operand]);
      registers[target] = Math.fround(apply(operation, values));
    }
    for (const { register, offset } of kernel.outputs) arena[offset + i] = registers[register];
  }
}

function apply(operation: MapKernel["steps"][number]["operation"], values: readonly number[]): number {
  const [a = Number.NaN, b = Number.NaN, c = Number.NaN] = values;
  switch (operation) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return a * b;
    case "divide":
      return a / b;
    case "maximum":
      return Math.max(a, b);
    case "minimum":
      return Math.min(a, b);
    case "negate":
      return -a;
    case "absolute":
      return Math.abs(a);
    case "exp":
      return Math.exp(a);
    case "log":
      return Math.log(a);
    case "tanh":
      return Math.tanh(a);
    case "relu":
      return Math.max(a, 0);
    case "squareRoot":
      return Math.sqrt(a);
    case "greater":
      return a > b ? 1 : 0;
    case "greaterEqual":
      return a >= b ? 1 : 0;
    case "equal":
      return a === b ? 1 : 0;
    case "select":
      return a !== 0 ? b : c;
  }
}

function referenceMatmul(kernel: MatmulKernel, arena: Arena): void {
  const { m, k, n } = kernel;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = kernel.bias === null ? 0 : arena[kernel.bias + j];
      for (let l = 0; l < k; l++) {
        const a = arena[kernel.a + (kernel.transposeA ? l * m + i : i * k + l)];
        const b = arena[kernel.b + (kernel.transposeB ? j * k + l : l * n + j)];
        sum += a * b;
      }
      arena[kernel.out + i * n + j] = sum;
    }
  }
  if (kernel.epilogue) referenceMap(kernel.epilogue, arena);
}

export function convolutionLengths(s: ConvolutionSizes): { input: number; filter: number; output: number } {
  const height = Math.floor((s.height - s.filterHeight) / s.strideY) + 1;
  const width = Math.floor((s.width - s.filterWidth) / s.strideX) + 1;
  return {
    input: s.batch * s.height * s.width * s.channels,
    filter: s.filterHeight * s.filterWidth * s.channels * s.filters,
    output: s.batch * height * width * s.filters,
  };
}

function referenceConvolution(
  s: Conv2dKernel | Conv2dInputGradientKernel | Conv2dFilterGradientKernel,
  arena: Arena,
): void {
  const lengths = convolutionLengths(s);
  const height = Math.floor((s.height - s.filterHeight) / s.strideY) + 1;
  const width = Math.floor((s.width - s.filterWidth) / s.strideX) + 1;
  const length =
    s.kind === "conv2d" ? lengths.output : s.kind === "conv2dInputGradient" ? lengths.input : lengths.filter;
  arena.fill(0, s.out, s.out + length);
  const add = (index: number, value: number): void => {
    arena[s.out + index] = arena[s.out + index] + value;
  };
  for (let b = 0; b < s.batch; b++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let o = 0; o < s.filters; o++) {
          const output = ((b * height + y) * width + x) * s.filters + o;
          if (s.kind === "conv2d" && s.bias !== null) add(output, arena[s.bias + o]);
          for (let i = 0; i < s.filterHeight; i++)
            for (let j = 0; j < s.filterWidth; j++)
              for (let c = 0; c < s.channels; c++) {
                const row = b * s.height + y * s.strideY + i;
                const input = (row * s.width + x * s.strideX + j) * s.channels + c;
                const filter = ((i * s.filterWidth + j) * s.channels + c) * s.filters + o;
                if (s.kind === "conv2d") add(output, arena[s.input + input] * arena[s.filter + filter]);
                else if (s.kind === "conv2dInputGradient")
                  add(input, arena[s.cotangent + output] * arena[s.filter + filter]);
                else add(filter, arena[s.cotangent + output] * arena[s.input + input]);
              }
        }
  if (s.kind !== "conv2dFilterGradient" && s.epilogue) referenceMap(s.epilogue, arena);
}
