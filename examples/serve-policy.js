// @ts-check
// An HTTP service that acts with the policy of a training run:
//
//   node examples/serve-policy.js runs/CartPole-v1-seed1-a2c 8080
//   curl --data '{"observation": [0, 0, 0.1, 0]}' http://127.0.0.1:8080/act
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { createWasmExecutor, loadPolicy, mode, observationLength } from "softrl";

const [runFolder, port = "8080"] = process.argv.slice(2);
if (runFolder === undefined || !/^\d{1,5}$/.test(port))
  end("usage: node serve-policy.js <run-folder> [port]");
const file = join(runFolder, "checkpoint.safetensors");
// With @softrl/native, createNativeExecutor takes the place of createWasmExecutor.
const executor = await createWasmExecutor();
const policy = await readFile(file)
  .then((bytes) => loadPolicy(bytes, executor, { where: file }))
  .catch((error) => end(error.message));
const space = policy.observationSpace;
const length = observationLength(space);
const isBytes = space.kind === "box" && space.dtype === "uint8";

const server = createServer(async (request, response) => {
  try {
    if (request.url !== "/act") return reply(404, { error: "POST an observation to /act" });
    if (request.method !== "POST") return reply(405, { error: "POST an observation to /act" });
    const observation = observationOf(await bodyOf(request));
    const { logPi, v } = policy.evaluate(observation);
    return reply(200, { action: mode(logPi), probabilities: Array.from(logPi, Math.exp), value: v[0] });
  } catch (error) {
    return reply(400, { error: error instanceof Error ? error.message : String(error) });
  }

  /** @param {number} status @param {object} content */
  function reply(status, content) {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(content));
  }
});

server.once("error", (error) => end(error.message));
server.listen(Number(port), "127.0.0.1", () => {
  const at = server.address();
  if (at !== null && typeof at === "object") console.log(`http://127.0.0.1:${at.port}/act`);
});
// Requests that have begun are answered.
process.once("SIGTERM", () => server.close());

/**
 * Ends with a line on standard error.
 * @param {string} text
 * @returns {never}
 */
function end(text) {
  console.error(text);
  process.exit(1);
}

/**
 * The observation in a request's JSON.
 * @param {string} text
 */
function observationOf(text) {
  const { observation } = JSON.parse(text) ?? {};
  if (!Array.isArray(observation) || observation.length !== length || !observation.every(isPossible)) {
    throw new Error(`expected {"observation": [${length} ${isBytes ? "integers in [0, 255]" : "numbers"}]}`);
  }
  return isBytes ? Uint8Array.from(observation) : Float32Array.from(observation);
}

/**
 * Whether a typed array holds the number as it is, up to rounding.
 * @param {unknown} x
 */
function isPossible(x) {
  if (typeof x !== "number") return false;
  return isBytes ? Number.isInteger(x) && 0 <= x && x <= 255 : Number.isFinite(Math.fround(x));
}

/**
 * The body of a request, up to 16 characters for each number.
 * @param {import("node:http").IncomingMessage} request
 */
async function bodyOf(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 1000 + 16 * length) throw new Error("the request is too long");
  }
  return text;
}
