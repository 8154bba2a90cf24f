import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { meanInterval, RandomStreams } from "softrl";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { Html, html } from "../src/reports/html.js";
import type { ReportSource } from "../src/reports/report-model.js";
import { reportPage } from "../src/reports/report-page.js";
import { readReportSource } from "../src/reports/report-source.js";
import { reportStatistics } from "../src/reports/report-statistics.js";
import { checkDefinition } from "../src/sweeps/definition.js";
import { keyOf, planSweep } from "../src/sweeps/sweep-plan.js";
import { expectRefusal, softrl } from "./command.js";

const place = temporaryFolder("report");
const hostile = `<script>alert("1 & 2")</script><img src='https://example.org/x'></text></svg></style>`;

/** Writes files into a folder of this name. */
function folderWith(name: string, files: Readonly<Record<string, string>>): string {
  const folder = join(place, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

const definition = {
  title: "Two bonuses",
  variants: [
    { name: "naive", algorithm: "a2c", options: { "entropy-bonus": "naive" } },
    { name: "proper", algorithm: "a2c" },
  ],
  environments: ["CartPole-v1", "Acrobot-v1"],
  seeds: [1, 2, 3, 4],
  published: { "Somebody (2019)": { "CartPole-v1": 123 } },
};
const scoresOf: Readonly<Record<string, readonly number[]>> = {
  "naive CartPole-v1": [0, 2, 4, 100],
  "proper CartPole-v1": [170, 180, 190, 240],
  "naive Acrobot-v1": [-90, -80, -80, -70],
  "proper Acrobot-v1": [-80, -80, -80, -80],
};
const head = "variant,environment,seed";

/** The tables of the definition's runs; `keyed` with a version and the keys of their settings. */
async function sweepFolder(name: string, keyed: boolean): Promise<string> {
  const folder = folderWith(name, { "runs.json": JSON.stringify(definition) });
  const version = "0.0.9";
  const { runs } = await planSweep(checkDefinition(join(folder, "runs.json"), definition), version);
  const rows = runs.flatMap(({ cells: [{ variant, environment, seed }], settings }) => {
    const score = scoresOf[`${variant} ${environment}`][seed - 1];
    const cell = `${variant},${environment},${seed}`;
    const key = keyed ? `,${version},${keyOf(settings, version)}` : ",,";
    return [{ cell, score, key }];
  });
  const table = (header: string, lines: readonly string[]) => `${[header, ...lines].join("\n")}\n`;
  return folderWith(name, {
    "results.csv": table(
      `${head},meanReturn,episodes,steps,executor,version,key`,
      rows.map(({ cell, score, key }) => `${cell},${score},9,100,native avx2${key}`),
    ),
    "curves.csv": table(
      `${head},step,meanReturn`,
      rows.flatMap(({ cell, score }) => [`${cell},50,${score / 2}`, `${cell},100,${score}`]),
    ),
    "times.csv": table(
      `${head},stepsPerSecond,cpu`,
      rows.map(({ cell, score }) => `${cell},${2000 + score},Fast & Fine`),
    ),
  });
}

const pageOf = async (...paths: readonly string[]) => reportPage(await readReportSource(paths));

/** The text of a page: without figures, tags and entities. */
const textOf = (page: string): string =>
  page
    .replaceAll(/<svg.*?<\/svg>|<style>.*?<\/style>/gs, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ");

function expectSelfContained(page: string): void {
  const markup = page.replaceAll(/>[^<]*</g, "><");
  expect(markup).not.toMatch(/<(script|link|img|iframe|object|use|image)\b/i);
  expect(page).not.toMatch(/\s(src|href|xlink:href|on\w+)=|url\(|@import/i);
  expect(markup).not.toMatch(/https?:/);
}

describe("markup", () => {
  test("escapes values in text and in attributes", () => {
    expect(html`<a title="${`"'`}">${"<b> & c"}</a>`.text).toBe(
      '<a title="&quot;&#39;">&lt;b&gt; &amp; c</a>',
    );
  });

  test("keeps markup in markup, and writes lists one after the other", () => {
    expect(html`<p>${[html`<i>${1}</i>`, html`${"<"}`]}${Html.trusted("<br>")}</p>`.text).toBe(
      "<p><i>1</i>&lt;<br></p>",
    );
  });
});

describe("statistics", () => {
  const run = (variant: string, environment: string, score: number | null, seed = String(score)) => ({
    ...{ variant, environment, seed, score, curve: null },
    ...{ executor: "", version: "", machine: "", stepsPerSecond: null },
  });
  const source = (runs: ReportSource["runs"]): ReportSource => ({
    ...{ title: "", runs, published: {}, settings: [], commands: [], files: [], remarks: [] },
    planned: [...new Set(runs.map(({ variant, environment }) => `${variant} ${environment}`))].map((name) => {
      const [variant, environment] = name.split(" ");
      return { variant, environment, seeds: 2 };
    }),
  });

  test("are those of each environment, with the intervals that a sweep prints", () => {
    const scores = [0, 2, 4, 100];
    const { environments } = reportStatistics(source(scores.map((score) => run("x", "one", score))));
    const [{ mean, interquartileMean, runs, planned }] = environments[0].variants;
    const { low, high } = meanInterval(scores, { random: new RandomStreams(0).stream("x", "one") });
    // Of the 256 equally likely resamples, 5 have a mean below 1 and 5 one above 75.5, which is less than 2.5 %.
    expect([low, high]).toEqual([1, 75.5]);
    expect(mean).toEqual({ estimate: 26.5, interval: { low, high } });
    // Without the lowest and the highest: (2 + 4) / 2. 13 resamples, 5 %, draw 0 at least three times; 13 draw 100.
    expect(interquartileMean).toEqual({ estimate: 3, interval: { low: 0, high: 100 } });
    expect([runs, planned]).toEqual([4, 2]);
  });

  test("of a single run have no interval, and runs without an episode have none", () => {
    const { environments, improvements, overall } = reportStatistics(
      source([run("x", "one", 4), run("x", "one", null), run("y", "one", null)]),
    );
    expect(environments[0].variants.map(({ mean }) => mean)).toEqual([{ estimate: 4, interval: null }, null]);
    expect([improvements, overall]).toEqual([[], []]);
  });

  test("over environments normalise each, and count each alike", () => {
    const x = [0, 10].map((score) => run("x", "one", score)).concat(run("x", "two", 300));
    const y = [run("y", "one", 5), run("y", "two", 100), run("z", "one", 7)];
    const { overall, improvements, scale } = reportStatistics(source([...x, ...y]));
    // x: (0 + 1)/2 on the first environment and 1 on the second; z has no run on the second.
    expect(overall.map(({ variant, mean }) => [variant, mean?.estimate])).toEqual([
      ["x", 0.75],
      ["y", 0.25],
    ]);
    // The IQM pools the runs 0, 1 and 1.
    expect(overall[0].interquartileMean?.estimate).toBeCloseTo(2 / 3);
    expect(scale).toBe("runs");
    // One of two runs of x is above y's on the first environment, and its only one on the second.
    const [first] = improvements;
    expect([first.variant, first.other, first.overall?.estimate]).toEqual(["x", "y", 0.75]);
    expect(first.environments.map(({ probability }) => probability.estimate)).toEqual([0.5, 1]);
  });

  test("over environments have one scale: that of human players only where every environment has it", () => {
    // A random player scores -20.7 on Pong, and a human one 14.6; on Breakout 1.7 and 30.5.
    const pong = [-20.7, 49.9].map((score) => run("x", "ALE/Pong-v5", score));
    const overall = (environment: string, scores: readonly number[]) => {
      const others = scores.map((score) => run("x", environment, score));
      const { scale, overall } = reportStatistics(source([...pong, ...others]));
      return [scale, overall[0].mean?.estimate];
    };
    // Means of 0 and 2, and of 0, 0 and 1.
    expect(overall("ALE/Breakout-v5", [1.7, 1.7, 30.5])).toEqual(["human", expect.closeTo((1 + 1 / 3) / 2)]);
    // Means of 0 and 1, and of 0, 0 and 1.
    expect(overall("CartPole-v1", [3, 3, 8])).toEqual(["runs", expect.closeTo((1 / 2 + 1 / 3) / 2)]);
  });
});

describe("the page of a sweep", () => {
  const unequal =
    "Over all environments, the mean counts each environment alike, but the IQM counts each run alike: where the numbers of runs differ, environments with more runs weigh more in it.";

  test("has figures, scores, probabilities, settings, commands and machines", async () => {
    const folder = await sweepFolder("sweep", true);
    const page = await pageOf(folder);
    expect(page).toBe(await pageOf(folder));
    expectSelfContained(page);
    expect(page).toContain("<title>Two bonuses</title>");
    for (const figure of ["Learning curves", "Final scores"]) {
      for (const environment of definition.environments) {
        expect(page).toContain(`aria-label="${figure}: ${environment}"`);
      }
    }
    const text = textOf(page);
    expect(text).toContain("2 variants, 2 environments, 16 runs.");
    expect(text).toMatch(/CartPole-v1 naive 26\.5 \[1\.00, 75\.5\] 3\.00 \[0, 100\] 4 proper 195 .*\] 185 /);
    expect(text).toContain("Somebody (2019) 123");
    // A resample is −80 plus 10/4 of Binomial(8, 1/2) − 4, which is −4 or −3 in 9 cases of 256, and −4 in one.
    expect(text).toMatch(/Acrobot-v1 naive −80\.0 \[−87\.5, −72\.5\]/);
    // Every run of the naive bonus is below those of the proper one; on Acrobot as many are above as below.
    expect(text).toMatch(
      /naive over proper CartPole-v1 0\.00 \[0\.00, 0\.00\] Acrobot-v1 0\.50 \[.*\] all 2 environments 0\.25 \[/,
    );
    expect(text).toMatch(
      /Settings that differ naive algorithm\.entropyBonus naive proper algorithm\.entropyBonus proper Settings in common/,
    );
    expect(text).toContain(`npx softrl sweep ${folder}`);
    expect(text).toContain("With fewer than 10 seeds they are too narrow.");
    expect(text).toMatch(
      /16 runs: executor native avx2; softrl 0\.0\.9; machine Fast & Fine; 1.910 to 2.240 steps\/s/,
    );
    expect(text).not.toContain("no record of their settings");
    expect(text).not.toContain(unequal);
  });

  test("names runs that are missing, other rows, and settings that are not recorded", async () => {
    const folder = await sweepFolder("partial", false);
    const path = join(folder, "results.csv");
    const [header, , ...rows] = readFileSync(path, "utf8").trimEnd().split("\n");
    writeFileSync(
      path,
      `${[header, ...rows, rows[0].replace(/^\w+/, "elsewhere"), rows[0]].join("\n")}\ncut,of`,
    );
    const text = textOf(await pageOf(folder));
    expect(text).toContain("Runs without a result: 1 of 16.");
    expect(text).toContain("Rows of partial from other definitions, left out: 1.");
    expect(text).toContain("The results have no record of their settings");
    expect(text).toContain("3 of 4");
    expect(text).toContain(unequal);
  });

  test("escapes names from its files, and loads nothing that they name", async () => {
    const cells = [1, 2].map((seed) => `"${hostile.replaceAll('"', '""')}",${hostile.slice(0, 8)},${seed}`);
    const folder = folderWith("hostile", {
      "results.csv": `${head},meanReturn,episodes,steps,executor\n${cells.map((cell) => `${cell},1,2,3,<b>`).join("\n")}\n`,
      "curves.csv": `${head},step,meanReturn\n${cells.map((cell) => `${cell},1,2`).join("\n")}\n`,
    });
    const page = await pageOf(folder);
    expect(page).not.toContain("<script");
    expect(page).not.toContain("<b>");
    expect(page).toContain("&lt;script&gt;alert(&quot;1 &amp; 2&quot;)&lt;/script&gt;");
    expectSelfContained(page.replaceAll(/&lt;img.*?(?=<|$)/gs, ""));
    expect(textOf(page)).toContain("hostile has no runs.json, so that settings and commands are not known.");
  });

  test("gives one error for tables that are empty, damaged or of another definition", async () => {
    const header = `${head},meanReturn,episodes,steps\n`;
    const json = JSON.stringify(definition);
    const cases: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ "results.csv": "" }, /there is no result to report/],
      [{ "results.csv": header, "runs.json": json }, /there is no result to report/],
      [{ "runs.json": json }, /there is no result to report.*run softrl sweep/s],
      [{ "results.csv": `${header}x,y,1,much,1,1\n` }, /results\.csv: row 1: meanReturn is not valid/],
      [{ "results.csv": `${header}x,y,1,1\n` }, /row 1 has another number of cells than the header/],
      [{ "results.csv": `${header}x,y,1,1,1,1\n`, "runs.json": json }, /rows of the variants of runs\.json/],
      [{ "results.csv": `${header}x,y,1,1,1,1\n`, "runs.json": "{" }, /runs\.json: not JSON/],
    ];
    for (const [i, [files, error]] of cases.entries()) {
      await expect(readReportSource([folderWith(`bad-${i}`, files)])).rejects.toThrow(error);
    }
  });
});

describe("the page of run folders", () => {
  const events = (seed: number, tau: number, last: object) =>
    [
      {
        ...{ event: "started", version: "0.1.0", executor: "native", instructionSet: "avx2" },
        ...{ commit: "8c3a58de0d80aaaaaaaa", host: { cpu: "Chip", cores: 2, platform: "linux x64" } },
        config: {
          run: { seed, steps: 20 },
          environment: { id: "CartPole-v1" },
          algorithm: { name: "a2c", tau },
        },
      },
      { event: "update", step: 10, meanReturn: seed, figures: {} },
      { event: "update", step: 20, meanReturn: 2 * seed, figures: {} },
      last,
    ]
      .map((event) => `${JSON.stringify(event)}\n`)
      .join("");
  const write = (name: string, text: string) =>
    folderWith(name, { "events.jsonl": text, "config.json": `{"about": "${name}"}` });
  const finished = { event: "finished", step: 20 };

  test("names variants for their settings, and lists the commands that repeat them", async () => {
    for (const seed of [10, 9]) write(`taus/a-${seed}`, events(seed, 0.1, finished));
    write("taus/b", events(1, 0.2, { event: "interrupted", step: 20 }));
    const page = await pageOf(join(place, "taus"));
    expectSelfContained(page);
    const text = textOf(page);
    expect(text).toMatch(/CartPole-v1 A2C, tau 0\.1 19\.0 \[18\.0, 20\.0\]/);
    expect(text).toContain("A2C, tau 0.2 algorithm.tau 0.2");
    expect(text).toContain("1 of 3 runs did not reach the last step; the latest mean return counts (b).");
    expect(text).toMatch(/softrl train --config \S*taus\/a-9\/config\.json --seeds 9,10 npx/);
    expect(text).toMatch(/\{&quot;about&quot;: &quot;taus\/b&quot;\}/);
    expect(text).toContain(
      "3 runs: executor native avx2; softrl 0.1.0+8c3a58de0d80; machine Chip, 2 cores, linux x64",
    );
  });

  test("is read from the runs where train --seeds has written tables beside them", async () => {
    write("seeds/seed-1", events(1, 0.1, finished));
    const cells = "variant,environment,seed,meanReturn,episodes,steps";
    folderWith("seeds", { "results.csv": `${cells}\nA2C,CartPole-v1,1,2,3,20\n` });
    expect((await readReportSource([join(place, "seeds")])).commands).toHaveLength(1);
  });

  test("refuses to count a run twice", async () => {
    const folders = ["twice/a", "twice/b"].map((name) => write(name, events(1, 0.1, finished)));
    await expect(readReportSource(folders)).rejects.toThrow(
      /report: A2C on CartPole-v1 with seed 1 appears twice/,
    );
  });

  test("is written by the command for several runs, or where it is named", async () => {
    const folder = write("one/run", events(3, 0.1, finished));
    const several = await softrl(["report", "one"], place);
    expect([several.code, several.stdout]).toEqual([0, "report.html: 1 run\n"]);
    expectRefusal(await softrl(["report", "one"], place), 1, /--out: report\.html already exists/);
    const named = await softrl(["report", folder, "-o", "report.html", "--overwrite", "--json"], place);
    expect(JSON.parse(named.stdout)).toEqual({ out: "report.html", runs: 1 });
    expect(readFileSync(join(place, "report.html"), "utf8")).toContain("CartPole-v1");
    expectRefusal(await softrl(["report", "one", "-o", "a.pdf"], place), 1, /a file that ends in \.html/);
    expectRefusal(await softrl(["report", folder, "--overwrite"], place), 1, /--overwrite/);
  });
});
