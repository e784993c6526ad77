// arguments.ts: what the calls of a socket accept. The caller's fault throws before the system is asked.

import { isBytes } from '../base/bytes';
import { typeError, ValueError } from '../base/errors';

/** The type of a value in a message. */
export function describeType(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return typeof value;
  return value.constructor?.name ?? 'object';
}

/** @internal */
export function bytesOf(data: unknown): Uint8Array {
  if (isBytes(data)) return data;
  throw typeError(`data must be a Uint8Array or a Buffer, not ${describeType(data)}`);
}

/** An array of bytes; its elements are looked at once. @internal */
export function chunksOf(chunks: unknown): readonly Uint8Array[] {
  if (!Array.isArray(chunks)) throw typeError(`chunks must be an array, not ${describeType(chunks)}`);
  for (const chunk of chunks) bytesOf(chunk);
  return chunks as readonly Uint8Array[];
}

/** @internal */
export function int32(value: unknown, what: string): number {
  if (typeof value !== 'number') throw typeError(`${what} must be a number, not ${describeType(value)}`);
  if (!Number.isInteger(value) || value < -0x80000000 || value > 0xffffffff) {
    throw new ValueError(`${what} must be a 32-bit integer, not ${value}`);
  }
  return value | 0;
}

/** @internal */
export function size(value: unknown, what: string): number {
  int32(value, what);
  const number = value as number;
  if (number < 0 || number > 0x7fffffff) {
    throw new ValueError(`${what} must be a 31-bit integer that is not negative, not ${number}`);
  }
  return number;
}

/** A descriptor, or that of an object which has one. @internal */
export function descriptorOf(value: unknown): number {
  const fd = typeof value === 'object' && value !== null ? (value as { fileno?(): unknown }).fileno?.() : value;
  return int32(fd, 'descriptor');
}
