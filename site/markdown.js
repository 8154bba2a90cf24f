import GithubSlugger from "github-slugger";
import hljs from "highlight.js/lib/common";
import MarkdownIt from "markdown-it";

/**
 * @typedef {{ title: string, html: string, about: string }} Rendered
 * title: of the first heading, as text; about: the first paragraph, as text
 */

const markdown = new MarkdownIt({ html: true, highlight: highlighted });
// Docstrings write operators as [T V](s), which is also a link: an address has a dot, a slash, a colon or a hash.
const isAddress = markdown.validateLink;
markdown.validateLink = (url) => /[./#:]/.test(url) && isAddress(url);
// The policy of the site allows no style in an element.
markdown.renderer.rules.th_open = alignedByClass;
markdown.renderer.rules.td_open = alignedByClass;
markdown.renderer.rules.table_open = () => '<div class="scroll" tabindex="0"><table>\n';
markdown.renderer.rules.table_close = () => "</table></div>\n";

/**
 * Markdown as HTML. Headings have the ids that GitHub gives them.
 * @param {string} text
 * @param {(address: string) => string} address the address in the site of one that the text names
 * @returns {Rendered}
 */
export function rendered(text, address) {
  const tokens = markdown.parse(text, {});
  const slugger = new GithubSlugger();
  let [title, about] = ["", ""];
  for (const [i, token] of tokens.entries()) {
    if (token.type === "heading_open") {
      const words = plainText(tokens[i + 1]);
      token.attrSet("id", slugger.slug(words));
      if (title === "") title = words;
    }
    if (token.type === "paragraph_open" && about === "" && token.level === 0)
      about = plainText(tokens[i + 1]);
    for (const child of token.children ?? []) {
      for (const name of ["href", "src"]) {
        const found = child.attrGet(name);
        if (found !== null) child.attrSet(name, address(found));
      }
    }
  }
  return { title, about, html: markdown.renderer.render(tokens, markdown.options, {}) };
}

/** @param {import("markdown-it").Token} token */
function plainText(token) {
  const parts = (token.children ?? []).filter(({ type }) => type !== "html_inline");
  return parts.map(({ type, content }) => (type === "softbreak" ? " " : content)).join("");
}

/** @type {import("markdown-it/lib/renderer.mjs").RenderRule} */
function alignedByClass(tokens, index, options, _environment, self) {
  const token = tokens[index];
  const style = token.attrGet("style");
  token.attrs = (token.attrs ?? []).filter(([name]) => name !== "style");
  if (style === "text-align:right") token.attrJoin("class", "right");
  return self.renderToken(tokens, index, options);
}

/** Code with its words in classes; as it is in a language that is not known. @param {string} code @param {string} language */
export function highlighted(code, language) {
  if (language === "" || language === "text" || hljs.getLanguage(language) === undefined)
    return escaped(code);
  return hljs.highlight(code, { language }).value;
}

/** @param {string} text */
export const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
