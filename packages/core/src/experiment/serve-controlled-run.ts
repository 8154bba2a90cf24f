import { describeValue, SoftrlError } from "../base/errors.js";
import { isRecord } from "../base/record.js";
import type { ParentPort } from "../base/worker-host.js";
import type { ControlAnswer, ControlCommand, ControlReply, ControlRequest } from "./control-messages.js";
import { ControlledRun, type ControlParts } from "./controlled-run.js";
import { sentError } from "./worker-messages.js";

/** What the thread of a controlled run offers. */
export interface ControlThread {
  /** Resolves once messages that have arrived are delivered; called about a hundred times a second. */
  pause(): Promise<void>;
}

/** Seconds of training between two pauses: a frame of a screen is 0.016. */
const SECONDS_BETWEEN_PAUSES = 0.008;

/** A `run` that is not answered yet. */
interface Goal {
  readonly id: number;
  /** The step to train to; null for no end. */
  readonly until: number | null;
}

/**
 * The worker of a page that trains: carries out the commands of a `RunControl` until one of them closes it. What cannot be
 * done is answered with an error, and the run stays as it was.
 */
export async function serveControlledRun(
  parent: ParentPort,
  parts: ControlParts,
  { pause }: ControlThread,
): Promise<void> {
  const run = new ControlledRun(parts);
  const inbox: ControlRequest[] = [];
  let wake = (): void => {};
  let goal: Goal | null = null;
  parent.listen((message) => {
    inbox.push(checkedRequest(message));
    wake();
  });
  const post = (reply: ControlReply) => parent.post(reply);
  const answering = async (id: number, work: () => ControlAnswer | Promise<ControlAnswer>) => {
    try {
      const answer = await work();
      // A picture is large, and needed by the page alone.
      if (answer !== null && "picture" in answer) parent.post({ id, answer }, [answer.picture.rgba.buffer]);
      else post({ id, answer });
    } catch (error) {
      post({ id, error: sentError(error) });
    }
  };
  const endGoal = () => {
    const { id } = goal ?? { id: -1 };
    goal = null;
    return id === -1 ? undefined : answering(id, () => run.state());
  };
  const train = async (present: Goal) => {
    try {
      if (await trainSlice(run, present.until, parts.clock)) await endGoal();
      else await pause();
    } catch (error) {
      goal = null;
      post({ id: present.id, error: sentError(error) });
    }
  };
  for (;;) {
    const request = inbox.shift();
    if (request !== undefined) {
      const { id, command } = request;
      // Another run, a pause or another goal ends the one before.
      if (["start", "load", "run", "pause", "close"].includes(command.kind)) await endGoal();
      if (command.kind === "run") goal = goalOf(run, id, command.steps, post);
      else await answering(id, () => carryOut(run, command));
      if (command.kind === "close") return;
    } else if (goal !== null) await train(goal);
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
}

/** Trains for some milliseconds. @returns whether the goal is reached */
async function trainSlice(
  run: ControlledRun,
  until: number | null,
  clock: (() => number) | undefined,
): Promise<boolean> {
  const began = clock?.() ?? 0;
  do {
    if (run.done && until === null) await run.extend();
    if (run.done || (until !== null && run.step >= until)) return true;
    await run.iterate();
  } while (clock !== undefined && clock() - began < SECONDS_BETWEEN_PAUSES);
  return until !== null && run.step >= until;
}

function goalOf(
  run: ControlledRun,
  id: number,
  steps: number | null,
  post: (reply: ControlReply) => void,
): Goal | null {
  try {
    if (steps !== null && !(steps > 0)) {
      throw new SoftrlError("run", "steps is out of range", {
        expected: "a number above 0, or null for no end",
        got: describeValue(steps),
      });
    }
    return { id, until: steps === null ? null : run.step + steps };
  } catch (error) {
    post({ id, error: sentError(error) });
    return null;
  }
}

function carryOut(
  run: ControlledRun,
  command: Exclude<ControlCommand, { readonly kind: "run" }>,
): ControlAnswer | Promise<ControlAnswer> {
  switch (command.kind) {
    case "start":
      return run.start(command.choice);
    case "load":
      return run.load(command.checkpoint);
    case "pause":
      return run.state();
    case "set":
      return run.set(command.settings);
    case "save":
      return run.save();
    case "play":
      return run.play(command);
    case "evaluate":
      return run.evaluate(command);
    case "measure":
      return run.measure();
    case "close":
      return run.close().then(() => null);
    default:
      throw new SoftrlError("serveControlledRun", "unknown command", { got: describeValue(command) });
  }
}

/** @throws SoftrlError for a message that is not a request: it has no one to be answered to. */
function checkedRequest(message: unknown): ControlRequest {
  if (isRecord(message) && typeof message.id === "number" && isRecord(message.command)) {
    return { id: message.id, command: message.command as ControlCommand };
  }
  throw new SoftrlError("serveControlledRun", "not a request", {
    expected: "{ id, command }",
    got: describeValue(message),
  });
}
