import {
  createReferenceExecutor,
  oneLine,
  policyOf,
  SoftrlError,
  type Space,
  type TracedPolicy,
  tracePolicy,
  version,
} from "softrl";
import { findNetwork, type NamedParts } from "../parts/run-parts.js";
import { environmentTitle } from "../runs/run-report.js";
import { savedEnvironment, savedTitle } from "../runs/saved-policy.js";
import { savedParts, type TrustedRun } from "../runs/saved-run.js";
import { type ExportedOutput, exportedOutputs, outputsOf } from "./policy-steps.js";
import { requireSeparateRows } from "./separate-rows.js";

/** A saved policy, ready to be written down for another program. */
export interface ExportedPolicy {
  /** What an error names: the file that it was saved in. */
  readonly where: string;
  /** One line for people. */
  readonly title: string;
  /** Where it comes from, for programs. */
  readonly about: PolicyOrigin;
  readonly observationSpace: Space;
  readonly outputs: readonly ExportedOutput[];
  /** The policy for this number of observations. */
  trace(rows: number): TracedPolicy;
}

/** Where an exported policy comes from. */
export interface PolicyOrigin {
  readonly algorithm: string;
  readonly environment: string;
  readonly network: string;
  /** τ of Q = V + τ log(π/π̄); 0 for a greedy policy, null where there is none. */
  readonly tau: number | null;
  /** Environment steps that it was trained for. */
  readonly step: number;
  /** The shape of an observation, and what its numbers are. */
  readonly observationShape: readonly number[];
  readonly observationType: "float32" | "uint8";
  /** A */
  readonly actions: number;
  /** Of softrl. */
  readonly version: string;
}

const optionNames: Readonly<Record<ExportedOutput, string>> = { logPi: "policy", v: "value", q: "q" };

/**
 * The policy of a saved run.
 * @param wanted the names in `--outputs`; all that the policy has where it is undefined
 * @throws SoftrlError for a policy that only its algorithm can make, for outputs that it does not have, and for a network
 *   whose output for one observation depends on the others in its batch.
 */
export async function exportedPolicy(
  run: TrustedRun,
  named: NamedParts,
  wanted: string | undefined,
): Promise<ExportedPolicy> {
  const { path, snapshot, config, step } = run;
  const network = await findNetwork(savedParts(run, named));
  const options = (rows: number) => ({ where: path, networks: [network], rows });
  const trace = (rows: number) => tracePolicy(snapshot, options(rows));
  const policy = trace(1);
  const { observationSpace, form } = policy;
  const { observationShape, actions } = policy.network;
  const has = outputsOf(policy);
  const available = exportedOutputs.filter((name) => has[name] !== undefined);
  const outputs = wanted === undefined ? available : chosenOutputs(wanted, available);
  const policyFor = (rows: number) => policyOf(snapshot, createReferenceExecutor(), options(rows));
  requireSeparateRows(path, policyFor, outputs);
  const title = await savedTitle(run, named);
  const environment = environmentTitle({ environment: savedEnvironment(run) });
  return {
    where: path,
    title: oneLine(`${title} on ${environment} after ${step} steps`, 200),
    about: {
      algorithm: oneLine(config.names.algorithm ?? "", 100),
      environment,
      network: network.name,
      tau: form.tau,
      step,
      observationShape,
      observationType: observationSpace.kind === "box" ? observationSpace.dtype : "float32",
      actions,
      version,
    },
    observationSpace,
    outputs,
    trace,
  };
}

function chosenOutputs(text: string, available: readonly ExportedOutput[]): readonly ExportedOutput[] {
  const names = text.split(",").map((name) => name.trim());
  const known = available.map((output) => optionNames[output]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new SoftrlError("--outputs", "the policy has no such output", {
      expected: `one or more of ${known.join(", ")}, separated by commas`,
      got: JSON.stringify(unknown),
      ...(unknown === "q"
        ? { remedy: "Q needs a value of returns with the bonus: see docs/checkpoints.md" }
        : {}),
    });
  }
  return available.filter((output) => names.includes(optionNames[output]));
}
