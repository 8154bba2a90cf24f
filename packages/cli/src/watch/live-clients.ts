import type { ServerResponse } from "node:http";
import { type PartName, type Parts, partNames } from "./watch-parts.js";

/** Pages that may be open at once. */
export const MOST_CLIENTS = 200;
/** A client that takes nothing for so long is gone. */
const STUCK_MILLISECONDS = 60_000;
/** Keeps a connection open where nothing happens. */
const SILENCE_MILLISECONDS = 15_000;

interface Client {
  readonly response: ServerResponse;
  /** The frames that it got, by the numbers of their versions. */
  readonly got: Map<PartName, number>;
  /** Since when it takes nothing; null where it does. */
  blockedSince: number | null;
}

/**
 * The open pages, by server-sent events. What waits for a page is never more than one frame: a slow one gets no frame until
 * it has taken the last, and then the newest of each part.
 */
export class LiveClients {
  readonly #clients = new Set<Client>();
  readonly #frames = new Map<
    PartName,
    { readonly version: number; readonly html: string; readonly bytes: Buffer }
  >();
  #version = 0;
  readonly #timer = setInterval(() => this.#tend(), SILENCE_MILLISECONDS);

  get count(): number {
    return this.#clients.size;
  }

  /** Answers with the stream of events; false where there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#clients.size >= MOST_CLIENTS) return false;
    const client: Client = { response, got: new Map(), blockedSince: null };
    this.#clients.add(client);
    response.once("close", () => this.#clients.delete(client));
    // A connection that breaks is closed, too.
    response.on("error", () => {});
    response.on("drain", () => {
      client.blockedSince = null;
      this.#send(client);
    });
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.flushHeaders();
    this.#send(client);
    return true;
  }

  /** Sends the parts that have changed to all pages. */
  publish(parts: Parts): void {
    this.#version++;
    for (const name of partNames) {
      const html = parts[name];
      if (this.#frames.get(name)?.html === html) continue;
      const bytes = Buffer.from(`event: part\ndata: ${JSON.stringify({ name, html })}\n\n`);
      this.#frames.set(name, { version: this.#version, html, bytes });
    }
    for (const client of this.#clients) this.#send(client);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { response } of this.#clients) response.end();
  }

  #send(client: Client): void {
    for (const [name, { version, bytes }] of this.#frames) {
      if (client.blockedSince !== null) return;
      if (client.got.get(name) === version) continue;
      client.got.set(name, version);
      if (!client.response.write(bytes)) client.blockedSince = performance.now();
    }
  }

  #tend(): void {
    for (const client of this.#clients) {
      const { response, blockedSince } = client;
      if (blockedSince === null) {
        if (!response.write(":\n\n")) client.blockedSince = performance.now();
      } else if (performance.now() - blockedSince > STUCK_MILLISECONDS) response.destroy();
    }
  }
}
