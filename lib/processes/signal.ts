// signal.ts: the numbers of signals that are sent.

import { constants } from 'node:os';
import { inspect } from 'node:util';

import { typeError, ValueError } from '../base/errors';
import type { SignalNumber } from '../loop/signals';

export const { SIGKILL, SIGTERM } = constants.signals;

/** @throws TypeError, ValueError; whether the system has such a number, it says itself */
export function signalNumber(signal: SignalNumber): number {
  if (Number.isInteger(signal)) return signal as number;
  if (typeof signal !== 'string') throw typeError(`a signal is an integer or a name, not ${inspect(signal)}`);
  const number: number | undefined = Object.hasOwn(constants.signals, signal) ? constants.signals[signal] : undefined;
  if (number === undefined) throw new ValueError(`invalid signal ${inspect(signal)}`, 'ERR_UNKNOWN_SIGNAL');
  return number;
}
