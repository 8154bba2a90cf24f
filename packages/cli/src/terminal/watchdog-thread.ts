/** The thread of {@link startWatchdog}: it works while the main thread is blocked. */
import { workerData } from "node:worker_threads";
import type { WatchdogData } from "./watchdog.js";

const MILLISECONDS_BETWEEN_LOOKS = 1000;
const { parent, seconds } = workerData as WatchdogData;
let lastSeen = performance.now();

setInterval(() => {
  const now = performance.now();
  if (isThere()) lastSeen = now;
  else if (now - lastSeen > seconds * 1000) process.kill(process.pid, "SIGKILL");
}, MILLISECONDS_BETWEEN_LOOKS);

/** Another process becomes the parent when it ends; on Windows its number stays. */
function isThere(): boolean {
  if (process.ppid !== parent) return false;
  try {
    return process.kill(parent, 0);
  } catch {
    return false;
  }
}
