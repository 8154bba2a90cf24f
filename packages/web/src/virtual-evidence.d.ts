/** Made by the build from the experiments' tables: see evidence.ts. */
declare module "virtual:evidence" {
  import type { EvidenceTask } from "./figures/evidence-data.js";

  export const tasks: readonly EvidenceTask[];
}
