import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { SoftrlError } from "softrl";
import { codeOf, readRegular } from "../files/regular-file.js";
import { runFiles } from "../runs/run-folder.js";
import { LiveClients } from "./live-clients.js";
import { watchIcon, watchPage, watchPolicy } from "./watch-page.js";
import type { WatchedRuns } from "./watched-runs.js";

/** The only address that is listened on: nobody else's machine reaches it. */
const LOOPBACK = "127.0.0.1";
const MOST_CONFIG_BYTES = 2 ** 20;
const MOST_FILM_BYTES = 2 ** 26;

/** The server of the page. */
export interface WatchServer {
  /** With its token: who has the address may look. */
  readonly address: string;
  readonly clients: LiveClients;
  close(): Promise<void>;
}

export interface WatchServerOptions {
  readonly runs: WatchedRuns;
  readonly title: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Serves the page, its events, and the configs and films of the runs that are watched: nothing else, and only to loopback.
 * A request has to carry the token, our own Host (another page's name may lead here: DNS rebinding), and our own Origin or
 * none. No part of an address becomes a path: runs and films are numbers.
 * @throws SoftrlError where the port is taken.
 */
export async function startWatchServer({ runs, title, port }: WatchServerOptions): Promise<WatchServer> {
  const token = randomBytes(32).toString("base64url");
  const clients = new LiveClients();
  const page = watchPage(title);
  const server = createServer((request, response) => {
    const refusal = refusalOf(request, portOf(server), token);
    if (refusal !== null) send(response, refusal.status, "text/plain; charset=utf-8", refusal.text);
    else answer(request.url ?? "", response);
  });
  try {
    await listen(server, port);
  } catch (error) {
    clients.close();
    if (codeOf(error) !== "EADDRINUSE" && codeOf(error) !== "EACCES") throw error;
    throw new SoftrlError("--port", `port ${port} cannot be used`, {
      got: error instanceof Error ? error.message : String(error),
      remedy: "choose another port, or leave --port out",
    });
  }

  function answer(url: string, response: ServerResponse): void {
    const path = url.slice(token.length + 2);
    const file = /^run\/(\d{1,9})\/(?:(config)|film\/(\d{1,9}))$/.exec(path);
    if (path === "") send(response, 200, "text/html; charset=utf-8", page);
    else if (path === "icon.svg") send(response, 200, "image/svg+xml", watchIcon);
    else if (path === "events") {
      setHeaders(response);
      if (!clients.add(response))
        send(response, 503, "text/plain; charset=utf-8", "too many pages are open\n");
    } else if (file === null) notFound(response);
    else if (file[2] !== undefined) sendFile(response, Number(file[1]), runFiles.config);
    else sendFile(response, Number(file[1]), Number(file[3]));
  }

  function sendFile(response: ServerResponse, id: number, which: string | number): void {
    const run = runs.get(id);
    const name = typeof which === "string" ? which : run?.films[which];
    if (run === undefined || name === undefined) {
      notFound(response);
      return;
    }
    try {
      const isFilm = typeof which === "number";
      const bytes = readRegular(join(run.folder, name), isFilm ? MOST_FILM_BYTES : MOST_CONFIG_BYTES);
      send(response, 200, isFilm ? "image/gif" : "text/plain; charset=utf-8", bytes);
    } catch (error) {
      if (!(error instanceof SoftrlError) && codeOf(error) === undefined) throw error;
      notFound(response);
    }
  }

  return {
    address: `http://${LOOPBACK}:${portOf(server)}/${token}/`,
    clients,
    async close() {
      clients.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, LOOPBACK, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface Refusal {
  readonly status: number;
  readonly text: string;
}

/** Why a request is refused; null where it is not. */
function refusalOf(
  { method, url = "", headers }: IncomingMessage,
  port: number,
  token: string,
): Refusal | null {
  const hosts = [`${LOOPBACK}:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? "")) {
    return { status: 403, text: "refused: the Host of the request is not this server\n" };
  }
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    return { status: 403, text: "refused: the request comes from another page\n" };
  }
  if (method !== "GET") return { status: 405, text: "refused: only GET is answered\n" };
  const [, given, ...rest] = url.split("/");
  if (rest.length > 0 && isSame(given, token)) return null;
  return { status: 403, text: "refused: open the whole address that softrl watch printed\n" };
}

/** Compares in a time that does not depend on the texts. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

const notFound = (response: ServerResponse): void =>
  send(response, 404, "text/plain; charset=utf-8", "not found\n");

function setHeaders(response: ServerResponse): void {
  response.setHeader("content-security-policy", watchPolicy);
  response.setHeader("cache-control", "no-store");
  response.setHeader("referrer-policy", "no-referrer");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("cross-origin-resource-policy", "same-origin");
  response.setHeader("cross-origin-opener-policy", "same-origin");
}

function send(response: ServerResponse, status: number, type: string, content: string | Buffer): void {
  setHeaders(response);
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(content) });
  response.end(content);
}
