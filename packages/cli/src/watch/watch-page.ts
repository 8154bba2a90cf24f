import { createHash } from "node:crypto";
import { COLOURS } from "@softrl/web";
import { Html, html } from "../reports/html.js";
import { reportStyle } from "../reports/report-style.js";
import { partNames } from "./watch-parts.js";

/**
 * The page's script. The command draws: the script puts each part where it belongs, and keeps what is open, focused or
 * selected.
 */
const script = `
"use strict";
const status = document.getElementById("status");
const pause = document.getElementById("pause");
const waiting = new Map();
let paused = false;
const isSelecting = (host) => {
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && host.contains(selection.anchorNode);
};
const show = (name, html) => {
  const host = document.getElementById(name);
  if (host === null) return;
  if (paused || isSelecting(host)) {
    waiting.set(name, html);
    return;
  }
  waiting.delete(name);
  const open = Array.from(host.querySelectorAll("details[open]"), (one) => one.id);
  const focused = host.contains(document.activeElement) ? document.activeElement.id : "";
  host.innerHTML = html;
  for (const id of open) if (id !== "") document.getElementById(id)?.setAttribute("open", "");
  if (focused !== "") document.getElementById(focused)?.focus({ preventScroll: true });
};
const showWaiting = () => {
  for (const [name, html] of [...waiting]) show(name, html);
};
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  showWaiting();
});
document.addEventListener("selectionchange", showWaiting);
// A browser reconnects by itself after a connection is lost, and not after one is refused.
const connect = () => {
  const source = new EventSource("events");
  source.addEventListener("part", ({ data }) => {
    const { name, html } = JSON.parse(data);
    show(name, html);
  });
  source.addEventListener("open", () => {
    status.textContent = "";
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) explain();
    else status.textContent = lost;
  });
};
const lost =
  "Not connected; trying again. If softrl watch has ended, start it again and open the address that it prints.";
const explain = async () => {
  try {
    const { ok } = await fetch("icon.svg", { cache: "no-store" });
    if (!ok) {
      status.textContent = "This address is not valid any more: open the one that softrl watch printed last.";
      return;
    }
    status.textContent = "Too many pages are open: close some of them. This page tries again every few seconds.";
  } catch {
    status.textContent = lost;
  }
  setTimeout(connect, 3000);
};
connect();
`;

const scriptHash = createHash("sha256").update(script).digest("base64");

/** What the page may load: its own script, and pictures and events of the command. Styles are in the figures, too. */
export const watchPolicy = [
  "default-src 'none'",
  `script-src 'sha256-${scriptHash}'`,
  "style-src 'unsafe-inline'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const style = `<style>
body{max-width:70rem}
header{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:center;justify-content:space-between}
button{min-height:2.25rem;padding:0 .9rem;border:1px solid var(--grey);border-radius:6px;background:none;color:inherit;font:inherit;font-size:.88rem}
button[aria-pressed=true]{background:var(--text);color:var(--paper)}
a{color:inherit}
:focus-visible{outline:2px solid var(--text);outline-offset:2px}
#status{margin:0;font-weight:600}
#curves{min-height:12rem}
.figures{grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr))}
figure{max-width:38rem}
.about{display:block;color:var(--grey);font-size:.82rem;font-weight:400}
.problem{display:block;font-size:.82rem}
.problem::before{content:"⚠ "}
th .name{font-weight:600}
progress{display:block;width:5rem;height:.4rem;margin:.3rem 0 .1rem auto;accent-color:var(--text)}
td:nth-child(2){white-space:nowrap}
.failed,.interrupted,.quiet{font-weight:600}
img{max-width:100%;height:auto;image-rendering:pixelated}
summary{min-height:1.8rem;cursor:pointer}
</style>`;

/** Two curves: without an icon of its own, a browser asks for one without the token. */
export const watchIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="none" stroke-width="2"><path d="M1 14C6 14 6 4 15 3" stroke="${COLOURS[0]}"/><path d="M1 14C9 14 8 7 15 6" stroke="${COLOURS[1]}"/></svg>`;

/** The page before the command has drawn anything into it. */
export function watchPage(title: string): string {
  const sections = partNames.map(
    (name) => html`<section id="${name}"></section>
`,
  );
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="icon.svg" type="image/svg+xml">
<title>${title} – softrl watch</title>
${Html.trusted(reportStyle)}
${Html.trusted(style)}
</head>
<body>
<main>
<header><h1>${title}</h1><button type="button" id="pause" aria-pressed="false">Pause</button></header>
<p id="status" role="status"></p>
<noscript><p>This page needs JavaScript. Without it, use softrl report.</p></noscript>
${sections}</main>
<script>${Html.trusted(script)}</script>
</body>
</html>
`.text;
}
