export { type InstructionSet, type NativeReport, nativeInstructionSets } from "./addon.js";
export {
  createNativeExecutor,
  createNativeMachine,
  inspectNative,
  type NativeOptions,
} from "./native-machine.js";
