// @ts-check

/**
 * What a watched executor has loaded and run.
 * @typedef {object} Watched
 * @property {import("softrl").Executor} executor the executor to train with
 * @property {() => import("softrl").Session} session the session that was loaded last
 * @property {() => number} updates runs of its program `update` so far
 */

/**
 * An executor that counts the optimiser's steps of an algorithm, and hands out the programs that it trains with, so that
 * they can be timed alone.
 * @param {import("softrl").Executor} executor
 * @returns {Watched}
 */
export function watchedExecutor(executor) {
  /** @type {import("softrl").Session | null} */
  let loaded = null;
  let updates = 0;
  return {
    executor: {
      ...executor,
      load(programs, recording) {
        const session = executor.load(programs, recording);
        const all = /** @type {Readonly<Record<string, import("softrl").LoadedProgram>>} */ (
          session.programs
        );
        const { update } = all;
        const counted = {
          ...update,
          run() {
            updates++;
            update.run();
          },
        };
        loaded = session;
        return { ...session, programs: { ...session.programs, update: counted } };
      },
    },
    session() {
      if (loaded === null) throw new Error("bench: the algorithm has loaded no programs");
      return loaded;
    },
    updates: () => updates,
  };
}
