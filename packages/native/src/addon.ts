import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { kernelsDigest, type SharedAccess } from "softrl";

/** The instruction sets that the kernels are compiled for, best first. */
export const nativeInstructionSets = ["avx512", "avx2", "baseline"] as const;
export type InstructionSet = (typeof nativeInstructionSets)[number];

/** Whether the native kernels are available on this machine, and how they run. */
export type NativeReport =
  | {
      readonly available: true;
      /** The instruction set in use, and all that this machine supports. */
      readonly instructionSet: InstructionSet;
      readonly supported: readonly InstructionSet[];
      readonly threads: number;
    }
  | { readonly available: false; readonly reason: string };

/** The interface of addon/addon.cpp. */
export interface Addon {
  readonly interfaceVersion: number;
  /** The digest of the kernel sources that it was built from. */
  readonly kernels: string;
  /** Name, whether this machine supports it, name, … */
  readonly instructionSets: readonly (string | boolean)[];
  /** The memory of the arena (null when there is not enough), followed by one function per program. */
  readonly instantiate: (
    arenaLength: number,
    programs: readonly Int32Array<ArrayBuffer>[],
    instructionSet: number,
    threads: number,
  ) => readonly [ArrayBuffer | null, ...(() => void)[]];
  /** Throws unless all arrays are of float32 and of the same length. */
  readonly sharedAccess: SharedAccess;
}

const interfaceVersion = 3;

export type LoadedAddon =
  | { readonly found: true; readonly addon: Addon }
  | { readonly found: false; readonly reason: string; readonly cause?: unknown };

let loaded: LoadedAddon | undefined;

/** Loads the addon once: a local build or a prebuilt one, or the file in SOFTRL_NATIVE_ADDON. */
export function loadAddon(): LoadedAddon {
  loaded ??= load(process.env.SOFTRL_NATIVE_ADDON);
  return loaded;
}

function load(forced: string | undefined): LoadedAddon {
  const require = createRequire(import.meta.url);
  try {
    const addon: Addon =
      forced === undefined || forced === ""
        ? require("node-gyp-build")(fileURLToPath(new URL("..", import.meta.url)))
        : require(forced);
    if (addon.interfaceVersion !== interfaceVersion) {
      return { found: false, reason: "the addon was built from a different version of this package" };
    }
    if (addon.kernels !== kernelsDigest) {
      const reason =
        "the addon was built from other kernels than those of softrl; run `npm run build` to rebuild it";
      return { found: false, reason };
    }
    return { found: true, addon };
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { found: false, reason: reason ?? "", cause: error };
  }
}

/** The instruction sets that are compiled and that this machine supports, best first, with their index. */
export function supportedSets(
  addon: Addon,
): readonly { readonly name: InstructionSet; readonly index: number }[] {
  return nativeInstructionSets.flatMap((name) => {
    const at = addon.instructionSets.indexOf(name);
    return at >= 0 && addon.instructionSets[at + 1] === true ? [{ name, index: at / 2 }] : [];
  });
}
