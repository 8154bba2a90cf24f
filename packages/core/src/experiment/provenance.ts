/** The machine that a run computes on. */
export interface Machine {
  /** The processor's model. */
  readonly cpu: string;
  /** Processor cores that the run may use. */
  readonly cores: number;
  /** Operating system and architecture, for instance `linux x64`. */
  readonly platform: string;
  /** The JavaScript runtime and its version, for instance `node 24.1.0`. */
  readonly runtime: string;
}

/**
 * Where a run is computed and by which code, as its events report it. It decides no number of the run, and no
 * checkpoint holds it.
 */
export interface Provenance {
  readonly host?: Machine;
  /** The git commit of softrl's code, with `-dirty` appended if files differ from it. */
  readonly commit?: string;
}
