import type { ParentPort, WorkerEntry } from "softrl";

/** The first message of a worker: the entry to call, and what to call it with. */
export interface EntryMessage {
  readonly entry: string;
  readonly data: unknown;
}

/** Makes the module that calls it the module of a worker: calls the entry that the page asks for. */
export function serveEntries(entries: Readonly<Record<string, WorkerEntry>>): void {
  let listener: ((message: unknown) => void) | null = null;
  const waiting: unknown[] = [];
  const parent: ParentPort = {
    post: (message, transfer = []) => self.postMessage(message, { transfer }),
    listen(call) {
      listener = call;
      for (const message of waiting.splice(0)) call(message);
    },
  };
  let isStarted = false;
  self.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    if (isStarted) {
      if (listener === null) waiting.push(data);
      else listener(data);
      return;
    }
    isStarted = true;
    void start(entries, parent, data as EntryMessage);
  });
}

/** A worker that fails throws where the page hears of it: a rejected promise would not reach it. */
async function start(
  entries: Readonly<Record<string, WorkerEntry>>,
  parent: ParentPort,
  { entry, data }: EntryMessage,
): Promise<void> {
  try {
    await entries[entry](parent, data);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}

/** Resolves once the messages that have arrived are delivered; unlike a timer, without a least delay. */
export function afterMessages(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  let resume = (): void => {};
  port1.onmessage = () => resume();
  return () =>
    new Promise((resolve) => {
      resume = resolve;
      port2.postMessage(null);
    });
}
