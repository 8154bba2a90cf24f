import { readNumber } from "../state/settings.js";

/** Temperatures with two digits, `perDecade` of them from each power of ten to the next: both ends included. */
export function temperatures(low: number, high: number, perDecade = 20): readonly number[] {
  const count = Math.round(Math.log10(high / low) * perDecade);
  const values = Array.from({ length: count + 1 }, (_, i) =>
    Number((low * 10 ** (i / perDecade)).toPrecision(2)),
  );
  return [...new Set(values)];
}

/** The temperature of a list that is nearest to a text's; the default where the text is no number. */
export function readTemperature(text: string | null, values: readonly number[], fallback: number): number {
  const wanted =
    text === "inf" ? Number.POSITIVE_INFINITY : readNumber(text, { low: 0, high: 1e9, fallback });
  return nearest(values, wanted);
}

/** The value of a list that is nearest by ratio; 0 and ∞ are near to nothing but themselves. */
export function nearest(values: readonly number[], wanted: number): number {
  const distance = (value: number) => (value === wanted ? 0 : Math.abs(Math.log(value / wanted)));
  return values.reduce((best, value) => (distance(value) < distance(best) ? value : best));
}

/** A temperature in an address; null for the default. */
export function temperatureText(tau: number, fallback: number): string | null {
  if (tau === fallback) return null;
  return tau === Number.POSITIVE_INFINITY ? "inf" : String(tau);
}
