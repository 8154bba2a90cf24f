/**
 * The element of a figure's markup with `data-part="name"`.
 * @throws Error where the markup has no such part of this kind: the figure and its markup do not belong together.
 */
export function part<Kind extends Element>(root: ParentNode, name: string, kind: new () => Kind): Kind {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof kind)) {
    throw new Error(
      `the figure has no part "${name}": expected a ${kind.name}, got ${found?.nodeName ?? "nothing"}`,
    );
  }
  return found;
}

/** Calls `draw` at most once per frame of the screen, however often it is asked to. */
export function oncePerFrame(draw: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
