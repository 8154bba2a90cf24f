// Filters the rows of a page's tables by their text. Runs in the reader's browser; the tables are whole without it.
const rows = Array.from(document.querySelectorAll("main tbody tr"));
const field = document.createElement("input");
field.type = "search";
field.placeholder = "Filter by name or words";
field.setAttribute("aria-label", "Filter by name or words");
field.className = "filter";
document.querySelector("h1")?.after(field);
field.addEventListener("input", () => {
  const words = field.value.toLowerCase().split(/\s+/);
  for (const row of rows) {
    const text = row.textContent?.toLowerCase() ?? "";
    row.toggleAttribute("hidden", !words.every((word) => text.includes(word)));
  }
});
