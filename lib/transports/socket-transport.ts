// socket-transport.ts: a byte stream over a socket. asyncio: selector_events._SelectorSocketTransport. Readiness comes
// in as _readReady and _writeReady; what the peer sent goes to the protocol, what the protocol wrote goes out at once
// as far as the system takes it.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { LOG_THRESHOLD_FOR_CONNLOST_WRITES, MAX_READ_SIZE } from '../base/constants';
import { ConnectionError, isFatal, memoryChanged, RuntimeError, typeError } from '../base/errors';
import { logger } from '../base/log';
import type { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { errorFor, wouldBlock } from '../native/check';
import { AF_INET, AF_INET6, IOV_MAX, IPPROTO_TCP, SHUT_WR, SOCK_STREAM, TCP_NODELAY } from '../sockets/constants';
import { describeType } from '../sockets/socket';
import { socketIO, type SocketIO, type SocketLike } from '../sockets/socket-io';
import { BufferedProtocol, type BaseProtocol, type Protocol } from './protocol';
import { SelectorTransport, type Attachable } from './selector-transport';

const connectionAborted = { code: 'ECONNABORTED', errno: 0 };

const MAX_CHUNKS_PER_WRITE = IOV_MAX ?? 1024;

/** What waits to be sent, for most connections. */
const NOTHING: Uint8Array[] = [];

/** Only where the socket says it is TCP: one that was opened with protocol 0 is left alone (TCP-006). */
function setNoDelay(sock: SocketLike): void {
  const inet = sock.family === AF_INET || sock.family === AF_INET6;
  if (inet && sock.type === SOCK_STREAM && sock.proto === IPPROTO_TCP) sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
}

export class SelectorSocketTransport extends SelectorTransport {
  /** @internal */ _eof = false;
  /** @internal */ _emptyWaiter: Future<void> | null = null;
  /** A sendfile that waits on this descriptor. @internal */
  _sendfileFuture: Future<number> | null = null;
  /** What this transport can do. @internal */
  readonly _sendfileCompatible = 'try-native';
  /** @internal */ readonly _startTlsCompatible = true;
  /** Not to be changed while it is NOTHING. @internal */ _buffer = NOTHING;
  // Bytes in _buffer, kept so that flow control does not add them up for each write.
  #bufferSize = 0;
  readonly #io: SocketIO;
  /** The protocol if it brings its own memory. Set while the base constructor runs, so without initializer. @internal */
  declare _bufferedProtocol: BufferedProtocol | null;

  constructor(
    loop: BaseSelectorEventLoop,
    sock: SocketLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
    server: Attachable | null = null,
  ) {
    super(loop, sock, protocol, extra, server);
    this.#io = socketIO(sock);
    setNoDelay(sock);
    this._begin(waiter);
  }

  override setProtocol(protocol: BaseProtocol): void {
    super.setProtocol(protocol);
    this._bufferedProtocol = protocol instanceof BufferedProtocol ? protocol : null;
  }

  // Reading.

  /** @internal */
  _readReady(): void {
    if (this._connLost > 0) return;
    if (this._bufferedProtocol === null) this.#readData();
    else this.#readBuffer(this._bufferedProtocol);
  }

  #readData(): void {
    let chunk: Uint8Array | number;
    try {
      chunk = this.#io._recv(MAX_READ_SIZE);
    } catch (error) {
      this.#failRead(error);
      return;
    }
    if (typeof chunk !== 'number') {
      try {
        (this._protocol as Protocol).dataReceived(chunk as Buffer);
      } catch (error) {
        this.#failProtocol(error, 'dataReceived');
      }
    } else if (chunk === 0) this.#readEof();
    else this.#failReadNumber(chunk);
  }

  #readBuffer(protocol: BufferedProtocol): void {
    let buffer: Uint8Array;
    try {
      buffer = protocol.getBuffer(-1);
      if (!isBytes(buffer)) throw typeError(`getBuffer() must return a Uint8Array, not ${describeType(buffer)}`);
      if (buffer.length === 0) throw new RuntimeError('getBuffer() returned an empty buffer', 'ERR_EMPTY_BUFFER');
    } catch (error) {
      this.#failProtocol(error, 'getBuffer');
      return;
    }
    let count: number;
    try {
      count = this.#io._recvInto(buffer);
    } catch (error) {
      this.#failRead(error);
      return;
    }
    if (count < 0) this.#failReadNumber(count);
    else if (count === 0) this.#readEof();
    else {
      try {
        // Whoever is the protocol now: getBuffer may have named another one.
        (this._protocol as BufferedProtocol).bufferUpdated(count);
      } catch (error) {
        this.#failProtocol(error, 'bufferUpdated');
      }
    }
  }

  #readEof(): void {
    const loop = this._loop as BaseSelectorEventLoop;
    if (loop.getDebug()) logger.debug(`${inspect(this)} received EOF`);
    let keepOpen: unknown;
    try {
      keepOpen = (this._protocol as Protocol).eofReceived();
    } catch (error) {
      this.#failProtocol(error, 'eofReceived');
      return;
    }
    // Kept open for writing: no more readiness to hear of, yet neither paused nor closing.
    if (keepOpen) this._stopReading();
    else this.close();
  }

  #failReadNumber(result: number): void {
    if (!wouldBlock(result)) this.#failRead(errorFor(result, 'recv'));
  }

  #failRead(error: unknown): void {
    if (isFatal(error)) throw error;
    this._fatalError(error, 'Fatal read error on socket transport');
  }

  #failProtocol(error: unknown, method: string): void {
    if (isFatal(error)) throw error;
    this._fatalError(error, `Fatal error: protocol.${method}() call failed.`);
  }

  // Writing.

  override write(data: Uint8Array): void {
    if (!isBytes(data)) throw typeError(`data must be a Uint8Array or a Buffer, not ${describeType(data)}`);
    this.#checkWritable();
    if (data.length === 0) return;
    if (this._connLost > 0) {
      if (this._connLost >= LOG_THRESHOLD_FOR_CONNLOST_WRITES) logger.warning('write to a connection that is lost');
      this._connLost += 1;
      return;
    }
    let rest = data;
    if (this._buffer.length === 0) {
      let sent: number;
      try {
        sent = this.#io._send(data);
      } catch (error) {
        this.#failWrite(error);
        return;
      }
      if (sent < 0) {
        if (!wouldBlock(sent)) {
          this.#failWrite(errorFor(sent, 'send'));
          return;
        }
      } else {
        if (sent === data.length) return;
        rest = data.subarray(sent);
      }
      this._addWriter();
    }
    this.#append(rest);
    this._maybePauseProtocol();
  }

  override writelines(chunks: Iterable<Uint8Array>): void {
    this.#checkWritable();
    if (chunks === null || chunks === undefined) return;
    const pieces: Uint8Array[] = [];
    for (const chunk of chunks) {
      if (!isBytes(chunk)) throw typeError(`a chunk must be a Uint8Array or a Buffer, not ${describeType(chunk)}`);
      // Differs from asyncio: an empty piece would stay in the buffer for ever (TCP-073).
      if (chunk.length > 0) pieces.push(chunk);
    }
    // Differs from asyncio: what comes after the end is dropped, as write does (TCP-074, TCP-075).
    if (pieces.length === 0 || this._connLost > 0) return;
    for (const piece of pieces) this.#append(piece);
    this._writeReady();
    if (this._buffer.length === 0) return;
    this._addWriter();
    // Differs from asyncio 3.12.1, as later versions do: the marks count here too (TCP-072).
    this._maybePauseProtocol();
  }

  /** As one `write` of all of them. TLS sends its records so. @internal */
  _writeTogether(chunks: readonly Uint8Array[]): void {
    // Behind what waits they wait too, where writelines would try again to send.
    if (this._buffer.length > 0) for (const chunk of chunks) this.write(chunk);
    else this.writelines(chunks);
  }

  /** Sends what is buffered, in one call. @internal */
  _writeReady(): void {
    if (this._buffer.length === 0 || this._connLost > 0) return;
    let sent: number;
    try {
      const chunks = this._buffer;
      sent =
        chunks.length === 1
          ? this.#io._send(chunks[0])
          : this.#io._sendmsg(chunks, Math.min(chunks.length, MAX_CHUNKS_PER_WRITE));
    } catch (error) {
      this.#failBufferedWrite(error);
      return;
    }
    if (sent < 0) {
      if (!wouldBlock(sent)) this.#failBufferedWrite(errorFor(sent, 'sendmsg'));
      return;
    }
    this.#dropSent(sent);
    if (this._buffer.length === 0 && this.#bufferSize !== 0) {
      this.#failBufferedWrite(memoryChanged());
      return;
    }
    // The protocol hears first: it may write more, and what it writes counts below.
    this._maybeResumeProtocol();
    if (this._buffer.length === 0) this.#drained();
  }

  #drained(): void {
    const loop = this._loop;
    // resumeWriting may have ended the connection.
    if (loop === null) return;
    loop._removeWriter(this._sockFd);
    const waiter = this._emptyWaiter;
    // It may have been cancelled in this iteration, and not be reset yet.
    if (waiter !== null && !waiter.done()) waiter.setResult(undefined);
    if (this._closing) {
      if (this._connLost === 0) {
        this._connLost += 1;
        this._callConnectionLost(null);
      }
    } else if (this._eof) this._sock?.shutdown(SHUT_WR);
  }

  #append(chunk: Uint8Array): void {
    if (this._buffer === NOTHING) this._buffer = [chunk];
    else this._buffer.push(chunk);
    this.#bufferSize += chunk.length;
  }

  #dropSent(sent: number): void {
    this.#bufferSize -= sent;
    const chunks = this._buffer;
    let whole = 0;
    let left = sent;
    while (whole < chunks.length && left >= chunks[whole].length) left -= chunks[whole++].length;
    if (whole === chunks.length) chunks.length = 0;
    else {
      if (whole > 0) chunks.splice(0, whole);
      if (left > 0) chunks[0] = chunks[0].subarray(left);
    }
  }

  #checkWritable(): void {
    if (this._eof) throw new RuntimeError('cannot write after writeEof()', 'ERR_WRITE_AFTER_EOF');
    if (this._emptyWaiter !== null) {
      throw new RuntimeError('cannot write while sendfile is in progress', 'ERR_SENDFILE_IN_PROGRESS');
    }
  }

  #failWrite(error: unknown): void {
    if (isFatal(error)) throw error;
    this._fatalError(error, 'Fatal write error on socket transport');
  }

  #failBufferedWrite(error: unknown): void {
    if (isFatal(error)) throw error;
    this._loop?._removeWriter(this._sockFd);
    this._clearBuffer();
    this._fatalError(error, 'Fatal write error on socket transport');
    const waiter = this._emptyWaiter;
    if (waiter !== null && !waiter.done()) waiter._fail(error);
  }

  override writeEof(): void {
    if (this._closing || this._eof) return;
    this._eof = true;
    if (this._buffer.length === 0) this._sock?.shutdown(SHUT_WR);
  }

  override canWriteEof(): boolean {
    return true;
  }

  override getWriteBufferSize(): number {
    return this.#bufferSize;
  }

  /** @internal */
  _hasBufferedData(): boolean {
    return this._buffer.length > 0;
  }

  /** @internal */
  _clearBuffer(): void {
    this._buffer = NOTHING;
    this.#bufferSize = 0;
  }

  // For sendfile: a future that is done when the buffer is empty; writing is refused meanwhile.

  /** @internal */
  _makeEmptyWaiter(): Future<void> {
    if (this._emptyWaiter !== null) throw new RuntimeError('a sendfile is in progress', 'ERR_SENDFILE_IN_PROGRESS');
    const waiter = (this._loop as BaseSelectorEventLoop).createFuture<void>();
    this._emptyWaiter = waiter;
    if (this._buffer.length === 0) waiter.setResult(undefined);
    return waiter;
  }

  /** @internal */
  _resetEmptyWaiter(): void {
    this._emptyWaiter = null;
  }

  /** @internal */
  override _callConnectionLost(error: unknown): void {
    const waiter = this._emptyWaiter;
    const sending = this._sendfileFuture;
    // Differs from asyncio: a sendfile under way would wait for ever on a descriptor that is closed (SFILE-027).
    if (sending !== null && !sending.done()) {
      this._loop?._removeWriter(this._sockFd);
      sending._fail(error ?? new ConnectionError('the connection is closed by the peer', connectionAborted));
    }
    super._callConnectionLost(error);
    // Differs from asyncio: a waiter that is done already is left alone (TCP-080).
    if (waiter !== null && !waiter.done()) {
      waiter.setException(new ConnectionError('the connection is closed by the peer', connectionAborted));
    }
  }
}
