import type { WorkerCode, WorkerHost } from "softrl";
import type { EntryMessage } from "./serve-entries.js";

/** Opens the worker of a module: with a bundler, `() => new Worker(new URL("./worker.js", import.meta.url), …)`. */
export type OpenWorker = (module: string) => Worker;

/**
 * Threads from a page's module workers. They share no memory unless what they run does, so that a page needs no
 * cross-origin isolation. The module of a worker calls `serveEntries`.
 *
 * A browser does not report a worker that closes itself, so `ended` is called after errors alone: a worker that leaves has
 * to say so in its last message.
 *
 * Code that is a script, such as that of WebAssembly's threads, is opened as a blob: it needs a page that is cross-origin
 * isolated and whose policy has `worker-src blob:`.
 */
export function browserWorkers(
  open: OpenWorker = (module) => new Worker(module, { type: "module", name: "softrl" }),
): WorkerHost {
  return {
    start(code, data, { message, ended }) {
      const worker = "module" in code ? open(code.module) : openScript(code.script);
      let isOver = false;
      const end = (cause: unknown) => {
        if (isOver) return;
        isOver = true;
        worker.terminate();
        ended(cause);
      };
      worker.addEventListener("message", (event: MessageEvent<unknown>) => {
        if (!isOver) message?.(event.data);
      });
      worker.addEventListener("messageerror", () => end(new Error("a message could not be read")));
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        end(new Error(event.message ?? "the worker's script could not be loaded"));
      });
      worker.postMessage("module" in code ? firstMessage(code.entry, data) : data);
      return {
        post: (sent) => worker.postMessage(sent),
        async stop() {
          isOver = true;
          worker.terminate();
        },
      };
    },
    wait: (words, index, value, milliseconds) =>
      Atomics.wait(words, index, value, milliseconds) !== "timed-out",
    every(milliseconds, call) {
      const timer = setInterval(call, milliseconds);
      return () => clearInterval(timer);
    },
  };
}

const firstMessage = (entry: string, data: unknown): EntryMessage => ({ entry, data });

/** A worker of a function's text, called with the first message. */
function openScript(script: Extract<WorkerCode, { readonly script: unknown }>["script"]): Worker {
  const text = `onmessage = ({ data }) => { onmessage = null; (${script})(data); };`;
  const address = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(address, { name: "softrl" });
  URL.revokeObjectURL(address);
  return worker;
}
