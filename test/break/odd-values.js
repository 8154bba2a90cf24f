// @ts-check

/** @typedef {import("softrl").Random} Random */

/**
 * @template Value
 * @param {Random} random
 * @param {readonly Value[]} list
 */
export const pick = (random, list) => list[random.integer(list.length)];

/**
 * Values that JSON.stringify cannot write are put in as names, and replaced in the text.
 * @type {Readonly<Record<string, string>>}
 */
const raw = {
  "@raw:nan": "NaN",
  "@raw:infinity": "1e999",
  "@raw:minus-zero": "-0",
  "@raw:digits": "123456789012345678901234567890",
  "@raw:deep-list": `${"[".repeat(100_000)}${"]".repeat(100_000)}`,
  "@raw:deep-object": `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`,
};

/** Text that no name or path should be. */
export const oddTexts = [
  "",
  " ",
  "\u0000",
  "\u001b[31mred\u001b[0m\r\n\u0007",
  "__proto__",
  "constructor",
  "toString",
  "../../../etc/passwd",
  "/dev/zero",
  "%s%n`id`",
  "\ud800",
  "a\u202eb",
  "x".repeat(100_000),
  "NaN",
  "null",
  "os:system-v0",
  "./nothing.js",
];

const oddNumbers = [-1, 0, 0.5, 1e9, 2 ** 31, 2 ** 53, 1e308, -1e308, 5e-324];

const oddValues = [
  ...oddTexts,
  ...oddNumbers,
  null,
  true,
  false,
  [],
  {},
  [[]],
  [1e9],
  ["a", 1],
  { a: { b: 1 } },
];

/** Settings that decide how long a valid command takes: a large value is no fault, and would not end. */
const lengths = /steps|episodes|horizon|every|max/i;

/**
 * A value of the wrong kind, or out of every range.
 * @param {Random} random
 * @param {string} name of the setting
 */
function oddValue(random, name) {
  const names = Object.keys(raw);
  if (random.integer(4) === 0) {
    return pick(random, lengths.test(name) ? names.filter((each) => !each.includes("digits")) : names);
  }
  return pick(random, lengths.test(name) ? oddValues.filter((value) => !(Number(value) > 100)) : oddValues);
}

/** The JSON of a value with odd values in it. @param {unknown} value @param {number} [indent] */
export function oddJson(value, indent) {
  const text = JSON.stringify(value, null, indent) ?? "";
  return text.replace(/"(@raw:[a-z-]+)"/g, (whole, name) => raw[name] ?? whole);
}

/**
 * Changes one place of a JSON value.
 * @param {Random} random
 * @param {any} value changed in place where it is an object
 * @returns {{ value: unknown, about: string }}
 */
export function mutateJson(random, value) {
  const places = placesOf(value, []);
  if (places.length === 0 || random.integer(40) === 0) {
    const odd = oddValue(random, "");
    return { value: odd, about: `all is ${short(odd)}` };
  }
  const { holder, key, path } = pick(random, places);
  const name = path.join(".");
  const how = random.integer(10);
  if (how === 0 && !Array.isArray(holder)) {
    delete holder[key];
    return { value, about: `${name} removed` };
  }
  if (how === 1 && !Array.isArray(holder)) {
    const other = pick(random, oddTexts);
    Object.defineProperty(holder, other, { value: holder[key], enumerable: true, configurable: true });
    delete holder[key];
    return { value, about: `${name} renamed to ${short(other)}` };
  }
  if (how === 2) {
    holder[key] = [holder[key]];
    return { value, about: `${name} in a list` };
  }
  const odd = oddValue(random, name);
  holder[key] = odd;
  return { value, about: `${name} is ${short(odd)}` };
}

/**
 * Every place inside a JSON value.
 * @param {any} value
 * @param {readonly string[]} path
 * @returns {{ holder: any, key: string, path: string[] }[]}
 */
function placesOf(value, path) {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => {
    const inner = [...path, key];
    return [{ holder: value, key, path: inner }, ...placesOf(value[key], inner)];
  });
}

/** @param {unknown} value */
export const short = (value) => {
  const text = JSON.stringify(value) ?? "undefined";
  const plain = text.replace(/[^ -~]/g, "?");
  return plain.length > 50 ? `${plain.slice(0, 40)}… (${plain.length})` : plain;
};

/**
 * Changes bytes without regard to what they mean.
 * @param {Random} random
 * @param {Uint8Array} bytes
 * @returns {{ bytes: Uint8Array, about: string }}
 */
export function mutateBytes(random, bytes) {
  const length = bytes.length;
  const at = random.integer(Math.max(1, length));
  const size = Math.min(length - at, 1 + random.integer(random.integer(2) === 0 ? 16 : 4096));
  const from = random.integer(Math.max(1, length - size));
  const before = bytes.subarray(0, at);
  const block = bytes.slice(at, at + size);
  const noise = Uint8Array.from({ length: size }, () => random.integer(256));
  switch (random.integer(8)) {
    case 0: {
      const changed = bytes.slice();
      const count = 1 + random.integer(8);
      for (let i = 0; i < count; i++) changed[random.integer(Math.max(1, length))] ^= 1 << random.integer(8);
      return { bytes: changed, about: `${count} bits flipped` };
    }
    case 1:
      return { bytes: before.slice(), about: `cut at byte ${at}` };
    case 2:
      return { bytes: joined(before, noise, bytes.subarray(at)), about: `${size} bytes inserted at ${at}` };
    case 3:
      return { bytes: joined(before, bytes.subarray(at + size)), about: `${size} bytes removed at ${at}` };
    case 4: {
      const changed = bytes.slice();
      changed.set(noise, at);
      return { bytes: changed, about: `${size} bytes of noise at ${at}` };
    }
    case 5: {
      const changed = bytes.slice();
      changed.set(bytes.subarray(from, from + size), at);
      changed.set(block, from);
      return { bytes: changed, about: `${size} bytes swapped at ${at} and ${from}` };
    }
    case 6: {
      const changed = bytes.slice();
      changed.fill(0, at, at + size);
      return { bytes: changed, about: `${size} zeros at ${at}` };
    }
    default:
      return { bytes: joined(bytes, noise), about: `${size} bytes appended` };
  }
}

/** @param {readonly Uint8Array[]} parts */
export const joined = (...parts) => new Uint8Array(Buffer.concat(parts));
