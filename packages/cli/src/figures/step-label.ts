/** `0`, `500`, `50k`, `1.5M` */
export function stepLabel(step: number): string {
  if (step >= 1e6) return `${step / 1e6}M`;
  return step >= 1000 ? `${step / 1000}k` : String(step);
}
