import type { Redis } from "ioredis";
import { oneLine, SoftrlError } from "softrl";
import { errorText } from "../parts/file-fault.js";

/** BullMQ, and the client of Redis that it works on: optional dependencies, which only queues need. */
export interface QueueLibraries {
  readonly bullmq: Pick<typeof import("bullmq"), "Queue" | "Worker" | "UnrecoverableError" | "WaitingError">;
  readonly Redis: typeof Redis;
}

/** The keys of softrl in a Redis server begin with this. */
export const PREFIX = "softrl";

const SECONDS_TO_CONNECT = 10;
const MOST_MILLISECONDS_BETWEEN_TRIES = 1000;
const PATIENCE = "SOFTRL_QUEUE_PATIENCE";
const STANDARD_PATIENCE = 30;

/** What a sweep and a worker need to use a queue. */
export interface QueueUse {
  readonly libraries: QueueLibraries;
  readonly connection: Connection;
  /** Of this code: a worker takes runs of no other. */
  readonly version: string;
  /** Gets a line for people. */
  readonly report: (line: string) => void;
}

/** @throws SoftrlError where they are not installed. */
export async function queueLibraries(where: string): Promise<QueueLibraries> {
  try {
    const { Redis } = await import("ioredis");
    return { bullmq: await import("bullmq"), Redis };
  } catch (error) {
    const remedy = "install them with npm install bullmq ioredis";
    const got = errorText(error);
    throw new SoftrlError(
      where,
      "queues need bullmq and ioredis, which do not load here",
      { got, remedy },
      { cause: error },
    );
  }
}

/**
 * The milliseconds after which a run whose worker has not been heard of is given to another one, and those that the
 * server has for its first answer: 30 seconds, or those of SOFTRL_QUEUE_PATIENCE.
 * @throws SoftrlError for a variable that is not a number of at least 1.
 */
export function queuePatience(): number {
  const text = process.env[PATIENCE];
  const seconds = text === undefined || text === "" ? STANDARD_PATIENCE : Number(text);
  if (seconds >= 1 && seconds <= 86_400) return seconds * 1000;
  throw new SoftrlError(PATIENCE, "invalid value", {
    expected: "seconds, at least 1",
    got: JSON.stringify(text),
  });
}

/** The address of a Redis server, and how messages name it: without its password. */
export interface RedisAddress {
  readonly url: string;
  readonly shown: string;
}

