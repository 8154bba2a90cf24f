/** The guides in the order in which they are listed: the names of files in docs/, and what the list calls them. */
/** @type {readonly { readonly title: string, readonly guides: readonly (readonly [string, string])[] }[]} */
export const chapters = [
  {
    title: "Start",
    guides: [
      ["first-run", "A first run"],
      ["reading-a-run", "Read a run"],
      ["reproduce", "Reproduce a figure"],
    ],
  },
  {
    title: "Build with it",
    guides: [
      ["extend", "Your own environment, network, algorithm"],
      ["in-a-page", "In a page"],
      ["checkpoints", "Checkpoints"],
      ["export", "Exports to ONNX and JavaScript"],
      ["bundles", "Bundles for a page"],
    ],
  },
  {
    title: "Look up",
    guides: [
      ["algorithms", "Algorithms"],
      ["settings", "Settings"],
      ["environments", "Environments"],
      ["sweeps", "Sweeps"],
      ["scale", "What experiments cost"],
      ["reliability", "Reliability"],
    ],
  },
  {
    title: "The mathematics",
    guides: [
      ["paper", "Each equation, its function and its test"],
      ["oracle", "A run beside the exact solution"],
      ["value-iteration", "Value iteration"],
    ],
  },
];

/** Pages of the project that the list of guides ends with: files of the repository. */
/** @type {readonly (readonly [string, string])[]} */
export const projectPages = [
  ["README.md", "Overview"],
  ["experiments/README.md", "Experiments"],
  ["BENCHMARKS.md", "Benchmarks"],
  ["packages/cli/README.md", "The softrl command"],
  ["CONTRIBUTING.md", "How softrl is built"],
  ["CHANGELOG.md", "Changelog"],
];
