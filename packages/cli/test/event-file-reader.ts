/** Reads TensorBoard's event files as far as tests need it: written from the format's description, not from the writer. */
import { crc32c } from "../src/tensorboard/event-records.js";

/** An event: what a summary holds by tag. */
export interface ReadEvent {
  readonly step: number;
  readonly version: string | null;
  /** `SessionLog.START` */
  readonly starts: boolean;
  readonly scalars: Readonly<Record<string, number>>;
  /** Tags of what is not a scalar. */
  readonly others: readonly string[];
}

/** The whole events at the start of a file, and whether nothing follows them. */
export function readEventFile(bytes: Uint8Array): { events: ReadEvent[]; whole: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const events: ReadEvent[] = [];
  let at = 0;
  while (at + 12 <= bytes.length) {
    const length = Number(view.getBigUint64(at, true));
    requireSum(view.getUint32(at + 8, true), bytes.subarray(at, at + 8));
    if (at + 16 + length > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    requireSum(view.getUint32(at + 12 + length, true), data);
    events.push(eventOf(data));
    at += 16 + length;
  }
  return { events, whole: at === bytes.length };
}

function requireSum(masked: number, bytes: Uint8Array): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const sum = ((rotated << 15) | (rotated >>> 17)) >>> 0;
  if (sum !== crc32c(bytes)) throw new Error("a checksum is wrong");
}

function eventOf(data: Uint8Array): ReadEvent {
  const fields = fieldsOf(data);
  const scalars: Record<string, number> = {};
  const others: string[] = [];
  for (const summary of fields.filter(({ number }) => number === 5)) {
    for (const { bytes } of fieldsOf(summary.bytes)) {
      const value = fieldsOf(bytes);
      const tag = textOf(value, 1) ?? "";
      const simple = value.find(({ number }) => number === 2);
      if (simple === undefined) others.push(tag);
      else scalars[tag] = simple.value;
    }
  }
  const log = fields.find(({ number }) => number === 7);
  return {
    step: fields.find(({ number }) => number === 2)?.value ?? 0,
    version: textOf(fields, 3),
    starts: log !== undefined && fieldsOf(log.bytes)[0]?.value === 1,
    scalars,
    others,
  };
}

interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

function fieldsOf(data: Uint8Array): Field[] {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let [value, unit] = [0, 1];
    for (;;) {
      const byte = data[at++];
      value += (byte & 127) * unit;
      unit *= 128;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const none = new Uint8Array();
    const wire = key % 8;
    if (wire === 0) fields.push({ number, value: varint(), bytes: none });
    else if (wire === 1) {
      fields.push({ number, value: view.getFloat64(at, true), bytes: none });
      at += 8;
    } else if (wire === 5) {
      fields.push({ number, value: view.getFloat32(at, true), bytes: none });
      at += 4;
    } else if (wire === 2) {
      const length = varint();
      fields.push({ number, value: length, bytes: data.subarray(at, at + length) });
      at += length;
    } else throw new Error(`wire type ${wire}`);
  }
  return fields;
}

function textOf(fields: readonly Field[], number: number): string | null {
  const found = fields.find((field) => field.number === number);
  return found === undefined ? null : new TextDecoder().decode(found.bytes);
}
