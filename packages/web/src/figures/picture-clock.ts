/** When the screens of the race change. */

/** Pictures of an agent in a second, at most: each costs its worker and the page time that the training needs. */
const MOST_PICTURES = 20;

/** Steps between two pictures. @param pace steps in a second */
export const stepsOfPicture = (pace: number): number => Math.ceil(pace / MOST_PICTURES);

/**
 * Resolves when the next picture is due, by one clock, so that both screens change in the same frame and the page is
 * painted once for both; and by a timer, since each frame that is asked for costs time, also where nothing is drawn.
 * @param began when the picture before was asked for, in milliseconds
 * @param interval milliseconds between two pictures
 * @param isInView whether anybody sees it: else no frame is asked for
 */
export async function nextPicture(began: number, interval: number, isInView: boolean): Promise<void> {
  const due = (1 + Math.floor(began / interval)) * interval;
  await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
  if (isInView) await new Promise((resolve) => requestAnimationFrame(resolve));
}
