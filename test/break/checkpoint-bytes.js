// @ts-check
import { crc32 } from "node:zlib";
import { joined, mutateBytes, mutateJson, oddJson, oddTexts, pick, short } from "./odd-values.js";

/** @typedef {import("softrl").Random} Random */

/** Where a checkpoint has its own CRC-32, see packages/core/src/experiment/checkpoint.ts. */
const OPENING = '{"__metadata__":{"~crc32":"';
const CHECKSUM_AT = 8 + OPENING.length;

/**
 * The bytes with the checksum that they should have, so that they are read further; as they are where they have none.
 * @param {Uint8Array} bytes
 */
export function sealed(bytes) {
  const copy = Buffer.from(bytes);
  if (copy.toString("latin1", 8, CHECKSUM_AT) !== OPENING || copy.length < CHECKSUM_AT + 8) return copy;
  copy.write("00000000", CHECKSUM_AT, "latin1");
  copy.write(crc32(copy).toString(16).padStart(8, "0"), CHECKSUM_AT, "latin1");
  return copy;
}

/** @param {Uint8Array} bytes */
function opened(bytes) {
  const buffer = Buffer.from(bytes);
  const length = Number(buffer.readBigUInt64LE(0));
  return { header: JSON.parse(buffer.toString("latin1", 8, 8 + length)), data: buffer.subarray(8 + length) };
}

/** @param {string} text @param {Uint8Array} data */
function closed(text, data) {
  const header = Buffer.from(
    text.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return sealed(joined(length, header, data));
}

/**
 * A changed checkpoint.
 * @param {Random} random
 * @param {Uint8Array} bytes
 * @returns {{ bytes: Uint8Array, about: string, damaged: boolean }} damaged: the checksum is wrong
 */
export function mutateCheckpoint(random, bytes) {
  const how = random.integer(12);
  if (how < 3) {
    const mutated = mutateBytes(random, bytes);
    return { ...mutated, damaged: !Buffer.from(mutated.bytes).equals(bytes) };
  }
  if (how === 3) {
    const { bytes: changed, about } = mutateBytes(random, bytes);
    return { bytes: sealed(changed), about: `${about}, checksum corrected`, damaged: false };
  }
  const { header, data } = opened(bytes);
  const metadata = header.__metadata__;
  const tensors = Object.keys(header).filter((name) => name !== "__metadata__");
  const done = (/** @type {string} */ about, text = JSON.stringify(header)) => ({
    bytes: closed(text, data),
    about,
    damaged: false,
  });
  if (how < 7) {
    const { value, about } = mutateJson(random, JSON.parse(JSON.parse(metadata.config)));
    metadata.config = JSON.stringify(oddJson(value));
    return done(`config: ${about}`);
  }
  if (how < 9) {
    const name = pick(
      random,
      Object.keys(metadata).filter((each) => each !== "config" && each !== "~crc32"),
    );
    const { value, about } = mutateJson(random, { [name]: JSON.parse(metadata[name]) });
    delete metadata[name];
    /** @type {[string, unknown][]} */
    const entries = typeof value === "object" && value !== null ? Object.entries(value) : [[name, value]];
    for (const [key, entry] of entries) {
      Object.defineProperty(metadata, key, { value: oddJson(entry), enumerable: true, configurable: true });
    }
    return done(`metadata: ${about}`);
  }
  if (how === 9) {
    const name = pick(random, tensors);
    const { value, about } = mutateJson(random, { [name]: header[name] });
    delete header[name];
    Object.assign(header, value);
    return done(`entry: ${about}`, oddJson(header));
  }
  if (how === 10) {
    const name = pick(random, tensors);
    const {
      dtype,
      data_offsets: [begin, end],
    } = header[name];
    const odd = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 3e38, 1e-45, 4294967295]);
    const view = Buffer.from(data.subarray(begin, end));
    for (let at = 0; at < view.length; at += dtype === "F64" ? 8 : dtype === "U8" ? 1 : 4) {
      if (at > 0 && random.integer(2) === 0) continue;
      if (dtype === "F64") view.writeDoubleLE(odd, at);
      else if (dtype === "F32") view.writeFloatLE(odd, at);
      else if (dtype === "U8") view[at] = odd;
      else view.writeInt32LE(odd | 0, at);
    }
    const changed = joined(data.subarray(0, begin), view, data.subarray(end));
    return { bytes: closed(JSON.stringify(header), changed), about: `${name} holds ${odd}`, damaged: false };
  }
  const text = JSON.stringify(header);
  const tricks = [
    () => done("a header with 40 MB of blanks", `${text}${" ".repeat(40_000_000)}`),
    () => {
      metadata[`${"a/".repeat(20_000)}b`] = "1";
      return done("a name 20,000 sections deep");
    },
    () => {
      const name = pick(random, oddTexts);
      Object.defineProperty(metadata, name, { value: "1", enumerable: true });
      return done(`metadata with the name ${short(name)}`);
    },
    () => {
      const counts = Object.keys(metadata).filter((name) => /^algorithm\/\w+$/.test(name));
      if (counts.length === 0) return done("nothing changed");
      const [name, count] = [pick(random, counts), pick(random, ["-1e12", "1e12", "0.5", "-1"])];
      metadata[name] = count;
      return done(`metadata: ${name} is ${count}`);
    },
    () => {
      for (let i = 0; i < 200_000; i++) metadata[`extra/${i}`] = "0";
      return done("200,000 more names");
    },
    () => {
      header[pick(random, ["extra", "parameters/extra", "curve/steps/x"])] = {
        dtype: "F32",
        shape: [0, 1e15],
        data_offsets: [0, 0],
      };
      return done("one more array, of no bytes");
    },
    () =>
      done("names twice", text.replace('"__metadata__":{', '"__metadata__":{"version":"1","version":"2",')),
  ];
  return pick(random, tricks)();
}

