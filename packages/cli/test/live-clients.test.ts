import { createServer, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { LiveClients } from "../src/watch/live-clients.js";
import { eventually } from "./command.js";

test("a page that takes nothing has at most one frame waiting, and gets the newest when it takes again", async () => {
  const clients = new LiveClients();
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    responses.push(response);
    clients.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("no port");
  const socket = createConnection(at.port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
    clients.close();
    server.closeAllConnections();
    server.close();
  });
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually(() => responses.length === 1);
  const bytes = 2 ** 20;
  const partsOf = (number: number) => {
    const html = `${"x".repeat(bytes)}${number}`;
    return { summary: html, curves: html, runs: html, settings: html, films: html };
  };
  const waiting: number[] = [];
  for (let number = 1; number <= 60; number++) {
    clients.publish(partsOf(number));
    await new Promise((resolve) => setTimeout(resolve, 2));
    waiting.push(responses[0].writableLength);
  }
  expect(Math.max(...waiting)).toBeLessThan(1.1 * bytes);
  expect(waiting.at(-1)).toBeGreaterThan(0);
  socket.resume();
  await eventually(() => (text.match(/x60"/g) ?? []).length === 5);
  expect(text.match(/"name"/g)?.length).toBeLessThan(60);
});
