import katex from "katex";

/** The colour code of the page: the classes of the two colours that its formulas use. */
const classOf: Readonly<Record<string, string>> = { blue: "pg", orange: "sq" };

const macros = {
  "\\E": "\\mathbb{E}",
  "\\KL": "\\mathrm{KL}",
  "\\pib": "\\bar\\pi",
  // The policy is blue, soft Q-learning orange.
  "\\pol": "\\textcolor{blue}{#1}",
  "\\soft": "\\textcolor{orange}{#1}",
};

/**
 * Replaces $…$ and $$…$$ in a page by MathML, which browsers draw without a script, a style or a font of the page.
 * @throws ParseError for a formula that is not TeX.
 */
export function typesetFormulas(html: string): string {
  const formula = /\$\$([\s\S]+?)\$\$|\$([^$]+?)\$([.,:;)]*)/g;
  return html.replaceAll(formula, (_, display?: string, inline?: string, mark = "") => {
    const tex = (display ?? inline ?? "").replaceAll("&lt;", "<").replaceAll(/\s+/g, " ");
    const drawn = mathml(tex, display !== undefined);
    // A line does not begin with a comma.
    return mark === "" ? drawn : `<span class="joined">${drawn}${mark}</span>`;
  });
}

function mathml(tex: string, displayMode: boolean): string {
  const html = katex.renderToString(tex, {
    output: "mathml",
    displayMode,
    throwOnError: true,
    strict: true,
    macros,
  });
  const math = /<math[\s\S]*<\/math>/.exec(html)?.[0] ?? "";
  return (
    math
      // The source in TeX would be read aloud and copied beside the formula.
      .replaceAll(/<\/?semantics>|<annotation[\s\S]*?<\/annotation>/g, "")
      // Browsers ignore this variant, and many fonts lack the bar of an accent; the letter itself, and a
      // combining bar, are drawn well.
      .replaceAll('<mi mathvariant="double-struck">E</mi>', "<mi>\u{1d53c}</mi>")
      .replaceAll('<mover accent="true"><mi>π</mi><mo>ˉ</mo></mover>', "<mi>\u{1d70b}\u0304</mi>")
      // A prime is raised as it is; in a superscript it would be raised twice.
      .replaceAll(
        /<msup>(<mi>\w<\/mi>)<mo [^>]*>\u2032<\/mo><\/msup>/g,
        '<mrow>$1<mo lspace="0em" rspace="0em">\u2032</mo></mrow>',
      )
      // A function and its argument stand apart.
      .replaceAll("<mi>log</mi><mo>\u2061</mo>", '<mi>log</mi><mspace width="0.17em"></mspace>')
      // A class follows the light or the dark scheme; a colour cannot.
      .replaceAll(/ mathcolor="([^"]*)"/g, (_, colour: string) => ` class="${classOf[colour]}"`)
  );
}
