// owned-fd.ts: a descriptor of any kind that somebody owns and closes, and pipes made of two of them.

import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { binding } from '../native/binding';
import { check } from '../native/check';
import { size } from './arguments';

/**
 * A thread that is terminated, or a page that is left, closes nothing itself: its environment does it. A process that ends
 * needs nobody.
 * @internal
 */
export const isOutlived = !isMainThread || (process as { type?: string }).type === 'renderer';

/** A descriptor and the duty to close it. Python: io.FileIO with closefd, as far as that goes. */
export class OwnedFd {
  #fd: number;

  /**
   * Takes a descriptor over: nobody else may close it from now on. Its blocking mode stays as it is.
   * @throws TypeError, ValueError for what is no descriptor, OSError (EBADF; ENOSYS on Windows)
   */
  constructor(fd: number) {
    check(binding.fileMode(size(fd, 'descriptor')), 'fstat');
    if (isOutlived) check(binding.own(fd), 'own');
    this.#fd = fd;
  }

  /** The descriptor; -1 after `close` or `detach`. */
  fileno(): number {
    return this.#fd;
  }

  /** Closes the descriptor. May be called again. @throws OSError if the system reports one; the descriptor is gone all the same */
  close(): void {
    const fd = this.detach();
    if (fd >= 0) check(binding.close(fd), 'close');
  }

  /** Gives the descriptor away: it stays open, and is the caller's from now on. @returns the descriptor */
  detach(): number {
    const fd = this.#fd;
    this.#fd = -1;
    if (isOutlived && fd >= 0) binding.disown(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](): string {
    return `<OwnedFd ${this.#fd < 0 ? 'closed' : `fd=${this.#fd}`}>`;
  }
}

/**
 * A pipe: what is written to the second end is read from the first. Both block until a transport has them, and are
 * close-on-exec. Python: os.pipe.
 * @throws OSError (EMFILE, ...; ENOSYS on Windows)
 */
export function pipe(): [readEnd: OwnedFd, writeEnd: OwnedFd] {
  const fds = new Int32Array(2);
  check(binding.pipe(fds), 'pipe');
  return [new OwnedFd(fds[0]), new OwnedFd(fds[1])];
}
