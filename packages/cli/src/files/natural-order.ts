/** Compares names as people order them, by the values of the numbers in them: `2 steps` before `10 steps`. */
export function naturalOrder(a: string, b: string): number {
  const [ours, theirs] = [partsOf(a), partsOf(b)];
  for (let i = 0; i < Math.min(ours.length, theirs.length); i++) {
    const order = partOrder(ours[i], theirs[i]);
    if (order !== 0) return order;
  }
  // Names that differ in leading zeros alone have an order, too.
  return ours.length - theirs.length || textOrder(a, b);
}

const partsOf = (name: string): readonly string[] => name.split(/(\d+)/);

function partOrder(a: string, b: string): number {
  if (!/^\d/.test(a) || !/^\d/.test(b)) return textOrder(a, b);
  const [x, y] = [a, b].map((digits) => digits.replace(/^0+(?=\d)/, ""));
  return x.length - y.length || textOrder(x, y);
}

const textOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
