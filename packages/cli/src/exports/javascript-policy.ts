import { gzipSync } from "node:zlib";
import type { ExportedPolicy, PolicyOrigin } from "./exported-policy.js";
import { javaScriptCode } from "./javascript-code.js";
import { stepsOfOne } from "./policy-steps.js";

/** An exported policy as a JavaScript module. */
export interface JavaScriptPolicy {
  readonly module: string;
  /** Its declarations, for TypeScript. */
  readonly types: string;
  /** The weights, float32 and little-endian, where they are in a file of their own; else null. */
  readonly weights: Uint8Array | null;
  /** Bytes of the module after gzip. */
  readonly gzipped: number;
}

/** Types by their TypeScript. */
interface TypesByText {
  readonly string: string;
  readonly number: number;
  readonly "number | null": number | null;
  readonly "readonly number[]": readonly number[];
  readonly '"float32" | "uint8"': "float32" | "uint8";
}

/** The TypeScript of a type: only that of the same type is assignable. */
type TextOf<Type> = {
  readonly [Text in keyof TypesByText]: [Type, TypesByText[Text]] extends [TypesByText[Text], Type]
    ? Text
    : never;
}[keyof TypesByText];

/** The declarations of {@link PolicyOrigin}, which the compiler compares with it. */
const originTypes: { readonly [Name in keyof PolicyOrigin]: TextOf<PolicyOrigin[Name]> } = {
  algorithm: "string",
  environment: "string",
  network: "string",
  tau: "number | null",
  step: "number",
  observationShape: "readonly number[]",
  observationType: '"float32" | "uint8"',
  actions: "number",
  version: "string",
};

/**
 * A policy as an ES module without imports, for a page or any other JavaScript runtime.
 *
 * @param weightsFile the name of the file that will hold the weights, beside the module; null to put them into the module
 */
export function javaScriptPolicy(
  { where, title, about, trace, outputs }: ExportedPolicy,
  weightsFile: string | null,
): JavaScriptPolicy {
  const traced = trace(1);
  const { declarations, body, weights, outputs: read } = javaScriptCode(where, stepsOfOne(traced, outputs));
  const bytes = new Uint8Array(weights.buffer);
  const { observationShape, observationType, actions } = about;
  const size = observationShape.reduce((product, length) => product * length, 1);
  const list = (name: "logPi" | "q") => {
    const output = read.get(name);
    return output === undefined
      ? "null"
      : `Float64Array.from({ length: ${output.length} }, (_, i) => ${output.read("i")})`;
  };
  const module = `// ${title}: written by softrl export. No imports; change nothing here.

/** Where the policy comes from. */
export const about = ${JSON.stringify(about, null, 2)};

${weightsFile === null ? weightsInside(bytes) : weightsBeside(weightsFile, weights.length)}
${declarations}

function run(observation) {
${indented(body)}
}

/** What the policy gives for one observation: log π [${actions}], V and Q [${actions}]; throws a RangeError for others. */
export function evaluate(observation) {
  if (observation?.length !== ${size}) {
    throw new RangeError(\`evaluate: expected ${size} numbers, got \${observation?.length}\`);
  }
  for (let i = 0; i < ${size}; i++) {
    if (Number.isFinite(observation[i])) continue;
    throw new RangeError(\`evaluate: expected finite numbers, got \${observation[i]} at \${i}\`);
  }
  run(observation);
  const logPi = ${list("logPi")};
  if (logPi.some(Number.isNaN)) throw new RangeError("evaluate: the numbers are too large: log π is not a number");
  return {
    logPi,
    v: ${read.get("v")?.read("0") ?? "null"},
    q: ${list("q")},
  };
}

/** The most likely action. */
export function act(observation) {
  const { logPi } = evaluate(observation);
  return logPi.indexOf(Math.max(...logPi));
}

/** An action drawn from π. */
export function sample(observation, random = Math.random) {
  const { logPi } = evaluate(observation);
  let left = random();
  for (let a = 0; a < logPi.length; a++) {
    left -= Math.exp(logPi[a]);
    if (left < 0) return a;
  }
  return act(observation);
}
`;
  const types = `/** Where the policy comes from. */
export declare const about: {
${Object.entries(originTypes)
  .map(([name, type]) => `  readonly ${name}: ${type};`)
  .join("\n")}
};

/** log π [${actions}], V, and Q [${actions}]; null for what was not exported. */
export interface PolicyOutputs {
  readonly logPi: Float64Array;
  readonly v: number | null;
  readonly q: Float64Array | null;
}

/**
 * What the policy gives for one observation.
 * @param observation ${size} finite numbers: [${observationShape.join(", ")}] ${observationType}, row-major
 * @throws RangeError for another length, for a number that is not finite, and for numbers so large that the policy overflows.
 */
export declare function evaluate(observation: ArrayLike<number>): PolicyOutputs;
/** The most likely action, an integer in [0, ${actions}). */
export declare function act(observation: ArrayLike<number>): number;
/**
 * An action drawn from π.
 * @param random gives numbers in [0, 1); Math.random by default
 */
export declare function sample(observation: ArrayLike<number>, random?: () => number): number;
`;
  return { module, types, weights: weightsFile === null ? null : bytes, gzipped: gzipSync(module).length };
}

const indented = (code: string): string => code.replaceAll(/^/gm, "  ");

const weightsInside = (bytes: Uint8Array): string =>
  `const base64 = "${Buffer.from(bytes).toString("base64")}";
const weights = new Float32Array(Uint8Array.from(atob(base64), (text) => text.charCodeAt(0)).buffer);`;

/** A page fetches the file; Node, whose fetch reads no files, opens it. */
const weightsBeside = (name: string, count: number): string =>
  `const place = new URL(${JSON.stringify(`./${encodeURIComponent(name)}`)}, import.meta.url);
const files = place.protocol === "file:" ? globalThis.process?.getBuiltinModule?.("node:fs") : undefined;
const bytes = files === undefined ? await fetched(place) : Uint8Array.from(files.readFileSync(place));
if (bytes.byteLength !== ${4 * count}) throw new Error(\`\${place}: expected ${4 * count} bytes, got \${bytes.byteLength}\`);
const weights = new Float32Array(bytes.buffer);

async function fetched(place) {
  const response = await fetch(place);
  if (!response.ok) throw new Error(\`\${place}: \${response.status} \${response.statusText}\`);
  return new Uint8Array(await response.arrayBuffer());
}
`;
