/**
 * Units as types. Q-values, logits and log-probabilities all hold one number per action. Confusing them (off
 * by τ, or by a normaliser) is the classic bug in code for this paper; with these types it does not compile.
 *
 * The brand works on any holder of numbers: a typed array in `math/`, a symbolic tensor in `losses/`.
 */
declare const unit: unique symbol;

/** `Holder` with its numbers measured in units of `Name`. */
export type Quantity<Name extends string, Holder> = Holder & { readonly [unit]: Name };

/** Arrays of numbers that the formulas accept. */
export type Vector = Float64Array | Float32Array;

/** Q(s,·), in units of reward. */
export type QValues<Holder = Float64Array> = Quantity<"q-values", Holder>;
/** V(s), in units of reward. */
export type StateValues<Holder = Float64Array> = Quantity<"state-values", Holder>;
/** log π(·|s): dimensionless; its exp sums to one. */
export type LogProbabilities<Holder = Float64Array> = Quantity<"log-probabilities", Holder>;
/** Unnormalised log-probabilities: dimensionless, defined up to a constant. */
export type Logits<Holder = Float64Array> = Quantity<"logits", Holder>;
/**
 * log π̄(·|s), the reference measure. If normalised, it is the prior of a KL bonus; all zeros (the counting
 * measure) turn −KL into the entropy, as in §6.3.
 */
export type LogPrior<Holder = Float64Array> = Quantity<"log-prior", Holder>;

/** Declares that these numbers are Q-values. */
export const qValues = <H>(numbers: H): QValues<H> => numbers as QValues<H>;
/** Declares that these numbers are state values. */
export const stateValues = <H>(numbers: H): StateValues<H> => numbers as StateValues<H>;
/** Declares that these numbers are normalised log-probabilities. */
export const logProbabilities = <H>(numbers: H): LogProbabilities<H> => numbers as LogProbabilities<H>;
/** Declares that these numbers are unnormalised log-probabilities. */
export const logits = <H>(numbers: H): Logits<H> => numbers as Logits<H>;
/** Declares that these numbers are the logarithm of a reference measure. */
export const logPrior = <H>(numbers: H): LogPrior<H> => numbers as LogPrior<H>;
