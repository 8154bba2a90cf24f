import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as softrl from "softrl";
import { describe, expect, test } from "vitest";
import { chapters } from "../guides.js";
import { brokenLinks, foreignLoads, type SiteFiles, siteFiles } from "../links.js";
import { highlighted, rendered } from "../markdown.js";
import { packages, root } from "../packages.js";
import { narrowTables } from "../reference.js";
import { placeOf } from "../site-map.js";

/** The names in the braces of an entry point's exports, types included. */
const exportsOf = (folder: string): string[] => {
  const code = readFileSync(join(root, "packages", folder, "src/index.ts"), "utf8");
  const lists = [...code.matchAll(/export (?:type )?\{([^}]*)\}/g)].map(([, list]) => list);
  const names = lists.flatMap((list) => list.split(",")).map((name) => name.trim());
  return names.filter((name) => name !== "").map((name) => name.replace(/^type /, "").replace(/^.* as /, ""));
};

describe("the built site", () => {
  const files = siteFiles(join(root, "site/dist"));

  test("has no broken link, and loads nothing from another host", () => {
    expect(brokenLinks(files)).toEqual([]);
    expect(foreignLoads(files)).toEqual([]);
  });

  test("allows nothing from another host, and no script or style in the page", () => {
    for (const [path, html] of files) {
      if (!path.endsWith(".html")) continue;
      const found = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? "none";
      const policy = found.replaceAll("&#39;", "'");
      expect(policy, path).toMatch(/^default-src 'none'/);
      expect(policy.replace("'wasm-unsafe-eval'", ""), path).not.toMatch(/unsafe|http|\*/);
      expect(html, path).not.toMatch(/<style|\sstyle="|<script(?![^>]*\ssrc=)/);
    }
  });

  test.each(packages.map(({ folder, name }) => [name, folder]))(
    "has a page for each export of %s",
    (name, folder) => {
      const pages = [...files.keys()].filter((path) =>
        path.startsWith(`reference/${name.replace(/^@.*\//, "")}/`),
      );
      const documented = new Set(pages.map((path) => path.replace(/^.*\/(.*)\.html$/, "$1")));
      const names = exportsOf(folder);
      expect(names.length).toBeGreaterThan(0);
      expect(names.filter((one) => !documented.has(one))).toEqual([]);
    },
  );

  test("has a page for each value that softrl exports", () => {
    const missing = Object.keys(softrl).filter(
      (name) =>
        !["classes", "functions", "variables"].some((kind) =>
          files.has(`reference/softrl/${kind}/${name}.html`),
        ),
    );
    expect(missing).toEqual([]);
  });

  test("lists every guide", () => {
    const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
    const listed = chapters.flatMap((chapter) => chapter.guides.map(([name]) => `${name}.md`));
    expect(listed.sort()).toEqual(guides.sort());
  });

  test("leads from the page to the guides and the reference, and back", () => {
    expect(files.get("index.html")).toMatch(
      /href="\.\/guides\/index\.html"[\s\S]*href="\.\/reference\/index\.html"/,
    );
    for (const path of ["guides/extend.html", "reference/softrl/classes/RunControl.html"])
      expect(files.get(path)).toMatch(/class="home" href="(\.\.\/)+index\.html"/);
  });

  test("shows a docstring and its links", () => {
    const page = files.get("reference/softrl/functions/softQLoss.html") ?? "";
    expect(page).toContain("½ (Q_θ(s_t, a_t) − y_t)²");
    expect(page).toContain('href="../interfaces/Tensor.html"');
  });
});

describe("the check of links", () => {
  const page = (body: string): SiteFiles =>
    new Map([
      ["a/page.html", body],
      ["b.html", '<h2 id="there">There</h2>'],
      ["picture.svg", ""],
    ]);

  test("takes files, headings and other hosts that exist", () => {
    const links = '<p id="x"></p><a href="../b.html#there"></a><a href="#x"></a><img src="../picture.svg" />';
    expect(brokenLinks(page(`${links}<a href="https://arxiv.org/abs/1704.06440"></a>`))).toEqual([]);
  });

  test.each([
    "../c.html",
    "b.html",
    "../b.html#nowhere",
    "#nowhere",
    "../picture.png",
    "../",
    "../b.html#There",
  ])("finds that %s is broken", (address) => {
    expect(brokenLinks(page(`<a class="x" href="${address}"></a>`))).toEqual([`a/page.html: ${address}`]);
  });

  test("finds an id that is there twice", () => {
    expect(brokenLinks(page('<p id="x"></p><p id="x"></p>'))).toEqual(["a/page.html: two of id x"]);
  });

  test.each([
    '<script src="https://example.org/x.js"></script>',
    '<img alt="" src="//example.org/x.png">',
    '<link rel="stylesheet" href="http://example.org/x.css">',
    '<iframe src="https://example.org/"></iframe>',
  ])("finds that %s loads from another host", (html) => {
    expect(foreignLoads(page(html))).toHaveLength(1);
  });

  test("finds a style's font and import of another host", () => {
    const css = '@import "https://example.org/x.css"; @font-face { src: url(https://example.org/x.woff2) }';
    expect(foreignLoads(new Map([["x.css", css]]))).toHaveLength(2);
    expect(foreignLoads(page('<a href="https://example.org/">a link</a>'))).toEqual([]);
  });
});

describe("Markdown", () => {
  const html = (text: string) => rendered(text, (address) => `to:${address}`).html;

  test("has GitHub's ids, addresses of the site, and its title", () => {
    expect(rendered("# What `a` is\n\nIt is *this*.\n", (address) => address)).toMatchObject({
      title: "What a is",
      about: "It is this.",
    });
    expect(html("## Names, twice\n\n## Names, twice\n")).toMatch(/id="names-twice"[\s\S]*id="names-twice-1"/);
    expect(html("[a](b.md#c) ![d](e.svg)")).toMatch(/href="to:b.md#c"[\s\S]*src="to:e.svg"/);
  });

  test("leaves operators of the paper as they are", () => {
    expect(html("[T V](s) = E[r]")).toBe("<p>[T V](s) = E[r]</p>\n");
  });

  test("aligns columns without styles in elements", () => {
    const table = html("| a | b |\n| --- | --: |\n| 1 | 2 |\n");
    expect(table).toContain('<td class="right">2</td>');
    expect(table).not.toContain("style=");
  });

  test("escapes code", () => {
    expect(highlighted("<b> & c", "text")).toBe("&lt;b&gt; &amp; c");
    expect(html('```ts\nconst a = "<b>";\n```\n')).toContain("&lt;b&gt;");
  });
});

test("tables of the reference have defaults beside types, and no empty columns", () => {
  const rows = [
    "| Name | Type | Default value | Description |",
    "| --- | --- | --- | --- |",
    "| x | a \\| b | `undefined` | - |",
    "| y | `number` | `1` | - |",
  ];
  expect(narrowTables(`${rows.join("\n")}\n\ntext | text\n`)).toBe(
    "| Name | Type |\n| --- | --- |\n| x | a \\| b |\n| y | `number` = `1` |\n\ntext | text\n",
  );
});

test("files of the repository have a place in the site, others have none", () => {
  expect(placeOf("docs/extend.md")).toMatchObject({ kind: "page", path: "guides/extend.html" });
  expect(placeOf("experiments")).toMatchObject({ kind: "page", path: "project/experiments/README.html" });
  expect(placeOf("docs/cartpole.svg")).toMatchObject({ kind: "file" });
  expect(placeOf("docs/build.js")).toMatchObject({ kind: "source", path: "source/docs/build.js.html" });
  expect(placeOf("docs/no-such-guide.md")).toBeNull();
  expect(placeOf("../elsewhere.md")).toBeNull();
});
