/** Numbers in executor memory. Views stay valid as long as the session; write inputs before a run. */
export type Buffer = Float64Array | Float32Array;
