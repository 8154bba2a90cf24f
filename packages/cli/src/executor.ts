import {
  createCompiledExecutor,
  createReferenceExecutor,
  createWasmMachine,
  type Executor,
  SoftrlError,
  suggestion,
} from "softrl";

const names = ["reference", "wasm", "native"] as const;

/**
 * The executor that a run uses: native if it is installed and works here, else WebAssembly, unless the environment
 * variable SOFTRL_EXECUTOR forces one.
 * @throws SoftrlError for a name that is none, and for a forced one that does not work here.
 */
export async function chooseExecutor(forced: string | undefined): Promise<Executor> {
  const name = forced === undefined || forced === "" ? await best() : forced;
  if (name === "wasm") return createCompiledExecutor(await createWasmMachine());
  if (name === "reference") return createReferenceExecutor();
  if (name === "native") {
    const native = await importNative();
    if (native !== null) return native.createNativeExecutor();
    throw new SoftrlError("SOFTRL_EXECUTOR", "@softrl/native is not installed", {
      remedy: "install it, or use WebAssembly (SOFTRL_EXECUTOR=wasm)",
    });
  }
  throw new SoftrlError("SOFTRL_EXECUTOR", "unknown executor", {
    expected: names.join(" or "),
    got: JSON.stringify(name),
    remedy: suggestion(name, names),
  });
}

async function best(): Promise<"native" | "wasm"> {
  const native = await importNative();
  return native?.inspectNative().available === true ? "native" : "wasm";
}

/** The optional package, or null where it is not installed. */
async function importNative(): Promise<typeof import("@softrl/native") | null> {
  try {
    return await import("@softrl/native");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return null;
    throw error;
  }
}
