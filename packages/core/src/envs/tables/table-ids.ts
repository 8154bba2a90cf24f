/** The environments that are tables: finite, with an exact process, and one-hot vectors as observations. */
const tableNames: readonly string[] = ["GridWorld", "FrozenLake", "FrozenLake8x8", "CliffWalking", "Taxi"];

/** Whether an environment is a table, in any version: Gymnasium has other versions than softrl. */
export function isTable(id: string): boolean {
  const [, name] = /^(.*)-v\d+$/.exec(id) ?? [];
  return name !== undefined && tableNames.includes(name);
}
