import { isRecord } from "softrl";
import type { SavedEvent } from "../runs/event-file.js";
import { settingsIn } from "../runs/run-settings.js";
import { meanOf } from "../runs/run-statistics.js";
import { endRecord, hyperParametersRecord, type Scalar, scalarsRecord } from "./event-records.js";

/**
 * The events of a run as TensorBoard's records. An event's numbers go to the tags `<event>/<name>`; the figures of
 * updates to `figures/<name>`. Numbers that are not there, and numbers that are not finite, have no point.
 *
 * Several environments may end an episode at the same step, where TensorBoard shows one point of a tag: it gets their
 * mean, when the next event shows that there are no more.
 */
export class RunSummaries {
  #episodes: { readonly step: number; readonly ended: SavedEvent[] } | null = null;

  /** The records to write once this event has come. @param wallTime in seconds since 1970 */
  of(event: SavedEvent, wallTime: number): readonly Uint8Array[] {
    const step = Number(event.step ?? 0);
    if (event.event === "episode") {
      if (this.#episodes?.step === step) {
        this.#episodes.ended.push(event);
        return [];
      }
      const before = this.rest(wallTime);
      this.#episodes = { step, ended: [event] };
      return before;
    }
    return [...this.rest(wallTime), ...recordsOf(event, step, wallTime)];
  }

  /** The records of the episodes that no other event has followed. */
  rest(wallTime: number): readonly Uint8Array[] {
    if (this.#episodes === null) return [];
    const { step, ended } = this.#episodes;
    this.#episodes = null;
    const mean = (name: string) => meanOf(ended.map((event) => Number(event[name])));
    const scalars = scalarsIn("episode", { return: mean("return"), length: mean("length") });
    return scalars.length === 0 ? [] : [scalarsRecord(wallTime, step, scalars)];
  }
}

function recordsOf(event: SavedEvent, step: number, wallTime: number): readonly Uint8Array[] {
  if (event.event === "started") return [hyperParametersRecord(wallTime, settingsIn(event.config))];
  if (event.event === "finished" || event.event === "failed") {
    return [endRecord(wallTime, event.event === "finished")];
  }
  const scalars = scalarsOf(event);
  return scalars.length === 0 ? [] : [scalarsRecord(wallTime, step, scalars)];
}

/** The points of an event that is not the end of an episode. */
export function scalarsOf(event: SavedEvent): readonly Scalar[] {
  switch (event.event) {
    case "update": {
      const { meanReturn, learningRate, seconds, figures } = event;
      return [
        ...scalarsIn("update", { meanReturn, learningRate, seconds }),
        ...scalarsIn("figures", figures),
      ];
    }
    case "evaluation": {
      const { meanReturn, standardDeviation, cut } = event;
      return scalarsIn("evaluation", { meanReturn, standardDeviation, cut });
    }
    case "oracle":
      return scalarsIn("oracle", event.figures);
    case "set":
      return scalarsIn("set", event.settings);
    default:
      return [];
  }
}

function scalarsIn(group: string, numbers: unknown): readonly Scalar[] {
  if (!isRecord(numbers)) return [];
  return Object.entries(numbers).flatMap(([name, value]) =>
    typeof value === "number" && Number.isFinite(value) ? [{ tag: `${group}/${name}`, value }] : [],
  );
}
