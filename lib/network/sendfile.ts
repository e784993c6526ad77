// sendfile.ts: a file through a transport, between what was written before and after. asyncio: base_events.sendfile,
// selector_events._sendfile_native.

import { ConnectionError, RuntimeError, typeError } from '../base/errors';
import type { CoroutineGenerator } from '../futures/frame';
import type { Future } from '../futures/future';
import { checkRange, readFrom, seekTo, SendfileNotAvailableError, type FileSource } from '../loop/file-source';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { sendInKernel, type SendfileOptions } from '../loop/sock-sendfile';
import { FlowControlTransport } from '../transports/flow-control';
import { BaseProtocol } from '../transports/protocol';
import type { SelectorSocketTransport } from '../transports/socket-transport';
import type { Transport } from '../transports/transport';

/** Bytes that the fallback reads and writes at a time. */
const FALLBACK_BLOCK = 16 * 1024;

export function* sendfile(
  loop: BaseSelectorEventLoop,
  transport: Transport,
  file: FileSource,
  offset: number,
  count: number | null,
  options: SendfileOptions,
): CoroutineGenerator<number> {
  if (transport.isClosing()) throw new RuntimeError('the transport is closing', 'ERR_TRANSPORT_CLOSING');
  const mode = (transport as { _sendfileCompatible?: SendfileMode })._sendfileCompatible ?? 'unsupported';
  if (mode === 'unsupported') {
    throw new RuntimeError('sendfile is not supported for this transport', 'ERR_SENDFILE_NOT_SUPPORTED');
  }
  // Differs from asyncio: the second fails with a KeyError there, or mixes its blocks with those of the first.
  if (isSendingFile(transport)) throw new RuntimeError('a sendfile is in progress', 'ERR_SENDFILE_IN_PROGRESS');
  if (mode === 'try-native') {
    try {
      return yield* sendNative(loop, transport as SelectorSocketTransport, file, offset, count);
    } catch (error) {
      if (!(error instanceof SendfileNotAvailableError) || options.fallback === false) throw error;
    }
  }
  if (options.fallback === false) {
    throw new RuntimeError('the fallback is disabled, and this transport has nothing else', 'ERR_SENDFILE_NO_FALLBACK');
  }
  return yield* sendByFallback(loop, transport, file, offset, count);
}

function isSendingFile(transport: Transport): boolean {
  const { _emptyWaiter: waiter = null } = transport as Partial<SelectorSocketTransport>;
  return waiter !== null || transport.getProtocol() instanceof SendfileFallbackProtocol;
}

/** What a transport says of itself. asyncio: constants._SendfileMode. */
export type SendfileMode = 'unsupported' | 'try-native' | 'fallback';

function* sendNative(
  loop: BaseSelectorEventLoop,
  transport: SelectorSocketTransport,
  file: FileSource,
  offset: number,
  count: number | null,
): CoroutineGenerator<number> {
  checkRange(offset, count);
  const fd = transport._sockFd;
  const drained = transport._makeEmptyWaiter();
  const wasReading = transport.isReading();
  transport.pauseReading();
  // The descriptor is sendfile's meanwhile: its verbs must not find an owner.
  loop._transports.delete(fd);
  try {
    // Differs from asyncio: what is restored below is restored also when waiting for the buffer fails (SFILE-007).
    yield* drained;
    const sock = transport._sock;
    // Differs from asyncio: a transport that was closing, and sent the last of its buffer, has none (an AttributeError there).
    if (sock === null) throw closedByPeer();
    return yield* sendInKernel(loop, sock, file, offset, count, (future) => {
      transport._sendfileFuture = future;
    });
  } finally {
    transport._sendfileFuture = null;
    transport._resetEmptyWaiter();
    if (wasReading) transport.resumeReading();
    if (transport._sock !== null) loop._transports.set(fd, transport);
  }
}

function* sendByFallback(
  loop: BaseSelectorEventLoop,
  transport: Transport,
  file: FileSource,
  offset: number,
  count: number | null,
): CoroutineGenerator<number> {
  checkRange(offset, count);
  if (offset > 0) seekTo(file, offset);
  const substitute = new SendfileFallbackProtocol(loop, transport);
  let total = 0;
  try {
    for (;;) {
      const wanted = count === null ? FALLBACK_BLOCK : Math.min(count - total, FALLBACK_BLOCK);
      if (wanted <= 0) return total;
      // A block of its own each time: the transport keeps it until it is sent.
      const block = Buffer.allocUnsafe(wanted);
      const read = yield* readFrom(loop, file, block, offset + total);
      if (read === 0) return total;
      yield* substitute.drain();
      transport.write(block.subarray(0, read));
      total += read;
    }
  } finally {
    if (total > 0) seekTo(file, offset + total);
    substitute.restore();
  }
}

/** Stands in for the transport's protocol and only minds the flow. asyncio: _SendfileFallbackProtocol. */
class SendfileFallbackProtocol extends BaseProtocol {
  readonly #loop: BaseSelectorEventLoop;
  readonly #transport: FlowControlTransport;
  readonly #original: BaseProtocol;
  readonly #wasReading: boolean;
  readonly #wasPaused: boolean;
  #writable: Future<void> | null;

  constructor(loop: BaseSelectorEventLoop, transport: Transport) {
    super();
    if (!(transport instanceof FlowControlTransport)) throw typeError('the transport has no flow control');
    this.#loop = loop;
    this.#transport = transport;
    this.#original = transport.getProtocol() as BaseProtocol;
    this.#wasReading = transport.isReading();
    this.#wasPaused = transport._protocolPaused;
    transport.pauseReading();
    transport.setProtocol(this);
    this.#writable = this.#wasPaused ? loop.createFuture<void>() : null;
  }

  *drain(): CoroutineGenerator<void> {
    if (this.#transport.isClosing()) throw closedByPeer();
    if (this.#writable !== null) yield* this.#writable;
  }

  restore(): void {
    this.#transport.setProtocol(this.#original);
    if (this.#wasReading) this.#transport.resumeReading();
    // Whoever waits to write is woken by the original protocol, not by this one.
    this.#writable?.cancel();
    if (this.#wasPaused) this.#original.resumeWriting();
  }

  override connectionMade(): void {
    throw new RuntimeError('the connection should be made already', 'ERR_SENDFILE_IN_PROGRESS');
  }

  override connectionLost(error: unknown): void {
    // Nobody may be waiting: then drain() will say so.
    if (this.#writable !== null && !this.#writable.done()) this.#writable._fail(error ?? closedByPeer());
    this.#original.connectionLost(error);
  }

  override pauseWriting(): void {
    this.#writable ??= this.#loop.createFuture<void>();
  }

  override resumeWriting(): void {
    // It may have been cancelled in this iteration.
    if (this.#writable !== null && !this.#writable.done()) this.#writable.setResult();
    this.#writable = null;
  }

  dataReceived(): void {
    throw new RuntimeError('reading should be paused', 'ERR_SENDFILE_IN_PROGRESS');
  }

  eofReceived(): void {
    throw new RuntimeError('reading should be paused', 'ERR_SENDFILE_IN_PROGRESS');
  }
}

function closedByPeer(): ConnectionError {
  return new ConnectionError('the connection is closed by the peer', { code: 'ECONNABORTED', errno: 0 });
}
