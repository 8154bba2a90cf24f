/** Where a figure keeps what its reader has chosen: texts by name. null stands for the default. */
export interface Settings {
  get(name: string): string | null;
  set(name: string, text: string | null): void;
}

/** Settings that last as long as the page: for a figure that stands alone. */
export function memorySettings(): Settings {
  const texts = new Map<string, string>();
  return {
    get: (name) => texts.get(name) ?? null,
    set(name, text) {
      if (text === null) texts.delete(name);
      else texts.set(name, text);
    },
  };
}

/** The settings of one figure among those of a page: `name` is kept as `figure.name`. */
export function settingsOf(settings: Settings, figure: string): Settings {
  return {
    get: (name) => settings.get(`${figure}.${name}`),
    set: (name, text) => settings.set(`${figure}.${name}`, text),
  };
}

/** A number in a range; the default where the text is missing or invalid, since anyone can write an address. */
export function readNumber(
  text: string | null,
  { low, high, fallback }: { readonly low: number; readonly high: number; readonly fallback: number },
): number {
  const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
  return value >= low && value <= high ? value : fallback;
}

/** Numbers in a range, such as `1_0.5_-1`, exactly as many as the defaults; otherwise the defaults. */
export function readNumbers(
  text: string | null,
  {
    low,
    high,
    fallback,
  }: { readonly low: number; readonly high: number; readonly fallback: readonly number[] },
): readonly number[] {
  const parts = (text ?? "").split("_");
  if (parts.length !== fallback.length) return fallback;
  const numbers = parts.map((part) => readNumber(part, { low, high, fallback: Number.NaN }));
  return numbers.some(Number.isNaN) ? fallback : numbers;
}

/** Numbers as one text of an address, with a few digits. */
export function numbersText(numbers: readonly number[], digits = 4): string {
  return numbers.map((value) => Number(value.toFixed(digits))).join("_");
}
