import { type Html, html, noHtml } from "./html.js";
import type { VariantSettings } from "./report-model.js";

/** The settings in which variants differ, and those that they share. */
export function settingsSection(settings: readonly VariantSettings[]): Html {
  if (settings.length === 0) return noHtml;
  const names = [...new Set(settings.flatMap(({ values }) => [...values.keys()]))];
  const textOf = ({ values }: VariantSettings, name: string) => values.get(name)?.join(" / ");
  const differing = names.filter((name) => new Set(settings.map((own) => textOf(own, name))).size > 1);
  const shared = names.filter((name) => !differing.includes(name));
  const list = (own: VariantSettings, some: readonly string[]) =>
    some.flatMap((name) => {
      const text = textOf(own, name);
      return text === undefined ? [] : [html`<div><code>${name}</code> ${text}</div>`];
    });
  const rows = settings.map(
    (own) => html`<tr><th scope="row">${own.variant}</th><td>${list(own, differing)}</td></tr>
`,
  );
  const table = html`<table class="texts">
<tbody>
${rows}</tbody>
</table>`;
  return html`<h2>Settings that differ</h2>
${differing.length === 0 ? html`<p class="note">${settings.length === 1 ? "There is one variant." : "None."}</p>` : table}
${
  shared.length === 0
    ? noHtml
    : html`<details><summary>Settings in common</summary>${list(settings[0], shared)}</details>`
}`;
}
