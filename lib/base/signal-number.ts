// signal-number.ts: signals by their numbers and by their names.

import { constants } from 'node:os';
import { inspect } from 'node:util';

import { typeError, ValueError } from './errors';

/** A signal by its number, or by a name of `os.constants.signals`. */
export type SignalNumber = number | NodeJS.Signals;

export const { SIGINT, SIGKILL, SIGTERM } = constants.signals;

const numbers = new Map<string, number>(Object.entries(constants.signals));

/** The names that Node has. Of two for one number it is the first, which is the usual one. */
export const signalNames: ReadonlyMap<number, NodeJS.Signals> = new Map(
  [...numbers].reverse().map(([name, number]) => [number, name as NodeJS.Signals]),
);

/** @throws TypeError; ValueError for a name that there is not. Whether the system has such a number, it says itself */
export function signalNumber(signal: unknown): number {
  if (Number.isInteger(signal)) return signal as number;
  if (typeof signal !== 'string') throw typeError(`a signal is an integer or a name, not ${inspect(signal)}`);
  const number = numbers.get(signal);
  if (number === undefined) throw invalidSignal(signal);
  return number;
}

export function invalidSignal(signal: unknown): ValueError {
  return new ValueError(`invalid signal ${inspect(signal)}`, 'ERR_UNKNOWN_SIGNAL');
}
