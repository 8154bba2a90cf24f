/** Text of a page that is written as it stands. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** Markup of our own, such as a figure: never a text from a file. */
  static trusted(markup: string): Html {
    return new Html(markup);
  }
}

export type HtmlValue = string | number | Html | readonly Html[];

/** Markup with values in it. Strings are escaped, in text and in quoted attributes alike. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return Html.trusted(strings.map((part, i) => (i === 0 ? "" : markupOf(values[i - 1])) + part).join(""));
}

/** Nothing. */
export const noHtml: Html = Html.trusted("");

function markupOf(value: HtmlValue): string {
  if (value instanceof Html) return value.text;
  return typeof value === "object" ? value.map(markupOf).join("") : escaped(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]);
