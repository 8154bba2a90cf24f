import { setTimeout as delay } from "node:timers/promises";
import type { LiveClients } from "./live-clients.js";
import { watchParts } from "./watch-parts.js";
import type { WatchedRuns } from "./watched-runs.js";

const READ_MILLISECONDS = 200;
const SCAN_MILLISECONDS = 1500;
/** A run turns quiet without writing anything. */
const REDRAW_MILLISECONDS = 10_000;
/** Pauses after reading and between drawings, as multiples of the time that they took: training has the machine. */
const READ_REST = 2;
const DRAW_REST = 6;

/** Reads what the runs write, and draws it for the pages that are open, until the signal. */
export async function followRuns(
  runs: WatchedRuns,
  clients: LiveClients,
  signal: AbortSignal,
): Promise<void> {
  let [nextScan, nextDraw, lastDraw] = [0, 0, 0];
  let isNew = true;
  while (!signal.aborted) {
    const began = performance.now();
    if (began >= nextScan) {
      isNew = runs.scan() || isNew;
      nextScan = began + Math.max(SCAN_MILLISECONDS, DRAW_REST * (performance.now() - began));
    }
    const { changed, isBehind } = await runs.read();
    isNew = changed || isNew;
    const now = performance.now();
    const isDue = (isNew && now >= nextDraw) || now - lastDraw > REDRAW_MILLISECONDS;
    // Without a page, nothing is drawn; the first frames are made before anyone asks.
    if (isDue && (clients.count > 0 || lastDraw === 0)) {
      clients.publish(watchParts(runs.all, runs.leftOut, Date.now()));
      isNew = false;
      lastDraw = performance.now();
      nextDraw = lastDraw + DRAW_REST * (lastDraw - now);
    }
    const rest = isBehind ? 0 : Math.max(READ_MILLISECONDS, READ_REST * (performance.now() - began));
    await delay(rest, undefined, { signal }).catch(() => {});
  }
}
