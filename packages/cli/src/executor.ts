import {
  createCompiledExecutor,
  createReferenceExecutor,
  createWasmMachine,
  type Executor,
  SoftrlError,
  suggestion,
} from "softrl";

const names = ["reference", "wasm"] as const;

/**
 * The executor that a run uses: WebAssembly, unless the environment variable SOFTRL_EXECUTOR forces another.
 * @throws SoftrlError for a name that is none.
 */
export async function chooseExecutor(forced: string | undefined): Promise<Executor> {
  const name = forced === undefined || forced === "" ? "wasm" : forced;
  if (name === "wasm") return createCompiledExecutor(await createWasmMachine());
  if (name === "reference") return createReferenceExecutor();
  throw new SoftrlError("SOFTRL_EXECUTOR", "unknown executor", {
    expected: names.join(" or "),
    got: JSON.stringify(name),
    remedy: suggestion(name, names),
  });
}
