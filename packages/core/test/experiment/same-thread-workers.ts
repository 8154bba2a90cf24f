import {
  builtInAlgorithms,
  builtInNetworks,
  builtInOptimisers,
  type Executor,
  makeEnvironment,
  type ParentPort,
  runTrainingWorker,
  TrainingWorkers,
  type VectorEnvironment,
  type WorkerEvents,
  type WorkerHandle,
  type WorkerHost,
} from "softrl";

/** What a test does to the workers. */
export interface Intervention {
  /** The environments of a worker, in the order in which workers start. */
  readonly environment?: (worker: number) => VectorEnvironment;
  /** Called before a worker receives a message: false if it never does. */
  readonly delivers?: (worker: number, message: unknown) => boolean;
  readonly patience?: number;
}

/**
 * A worker in the thread of the test: messages are copied and arrive later, as those of a real one do.
 * @param begin starts what the worker runs
 */
export function sameThreadWorker(events: WorkerEvents, begin: (parent: ParentPort) => void): WorkerHandle {
  let listener: ((message: unknown) => void) | null = null;
  let isStopped = false;
  const waiting: unknown[] = [];
  const deliver = () => {
    while (listener !== null && waiting.length > 0) listener(waiting.shift());
  };
  begin({
    post(message, transfer = []) {
      const sent: unknown = structuredClone(message, { transfer });
      setImmediate(() => isStopped || events.message?.(sent));
    },
    listen(call) {
      listener = call;
      setImmediate(deliver);
    },
  });
  return {
    post(message) {
      waiting.push(structuredClone(message));
      setImmediate(deliver);
    },
    async stop() {
      isStopped = true;
    },
  };
}

/** Workers in the thread of the test, which take turns: the messages and the memory are those of real threads. */
export class SameThreadWorkers {
  started = 0;
  stopped = 0;
  readonly events: WorkerEvents[] = [];
  readonly workers: TrainingWorkers;

  constructor(executor: Executor, { environment, delivers, patience }: Intervention = {}) {
    const host: WorkerHost = {
      start: (_code, data, events): WorkerHandle => {
        const worker = this.started++;
        this.events.push(events);
        const begin = (parent: ParentPort) => {
          void runTrainingWorker(parent, structuredClone(data), (config) => ({
            kinds: {
              algorithm: kindOf(builtInAlgorithms, config.algorithm.name),
              network: kindOf(builtInNetworks, config.network.name),
              optimiser: kindOf(builtInOptimisers, config.optimiser.name),
            },
            environment: inTurns(
              environment?.(worker) ?? makeEnvironment(config.environment.id, config.environment.count),
            ),
            executor,
          }));
        };
        const handle = sameThreadWorker(events, (parent) => setImmediate(begin, parent));
        return {
          post: (message) => {
            if (delivers?.(worker, message) !== false) handle.post(message);
          },
          stop: () => {
            this.stopped++;
            return handle.stop();
          },
        };
      },
      wait: () => false,
      every: (milliseconds, call) => {
        const timer = setInterval(call, milliseconds);
        return () => clearInterval(timer);
      },
    };
    this.workers = new TrainingWorkers({
      host,
      code: { module: "", entry: "" },
      ...(patience === undefined ? {} : { patience }),
    });
  }
}

/** The environments, whose every step lets the other workers take one. */
function inTurns(environment: VectorEnvironment): VectorEnvironment {
  const { step } = environment;
  environment.step = async (actions) => {
    await step.call(environment, actions);
    await new Promise(setImmediate);
  };
  return environment;
}

function kindOf<Kind extends { readonly name: string }>(kinds: readonly Kind[], name: string): Kind {
  const kind = kinds.find((candidate) => candidate.name === name);
  if (kind === undefined) throw new Error(`there is no ${name}`);
  return kind;
}
