import { readdirSync } from "node:fs";

const NAME = /^events\.out\.tfevents\.(\d{5,15})\.softrl$/;

/** TensorBoard reads the files whose names contain `tfevents`, in the order of their names. */
export const eventLogName = (number: number): string =>
  `events.out.tfevents.${String(number).padStart(5, "0")}.softrl`;

/** The event file of a film: after those of numbers. */
export const filmLogName = (step: number): string =>
  `events.out.tfevents.film-${String(step).padStart(16, "0")}.softrl`;

/** The numbers of the event files of ours in a folder, without films. */
export function eventLogNumbers(folder: string): readonly number[] {
  return readdirSync(folder).flatMap((name) => {
    const number = NAME.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}
