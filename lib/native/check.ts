// check.ts: where a negative number, or an error of Node's, becomes an exception. Nothing else in lib/ makes an OSError from a
// number.

import { makeOSError, type OSError } from '../base/errors';
import { binding } from './binding';

const nameByErrno = new Map<number, string>();
for (const [name, number] of Object.entries(binding.errnoByName)) {
  // Two names may share a number (EAGAIN, EWOULDBLOCK): the first listed is the usual one.
  if (!nameByErrno.has(number)) nameByErrno.set(number, name);
}

/** What a negative result means: the name of the errno, such as 'EAGAIN'. */
export function errnoName(result: number): string {
  return nameByErrno.get(-result) ?? `errno ${-result}`;
}

/** Where an error happened, as far as the caller knows. */
export interface ErrorPlace {
  address?: string | undefined;
  port?: number | undefined;
  path?: string | undefined;
  /** Put before the system's text. */
  detail?: string;
}

/** The exception for a negative result of `syscall`. */
export function errorFor(result: number, syscall: string, place: ErrorPlace = {}): OSError {
  const code = errnoName(result);
  const { address, port, path } = place;
  const what = address === undefined ? path : `${address}${port === undefined ? '' : `:${port}`}`;
  const where = what === undefined ? '' : ` ${what}`;
  const detail = place.detail === undefined ? '' : `${place.detail}: `;
  const message = `${detail}${syscall} ${code}${where} (${binding.errorMessage(-result)})`;
  return makeOSError(message, { code, errno: result, syscall, address, port, path });
}

/** What node:fs threw, as an OSError if the system said so. */
export function errorOfNode(error: unknown): unknown {
  const { code = '', syscall = '' } = error as NodeJS.ErrnoException;
  return code in binding.errnoByName ? errorFor(-binding.errnoByName[code], syscall) : error;
}

/** Gives a good result back and throws the exception of a bad one. */
export function check(result: number, syscall: string, place?: ErrorPlace): number {
  if (result < 0) throw errorFor(result, syscall, place);
  return result;
}

const { EAGAIN, EWOULDBLOCK, EALREADY, EINPROGRESS, EINTR } = binding.errnoByName;

/** Whether a negative result only means "later": the numbers of BlockingIOError and InterruptedError. */
export function wouldBlock(result: number): boolean {
  return (
    result === -EAGAIN ||
    result === -EWOULDBLOCK ||
    result === -EINTR ||
    result === -EALREADY ||
    result === -EINPROGRESS
  );
}
