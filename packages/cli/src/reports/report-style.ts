import { DARK, darkRules, GREY, PAPER, TEXT } from "@softrl/web";

const colours = (paper: string, text: string, grey: string) =>
  `--paper:${paper};--text:${text};--grey:${grey}`;

/** The rules of a report: one column or two, dark where the reader's system is, always light on paper. */
export const reportStyle = `<style>
:root{color-scheme:light dark;${colours(PAPER, TEXT, GREY)}}
@media screen and (prefers-color-scheme:dark){:root{${colours(DARK[PAPER], DARK[TEXT], DARK[GREY])}}}
body{margin:0 auto;max-width:56rem;padding:1rem;background:var(--paper);color:var(--text);font:1rem/1.45 system-ui,'DejaVu Sans',sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.2;margin:.3rem 0 .6rem}
h2{font-size:1.15rem;margin:2rem 0 .5rem}
p,ul{margin:.5rem 0}
.note{color:var(--grey);font-size:.85rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:.8rem}
figure{margin:0;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .4rem;text-align:right;vertical-align:top;border-bottom:1px solid color-mix(in srgb,var(--grey) 35%,transparent)}
th:first-child,td:first-child,.texts td{text-align:left}
thead th,td{overflow-wrap:normal}
.texts td{overflow-wrap:anywhere}
ul{padding-left:1.2rem}
summary{margin:.4rem 0}
th{font-weight:600}
tbody th{font-weight:400}
tbody th[colspan]{font-weight:600;padding-top:.8rem}
tbody{break-inside:avoid}
.interval{color:var(--grey);font-size:.85em;white-space:nowrap}
.published{font-style:italic}
pre{white-space:pre-wrap;padding:.6rem;border:1px solid color-mix(in srgb,var(--grey) 35%,transparent);font-size:.82rem;margin:.5rem 0}
@media (max-width:30rem){body{padding:.6rem}table{font-size:.78rem}th,td{padding:.2rem}.interval{display:block}}
@media print{.figures{grid-template-columns:repeat(auto-fill,minmax(80mm,1fr))}body{max-width:none;padding:0;font-size:9.5pt}h2{break-after:avoid}@page{margin:15mm}}
</style>${darkRules().replace("@media (", "@media screen and (")}`;
