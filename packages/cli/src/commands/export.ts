import { basename, dirname, extname, join } from "node:path";
import { SoftrlError } from "softrl";
import { type ExportedPolicy, exportedPolicy } from "../exports/exported-policy.js";
import { makeFolders } from "../files/make-folders.js";
import { requireFree, writeTogether } from "../files/out-file.js";
import { writeWhole } from "../files/regular-file.js";
import { outFault } from "../files/write-fault.js";
import { partsOfOptions } from "../options/part-options.js";
import { type OptionValues, policyOption, textOption } from "../options/plain-options.js";
import { openSavedRun } from "../runs/saved-run.js";
import { requireTrust } from "../runs/trusted-run.js";
import { shownPath } from "../terminal/shown-path.js";
import { counted, type Terminal, writeJson } from "../terminal/terminal.js";

type Format = "onnx" | "js";

/** A file to write. */
interface OutFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** `softrl export <run-folder>`: writes the policy of a run for programs without softrl. */
export async function exportCommand(
  runFolder: string,
  options: OptionValues,
  terminal: Terminal,
): Promise<number> {
  const format = formatOption(options.to);
  const out = textOption(options, "out") ?? `policy.${format}`;
  requireEnding(out, format);
  const weightsOut = weightsPath(out, format, options.weightsFile === true);
  const paths = [
    out,
    ...(format === "js" ? [typesPath(out)] : []),
    ...(weightsOut === null ? [] : [weightsOut]),
  ];
  const overwrite = options.overwrite === true;
  for (const path of paths) requireFree(path, overwrite);
  const source = policyOption(options.policy);
  const named = partsOfOptions(options);
  const trust = options.trust === true;
  const run = requireTrust(openSavedRun(runFolder, source), { named, restores: false, trust });
  const policy = await exportedPolicy(run, named, textOption(options, "outputs"));
  const { files, gzipped } = await filesOf(policy, format, out, weightsOut);
  try {
    makeFolders(dirname(out));
    writeTogether(
      files.map(({ path }) => path),
      overwrite,
      (opened) => {
        for (const [i, file] of opened.entries()) writeWhole(file, files[i].bytes);
      },
    );
  } catch (error) {
    throw outFault(out, error);
  }
  const written = files.map(({ path, bytes }) => ({ file: path, bytes: bytes.length }));
  if (options.json === true) {
    const { outputs, about } = policy;
    const size = gzipped === null ? {} : { gzipped };
    writeJson(terminal.out, {
      format,
      policy: source,
      outputs,
      ...about,
      files: written,
      ...size,
      runFolder,
    });
  } else {
    terminal.out.write(`${policy.title}: ${policy.outputs.join(", ")}\n`);
    for (const { file, bytes } of written) {
      const note = gzipped !== null && file === out ? `, ${counted(gzipped)} gzipped` : "";
      terminal.out.write(`${shownPath(file)}: ${counted(bytes)} bytes${note}\n`);
    }
  }
  return 0;
}

async function filesOf(
  policy: ExportedPolicy,
  format: Format,
  out: string,
  weightsOut: string | null,
): Promise<{ readonly files: readonly OutFile[]; readonly gzipped: number | null }> {
  if (format === "onnx") {
    const { onnxPolicy } = await import("../exports/onnx-policy.js");
    return { files: [{ path: out, bytes: onnxPolicy(policy) }], gzipped: null };
  }
  if (!policy.outputs.includes("logPi")) {
    throw new SoftrlError("--outputs", "a module that acts needs the policy", {
      expected: "policy among the outputs",
      got: policy.outputs.join(", "),
    });
  }
  const { javaScriptPolicy } = await import("../exports/javascript-policy.js");
  const name = weightsOut === null ? null : basename(weightsOut);
  const { module, types, weights, gzipped } = javaScriptPolicy(policy, name);
  const files: OutFile[] = [
    { path: out, bytes: Buffer.from(module) },
    { path: typesPath(out), bytes: Buffer.from(types) },
  ];
  if (weightsOut !== null && weights !== null) files.push({ path: weightsOut, bytes: weights });
  return { files, gzipped };
}

const endings: Readonly<Record<Format, readonly string[]>> = { onnx: [".onnx"], js: [".js", ".mjs"] };

function formatOption(format: unknown): Format {
  if (format === "onnx" || format === "js") return format;
  throw new SoftrlError("--to", format === undefined ? "the format is missing" : "invalid value", {
    expected: '"onnx" or "js"',
    got: format === undefined ? "no --to" : JSON.stringify(format),
  });
}

function requireEnding(out: string, format: Format): void {
  if (endings[format].includes(extname(out))) return;
  throw new SoftrlError("--out", "the name does not fit the format", {
    expected: `a file that ends in ${endings[format].join(" or ")}`,
    got: JSON.stringify(out),
  });
}

/** Where TypeScript looks for a module's declarations: policy.d.ts, or policy.d.mts. */
const typesPath = (out: string): string => out.replace(/\.(m?)js$/, ".d.$1ts");

/** Beside the module, under its name: policy.weights.bin. */
function weightsPath(out: string, format: Format, wanted: boolean): string | null {
  if (!wanted) return null;
  if (format === "js") return join(dirname(out), `${basename(out, extname(out))}.weights.bin`);
  throw new SoftrlError("--weights-file", "an ONNX model holds its weights", {
    expected: "--to js",
    remedy: "leave --weights-file out",
  });
}