/** @throws SoftrlError for another text. */
export function redisAddress(where: string, text: unknown): RedisAddress {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : null;
  // It may hold a password, which no error shows.
  const refuse = (expected: string, got: string): never => {
    throw new SoftrlError(where, "invalid value", { expected, got });
  };
  if (url === null || !["redis:", "rediss:"].includes(url.protocol) || url.hostname === "") {
    return refuse(
      "the address of a Redis server, such as redis://localhost:6379",
      url === null ? "something else" : `one that begins with ${url.protocol}`,
    );
  }
  if (!isDecodable(url.username) || !isDecodable(url.password)) {
    return refuse(
      "a user and a password in percent-encoding, with %25 for each %",
      "a % that does not begin the code of a character",
    );
  }
  const index = url.pathname.replace(/^\//, "");
  for (const given of [index === "" ? "0" : index, ...url.searchParams.getAll("db")]) {
    if (/^\d{1,9}$/.test(given)) continue;
    return refuse(
      "the number of a database, such as redis://localhost:6379/1",
      given.includes("@")
        ? "a text with @; in a password, write %2F for /"
        : JSON.stringify(oneLine(given, 100)),
    );
  }
  const shown = `${url.protocol}//${url.host}${index === "" ? "" : `/${index}`}`;
  return { url: url.href, shown: oneLine(shown, 200) };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A connection to a Redis server that comes back by itself. */
export interface Connection {
  readonly redis: Redis;
  readonly address: RedisAddress;
  /** Called whenever the connection is there again after it was lost. */
  onReturn(listener: () => void): void;
  /** Whether it is lost, or closed. */
  isAway(): boolean;
  close(): void;
}

/**
 * Connects to a Redis server. A connection that is lost later is made again, for as long as it takes, and reported in
 * one line each time.
 * @param stop ends the wait for the first answer
 * @throws SoftrlError when the server does not answer at first, within the patience of queues.
 */
export async function connect(
  { Redis }: QueueLibraries,
  address: RedisAddress,
  err: NodeJS.WriteStream,
  stop?: AbortSignal,
): Promise<Connection> {
  const patience = queuePatience();
  const redis = new Redis(address.url, {
    lazyConnect: true,
    connectTimeout: SECONDS_TO_CONNECT * 1000,
    // What is asked for while the server is away waits until it is back.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (isOpen ? Math.min(MOST_MILLISECONDS_BETWEEN_TRIES, 50 * times) : null),
  });
  let isOpen = false;
  let isLost = false;
  let isClosed = false;
  let last = "";
  const listeners: (() => void)[] = [];
  redis.on("error", (error: Error) => {
    last = error.message === "" ? String((error as NodeJS.ErrnoException).code) : error.message;
  });
  // The client limits the time for a connection, but not for an answer: a stopped process accepts connections.
  const timer = setTimeout(() => {
    last = `no answer within ${patience / 1000} s`;
    redis.disconnect();
  }, patience);
  // A server that is loading its data answers so, and is waited for.
  redis.once("connect", () => redis.stream.once("data", () => clearTimeout(timer)));
  const onStop = () => redis.disconnect();
  stop?.addEventListener("abort", onStop);
  try {
    stop?.throwIfAborted();
    await redis.connect();
    await redis.ping();
    // The client stays in database 0 where the server refuses another one.
    const { db = 0 } = redis.options;
    if (db !== 0) await redis.select(db);
  } catch (error) {
    redis.disconnect();
    if (error instanceof Error && remedyOf(error) !== undefined) throw ofServer(error, address);
    throw new SoftrlError(address.shown, "cannot connect to Redis", {
      got: last === "" ? errorText(error) : last,
      remedy: "check the address, and that redis-server runs there",
    });
  } finally {
    clearTimeout(timer);
    stop?.removeEventListener("abort", onStop);
  }
  isOpen = true;
  redis.on("close", () => {
    if (isLost || isClosed) return;
    isLost = true;
    err.write(`softrl: the connection to ${address.shown} is lost; waiting for it\n`);
  });
  redis.on("ready", () => {
    if (!isLost) return;
    isLost = false;
    err.write(`softrl: connected to ${address.shown} again\n`);
    for (const listener of listeners) listener();
  });
  return {
    redis,
    address,
    isAway: () => isLost || isClosed,
    onReturn: (listener) => void listeners.push(listener),
    close: () => {
      isClosed = true;
      redis.disconnect();
    },
  };
}

/** Whether an error is only that the server is away, which {@link connect} reports. */
export function isOfAbsence(error: Error, connection: Connection): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return connection.isAway() || absent.has(String(code));
}

const absent = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]);

/** An error with which a Redis server answers a command. */
const REPLY_ERROR = "ReplyError";
/** What helps against some of them, by the code in such an answer: before its text, or in it where a script got it. */
const remedies: readonly (readonly [code: RegExp, remedy: string])[] = [
  [/\bOOM\b/, "raise the server's maxmemory, or free some of its memory"],
  [/\bMISCONF\b/, "let the server save its data: its log says what fails, such as a full disk"],
];

const remedyOf = ({ message }: Error): string | undefined =>
  remedies.find(([code]) => code.test(message))?.[1];

/** An error in the use of a queue, as one for the user where the server has refused a command. */
export function ofServer(error: unknown, { shown }: RedisAddress): unknown {
  if (!(error instanceof Error) || error.name !== REPLY_ERROR) return error;
  const remedy = `${remedyOf(error) ?? "check the server's configuration"}, then run the same command again`;
  const got = oneLine(error.message, 300);
  return new SoftrlError(shown, "the Redis server refuses a command", { got, remedy }, { cause: error });
}
