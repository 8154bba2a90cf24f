/** The version that runs and checkpoints are marked with: package.json's, which core cannot read itself. */
export const version = "0.1.0";
