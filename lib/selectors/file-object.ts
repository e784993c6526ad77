// file-object.ts: what may stand for a descriptor. asyncio: selectors._fileobj_to_fd.

import { inspect } from 'node:util';

import { ValueError } from '../base/errors';

/** A descriptor number, or an object that has one. */
export type FileObject = number | { fileno(): number };

const MAX_FD = 0x7fffffff;

function invalid(fileObject: unknown, cause?: unknown): ValueError {
  const error = new ValueError(`invalid file object: ${inspect(fileObject, { depth: 0 })}`, 'ERR_INVALID_FILE_OBJECT');
  return cause === undefined ? error : Object.assign(error, { cause });
}

// What `fileno()` throws is its own affair, save the two that say that there is no descriptor to be had.
function filenoOf(fileObject: unknown): unknown {
  try {
    const fileno: unknown = (fileObject as { fileno?: unknown } | null | undefined)?.fileno;
    return typeof fileno === 'function' ? Reflect.apply(fileno, fileObject, []) : undefined;
  } catch (error) {
    if (error instanceof TypeError || error instanceof ValueError) throw invalid(fileObject, error);
    throw error;
  }
}

/** As `toFd`, but a negative number is let through. */
export function toFdOrNegative(fileObject: FileObject): number {
  let fd: unknown = fileObject;
  if (typeof fd !== 'number') {
    fd = filenoOf(fileObject);
    if (typeof fd === 'string' && /^\s*[+-]?\d+\s*$/.test(fd)) fd = Number(fd);
  }
  if (typeof fd !== 'number' || !Number.isInteger(fd) || fd > MAX_FD) throw invalid(fileObject);
  return fd;
}

/**
 * The descriptor of a file object: a number as it is, otherwise what its `fileno()` says (a numeric string counts).
 * Differs from asyncio: a boolean is no number, and neither is a fraction.
 * @throws ValueError if there is none (ERR_INVALID_FILE_OBJECT), or it is negative (ERR_INVALID_FD); what `fileno()`
 * throws, other than a TypeError or a ValueError
 */
export function toFd(fileObject: FileObject): number {
  const fd = toFdOrNegative(fileObject);
  if (fd < 0) throw new ValueError(`invalid file descriptor: ${fd}`, 'ERR_INVALID_FD');
  return fd;
}
