// sock-sendfile.ts: a file through a bare socket, in the kernel or block by block. asyncio: sock_sendfile.

import { ConnectionError, isFatal, isWouldBlock, OSError, ValueError } from '../base/errors';
import { MAX_READ_SIZE } from '../base/constants';
import { Future } from '../futures/future';
import type { CoroutineGenerator } from '../futures/frame';
import { binding } from '../native/binding';
import { check } from '../native/check';
import { SOCK_STREAM } from '../sockets/constants';
import type { SocketLike } from '../sockets/socket-io';
import { checkRange, kernelFile, readFrom, seekTo, SendfileNotAvailableError, type FileSource } from './file-source';
import { checkSocket, sockSendall, type SockLike } from './sock-io';
import type { BaseSelectorEventLoop } from './selector-event-loop';

export interface SendfileOptions {
  /** False to fail with SendfileNotAvailableError instead of copying, where the kernel cannot send the file. */
  fallback?: boolean;
}

/** asyncio: sock_sendfile. */
export function* sockSendfile(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  file: FileSource,
  offset: number,
  count: number | null,
  options: SendfileOptions,
): CoroutineGenerator<number> {
  checkSocket(loop, sock);
  if (sock.type !== SOCK_STREAM) throw new ValueError('only stream sockets can send files');
  checkRange(offset, count);
  try {
    return yield* sendInKernel(loop, sock, file, offset, count);
  } catch (error) {
    if (!(error instanceof SendfileNotAvailableError) || options.fallback === false) throw error;
  }
  return yield* sendByCopying(loop, sock, file, offset, count);
}

/** One call of sendfile now, one with each writability. asyncio: _sock_sendfile_native. @internal */
export function* sendInKernel(
  loop: BaseSelectorEventLoop,
  sock: SocketLike,
  file: FileSource,
  offset: number,
  count: number | null,
  started: (future: Future<number>) => void = () => undefined,
): CoroutineGenerator<number> {
  const { fd: inFd, size } = kernelFile(file);
  if (count === null && size === 0) return 0;
  const future = new Future<number>(loop);
  started(future);
  let total = 0;
  let watchedFd: number | null = null;

  const finish = (end: () => void): void => {
    if (total > 0) seekTo(file, offset + total);
    end();
  };
  const step = (): void => {
    const fd = sock.fileno();
    if (watchedFd !== null) loop.removeWriter(watchedFd);
    if (future.done()) {
      finish(() => undefined);
      return;
    }
    const left = count === null ? size : count - total;
    if (left <= 0) {
      finish(() => future.setResult(total));
      return;
    }
    try {
      const sent = check(binding.sendfile(fd, inFd, offset + total, left), 'sendfile');
      if (sent === 0) {
        finish(() => future.setResult(total));
        return;
      }
      total += sent;
    } catch (error) {
      if (!isWouldBlock(error)) {
        if (isFatal(error)) throw error;
        finish(() => future._fail(failureOf(error, total, watchedFd !== null)));
        return;
      }
    }
    if (watchedFd === null) {
      future.addDoneCallback(() => {
        if (future.cancelled() && sock.fileno() >= 0) loop.removeWriter(sock.fileno());
      });
    }
    watchedFd = fd;
    loop.addWriter(fd, step);
  };

  step();
  return yield* future;
}

/** Before a byte went out, a refusal only means that the kernel cannot do it. */
function failureOf(error: unknown, total: number, waited: boolean): unknown {
  if (!(error instanceof OSError)) return error;
  const lost = waited && error.code === 'ENOTCONN';
  const { code, errno } = error;
  const failure = lost ? new ConnectionError('socket is not connected', { code, errno, cause: error }) : error;
  return total === 0 ? new SendfileNotAvailableError(`sendfile failed: ${error.message}`) : failure;
}

/** asyncio: _sock_sendfile_fallback. */
function* sendByCopying(
  loop: BaseSelectorEventLoop,
  sock: SockLike,
  file: FileSource,
  offset: number,
  count: number | null,
): CoroutineGenerator<number> {
  if (offset > 0) seekTo(file, offset);
  const block = Buffer.allocUnsafeSlow(Math.min(count ?? MAX_READ_SIZE, MAX_READ_SIZE));
  let total = 0;
  try {
    for (;;) {
      const wanted = count === null ? block.length : Math.min(count - total, block.length);
      if (wanted <= 0) return total;
      const view = block.subarray(0, wanted);
      const read = yield* readFrom(loop, file, view, offset + total);
      if (read === 0) return total;
      yield* sockSendall(loop, sock, view.subarray(0, read));
      total += read;
    }
  } finally {
    if (total > 0) seekTo(file, offset + total);
  }
}
