// A fake bridge that misbehaves in the manner given as its first argument, and saves its state where that begins with
// "saves, ". Its environment never ends an episode.
import { writeSync } from "node:fs";

const saves = process.argv[2].startsWith("saves, ");
const manner = process.argv[2].replace("saves, ", "");
let size = 0;
let shared = false;
let steps = 0;

function send(operation, payload) {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(0x5351, 0);
  header.writeUInt16LE(operation, 2);
  header.writeUInt32LE(payload.length, 4);
  for (const part of [header, payload]) {
    for (let at = 0; at < part.length; ) at += writeSync(1, part, at);
  }
}
const json = (value) => Buffer.from(JSON.stringify(value));
const hang = () => setInterval(() => {}, 1000);

function die(code) {
  writeSync(2, "first line\nthe last words\n");
  process.exit(code);
}

const box = { kind: "box", shape: [3], dtype: "float32", low: 0, high: 1 };
const discrete = { kind: "discrete", n: 2 };
const observations = () => Buffer.alloc(shared ? 0 : size * 3 * 4);
const stepReply = () => Buffer.concat([Buffer.alloc(size * (8 + 8 + 4 + 3)), observations()]);

const answers = {
  1(payload) {
    size = JSON.parse(payload).size;
    if (manner === "refuses")
      send(0xff, json({ what: "no such thing", expected: "a", got: "b", remedy: "c" }));
    else if (manner.startsWith("refuses with the code ")) {
      send(0xff, json({ what: "no such thing", code: manner.slice("refuses with the code ".length) }));
    } else if (manner === "refuses at length") {
      send(0xff, json({ what: "no\n".repeat(1e6), got: "\u001b[31m".repeat(1e6) }));
    } else if (manner === "spaces without sense") {
      send(0x81, json({ observationSpace: { ...box, shape: [-3] }, actionSpace: discrete }));
    } else if (manner === "spaces without JSON") send(0x81, Buffer.from("{"));
    else if (manner === "shows Breakout") {
      send(0x81, json({ observationSpace: box, actionSpace: discrete, rawGame: "Breakout" }));
    } else send(0x81, json({ observationSpace: box, actionSpace: discrete }));
  },
  2() {
    send(0x82, observations());
  },
  3() {
    steps++;
    if (manner === "dies in step" || manner === `dies in step ${steps}`) die(7);
    else if (manner === "hangs in step") hang();
    else if (manner === "garbage in step") writeSync(1, "Hello, I am a banner\n");
    else if (manner === "half a frame, then death") {
      writeSync(1, Buffer.of(0x51, 0x53, 0x83, 0, 99, 0, 0, 0, 1, 2));
      process.exit(0);
    } else if (manner === "another answer") send(0x84, Buffer.alloc(4));
    else if (manner === "short answer") send(0x83, stepReply().subarray(1));
    else if (manner === "long answer") send(0x83, Buffer.concat([stepReply(), Buffer.of(1)]));
    else if (manner === "two answers") {
      send(0x83, stepReply());
      send(0x83, stepReply());
    } else if (manner === "a giant") writeSync(1, Buffer.of(0x51, 0x53, 0x83, 0, 255, 255, 255, 255));
    else if (manner === "refuses a step") {
      send(0xff, json({ what: "the reward of environment 1 is not finite at step 1" }));
      process.exit(0);
    } else send(0x83, stepReply());
  },
  // A state of one byte for each environment, or none.
  4() {
    send(0x84, Buffer.concat(Array(saves ? size : 0).fill(Buffer.of(1, 0, 0, 0, 7))));
  },
  5() {
    send(0x85, observations());
  },
  6() {
    shared = true;
    send(0x86, Buffer.alloc(0));
  },
  // It renders nothing, so that the observation is shown.
  7() {
    send(0x87, Buffer.alloc(0));
  },
};

if (manner === "dies at start") die(3);
if (manner === "garbage at start") writeSync(1, "Traceback");
else if (manner === "another protocol") send(0x80, json({ protocol: 99 }));
else if (manner !== "hangs at start")
  send(0x80, json({ protocol: 1, python: "0", gymnasium: "0", numpy: "0" }));

let input = Buffer.alloc(0);
process.stdin.on("data", (chunk) => {
  input = Buffer.concat([input, chunk]);
  while (input.length >= 8 && input.length >= 8 + input.readUInt32LE(4)) {
    const operation = input.readUInt16LE(2);
    const end = 8 + input.readUInt32LE(4);
    const payload = input.subarray(8, end);
    input = input.subarray(end);
    answers[operation](payload);
  }
});
process.stdin.on("end", () => (manner === "never leaves" ? hang() : process.exit(0)));
