/** Numbers in executor memory. Views stay valid for the session's life; write inputs before a run. */
export type Buffer = Float64Array | Float32Array;
