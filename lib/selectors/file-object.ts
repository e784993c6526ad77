// file-object.ts: what may stand for a descriptor. asyncio: selectors._fileobj_to_fd.

import { inspect } from 'node:util';

import { ValueError } from '../base/errors';

/** A descriptor number, or an object that has one. */
export type FileObject = number | { fileno(): number };

const MAX_FD = 0x7fffffff;

/**
 * The descriptor of a file object: a number as it is, otherwise what its `fileno()` says (a numeric string counts).
 * @throws ValueError if there is none (ERR_INVALID_FILE_OBJECT), or it is negative (ERR_INVALID_FD)
 */
export function toFd(fileObject: FileObject): number {
  let fd: unknown = fileObject;
  if (typeof fd !== 'number') {
    const fileno: unknown = (fileObject as { fileno?: unknown } | null | undefined)?.fileno;
    fd = typeof fileno === 'function' ? Reflect.apply(fileno, fileObject, []) : undefined;
    if (typeof fd === 'string' && /^\s*[+-]?\d+\s*$/.test(fd)) fd = Number(fd);
  }
  if (typeof fd !== 'number' || !Number.isInteger(fd) || fd > MAX_FD) {
    throw new ValueError(`invalid file object: ${inspect(fileObject, { depth: 0 })}`, 'ERR_INVALID_FILE_OBJECT');
  }
  if (fd < 0) throw new ValueError(`invalid file descriptor: ${fd}`, 'ERR_INVALID_FD');
  return fd;
}
