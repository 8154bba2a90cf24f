/**
 * A loop that a figure may start again and again: it takes turns while `isGoing`, and there is one of it at a time. A start
 * while the loop has not ended yet, as when it waits between two turns, does nothing: the loop sees `isGoing` itself.
 * @param turn one turn, with what it waits for before the next; an error ends the loop
 * @returns starts the loop; resolves when it ends, or at once where it goes on already
 */
export function singleLoop(isGoing: () => boolean, turn: () => Promise<void>): () => Promise<void> {
  let isRunning = false;
  return async () => {
    if (isRunning) return;
    isRunning = true;
    try {
      while (isGoing()) await turn();
    } finally {
      isRunning = false;
    }
  };
}