/**
 * A changed piece of a replay. Half of them have the right checksum, and the checkpoint names it.
 * @param {Random} random
 * @param {string} name of its file
 * @param {Uint8Array} bytes
 * @param {Uint8Array} checkpoint
 * @returns {{ name: string, bytes: Uint8Array, checkpoint: Uint8Array, about: string, damaged: boolean }}
 */
export function mutateReplay(random, name, bytes, checkpoint) {
  if (random.integer(2) === 0) {
    const mutated = mutateBytes(random, bytes);
    return { ...mutated, name, checkpoint, damaged: !Buffer.from(mutated.bytes).equals(bytes) };
  }
  const { bytes: changed, about } = mutatePiece(random, bytes);
  const whole = sealed(changed);
  const [, piece] = /^(.*)-[0-9a-f]{8}\.safetensors$/.exec(name) ?? [];
  const checksum = whole.toString("latin1", CHECKSUM_AT, CHECKSUM_AT + 8);
  const { header, data } = opened(checkpoint);
  header.__metadata__[`pieceFiles/${piece}/bytes`] = String(whole.length);
  header.__metadata__[`pieceFiles/${piece}/checksum`] = JSON.stringify(checksum);
  return {
    name: `${piece}-${/^[0-9a-f]{8}$/.test(checksum) ? checksum : "00000000"}.safetensors`,
    bytes: whole,
    checkpoint: closed(JSON.stringify(header), data),
    about: `${about}, checksums corrected`,
    damaged: false,
  };
}

/** @param {Random} random @param {Uint8Array} bytes */
function mutatePiece(random, bytes) {
  if (random.integer(3) === 0) return mutateBytes(random, bytes);
  const { header, data } = opened(bytes);
  const name = pick(
    random,
    Object.keys(header).filter((each) => each !== "__metadata__"),
  );
  const {
    dtype,
    data_offsets: [begin, end],
  } = header[name];
  const changed = Buffer.from(data);
  const size = dtype === "F64" ? 8 : dtype === "U8" ? 1 : 4;
  const odd = pick(random, [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1, 9, 3e38, 255, 4294967295]);
  for (let at = begin; at < end; at += size) {
    if (random.integer(3) > 0) continue;
    if (dtype === "F64") changed.writeDoubleLE(odd, at);
    else if (dtype === "F32") changed.writeFloatLE(odd, at);
    else if (dtype === "U8") changed[at] = odd;
    else changed.writeInt32LE(odd | 0, at);
  }
  return { bytes: closed(JSON.stringify(header), changed), about: `${name} holds ${odd}` };
}
