// file-source.ts: what sendfile takes for a file.

import { fstatSync, read, readSync } from 'node:fs';
import { inspect } from 'node:util';

import { RuntimeError, typeError, ValueError } from '../base/errors';
import { wrapPromise } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import { binding } from '../native/binding';
import { errorOfNode } from '../native/check';
import type { BaseEventLoop } from './base-event-loop';

/** The kernel cannot send this file by itself. asyncio: SendfileNotAvailableError. */
export class SendfileNotAvailableError extends RuntimeError {
  constructor(message: string) {
    super(message, 'ERR_SENDFILE_NOT_AVAILABLE');
  }
}
Object.defineProperty(SendfileNotAvailableError.prototype, 'name', { value: 'SendfileNotAvailableError' });

/**
 * A file: a descriptor, an object that has one (`fs.promises`' FileHandle, anything with `fileno()`), or an object that
 * fills buffers by itself (`readInto`, 0 at the end) and, if it can, `seek`s.
 */
export type FileSource =
  | number
  | { readonly fd: number }
  | { fileno(): number }
  | {
      readInto(buffer: Uint8Array): number | PromiseLike<number>;
      seek?(position: number): unknown;
    };

/** @throws TypeError, ValueError for a bad offset or count */
export function checkRange(offset: unknown, count: unknown): void {
  if (count !== null) {
    if (typeof count !== 'number' || !Number.isInteger(count)) {
      throw typeError(`count must be a positive integer, not ${inspect(count)}`);
    }
    if (count <= 0) throw new ValueError(`count must be a positive integer, not ${count}`);
  }
  if (typeof offset !== 'number' || !Number.isInteger(offset)) {
    throw typeError(`offset must be a non-negative integer, not ${inspect(offset)}`);
  }
  if (offset < 0) throw new ValueError(`offset must be a non-negative integer, not ${offset}`);
}

/** The descriptor and the size of a file that the kernel can send. @throws SendfileNotAvailableError for any other one */
export function kernelFile(file: FileSource): { fd: number; size: number } {
  const fd = descriptorOf(file);
  try {
    if (fd !== null) return { fd, size: fstatSync(fd).size };
  } catch {
    // A descriptor of nothing: said below.
  }
  throw new SendfileNotAvailableError('not a regular file');
}

function descriptorOf(file: FileSource): number | null {
  if (typeof file === 'number') return file;
  const { fd, fileno } = file as { fd?: unknown; fileno?: unknown };
  if (typeof fd === 'number') return fd;
  if (typeof fileno !== 'function') return null;
  const number: unknown = Reflect.apply(fileno, file, []);
  return typeof number === 'number' ? number : null;
}

// Differs from asyncio: it begins at `position` also if that is 0, as the kernel does, and not wherever a file is (SFILE-020).
/** Fills `buffer` from `position` on. @returns bytes, 0 at the end @throws OSError, or what `readInto` throws */
export function* readFrom(
  loop: BaseEventLoop,
  file: FileSource,
  buffer: Uint8Array,
  position: number,
): CoroutineGenerator<number> {
  if (typeof (file as { readInto?: unknown }).readInto === 'function') {
    const count = (file as { readInto(buffer: Uint8Array): number | PromiseLike<number> }).readInto(buffer);
    return typeof count === 'number' ? count : yield* wrapPromise(count, loop);
  }
  const fd = descriptorOf(file);
  if (fd === null) throw typeError(`a file is a descriptor or an object with readInto(), not ${inspect(file)}`);
  // A synchronous run stops Node's loop: nobody would deliver the result of an asynchronous read.
  if (!loop._run.isHosted) return readNow(fd, buffer, position);
  return yield* wrapPromise(readAsync(fd, buffer, position), loop);
}

function readNow(fd: number, buffer: Uint8Array, position: number): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, position);
  } catch (error) {
    throw errorOfNode(error);
  }
}

function readAsync(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(errorOfNode(error));
    });
  });
}

/** Moves the file's position, if it has one. */
export function seekTo(file: FileSource, position: number): void {
  const { seek } = file as { seek?: unknown };
  if (typeof seek === 'function') {
    Reflect.apply(seek, file, [position]);
    return;
  }
  const fd = descriptorOf(file);
  // What has no position (a pipe) needs none.
  if (fd !== null) binding.seek(fd, position);
}
