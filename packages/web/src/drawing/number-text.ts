/** A number with a fixed count of decimals and a true minus sign; never −0.00. */
export function decimals(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A temperature or another positive number with two significant digits: 0.25, 1.6, 40. */
export function shortNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "∞";
  return String(Number(value.toPrecision(2)));
}

/** A tick of a logarithmic axis: 0.01, 1, 10⁻⁶. */
export function powerText(value: number): string {
  const power = Math.round(Math.log10(value));
  if (power >= -2 && power <= 3) return String(10 ** power).replace(/(\.\d*?)0+$/, "$1");
  return `10${[...String(power)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? "⁻").join("")}`;
}
