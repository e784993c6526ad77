// pipe-end.ts: what pipe transports are made over: the descriptor, what may be one, and who closes it.

import { closeSync, constants } from 'node:fs';
import { Stream } from 'node:stream';

import { typeError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import { binding } from '../native/binding';
import { check, errorOfNode } from '../native/check';
import { toFd } from '../selectors/file-object';
import { describeType } from '../sockets/arguments';

/**
 * The end of a pipe, a socket, a terminal or another character device: a descriptor of Node's (`fs.openSync`, 0 for the
 * standard input), or an object that has one and closes it (`OwnedFd`, `Socket`, `fs.promises`' FileHandle). The transport
 * owns it, and makes it non-blocking: for everybody who shares it, as the processes of a terminal do.
 */
export type PipeLike = number | { fileno(): number; close(): unknown } | { readonly fd: number; close(): unknown };

const { S_IFMT, S_IFIFO, S_IFSOCK, S_IFCHR } = constants;

function descriptorOf(pipe: PipeLike): number {
  if (typeof pipe === 'number') return toFd(pipe);
  const { fileno, fd, close } = pipe as { fileno?: unknown; fd?: unknown; close?: unknown };
  const closes = typeof close === 'function';
  if (typeof fileno === 'function' && closes) return toFd(pipe as { fileno(): number });
  // A stream of Node's reads by itself.
  if (typeof fd === 'number' && closes && !(pipe instanceof Stream)) return toFd(fd);
  throw typeError(
    `a pipe is a descriptor, or an object with close() and fileno() or fd, not ${describeType(pipe)}` +
      (pipe instanceof Stream ? ': of a stream of Node, give the descriptor' : ''),
  );
}

/** What a transport has of its pipe. */
export class PipeEnd {
  readonly fd: number;
  readonly #kind: number;
  readonly #pipe: PipeLike;

  /**
   * The pipe is the transport's from here on; if this throws, it stays the caller's.
   * @throws TypeError for what is no pipe, ValueError for a file or a folder, OSError (EBADF)
   */
  constructor(pipe: PipeLike) {
    this.fd = descriptorOf(pipe ?? {});
    this.#kind = check(binding.fileMode(this.fd), 'fstat') & S_IFMT;
    if (![S_IFIFO, S_IFSOCK, S_IFCHR].includes(this.#kind)) {
      throw new ValueError('a pipe transport is for pipes, sockets and character devices only');
    }
    check(binding.setNonBlocking(this.fd, true), 'setNonBlocking');
    this.#pipe = pipe;
  }

  /** Whether readiness for reading tells the writer that nobody reads any more. */
  get tellsOfItsReader(): boolean {
    return this.#kind === S_IFSOCK || (this.#kind === S_IFIFO && process.platform !== 'aix');
  }

  /** @throws OSError for a number, otherwise what the pipe's own `close` throws */
  close(): void {
    if (typeof this.#pipe !== 'number') {
      this.#report(this.#pipe.close());
      return;
    }
    try {
      // Through Node, which in a worker closes at the end what it has opened and not seen closed.
      closeSync(this.fd);
    } catch (error) {
      throw errorOfNode(error);
    }
  }

  // Nobody waits for a FileHandle, whose descriptor Node closes on another thread.
  #report(closing: unknown): void {
    Promise.resolve(closing).catch((error: unknown) => {
      logger.error(`closing the pipe of descriptor ${this.fd} failed`, error);
    });
  }
}

/** Transports that were dropped without being closed: their pipes are closed, nobody is told but the one who reads warnings. */
const abandoned = new FinalizationRegistry((end: PipeEnd) => {
  process.emitWarning(`unclosed transport: its pipe, descriptor ${end.fd}, is closed now`, 'ResourceWarning');
  try {
    end.close();
  } catch (error) {
    logger.error(`closing the pipe of descriptor ${end.fd} failed`, error);
  }
});

/** Closes the pipe if the transport is collected before `forget`. */
export function closeWithTransport(transport: object, end: PipeEnd): void {
  abandoned.register(transport, end, transport);
}

/** The transport has closed its pipe. */
export function forget(transport: object): void {
  abandoned.unregister(transport);
}
