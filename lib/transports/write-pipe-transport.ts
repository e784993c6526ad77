// write-pipe-transport.ts: bytes to a pipe, a socket or a character device. asyncio: unix_events._UnixWritePipeTransport.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { EVENT_WRITE, LOG_THRESHOLD_FOR_CONNLOST_WRITES } from '../base/constants';
import { AssertionError, makeOSError, type OSError } from '../base/errors';
import { logger } from '../base/log';
import { _setResultUnlessCancelled, type Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { binding } from '../native/binding';
import { errorFor, wouldBlock } from '../native/check';
import { describeType } from '../sockets/arguments';
import { ByteBuffer } from './byte-buffer';
import { FlowControlTransport } from './flow-control';
import { closeWithTransport, forget, PipeEnd, type PipeLike } from './pipe-end';
import { checkProtocol, type BaseProtocol } from './protocol';

/** No call of the system has said so. */
const brokenPipe = { code: 'EPIPE', errno: 0 };

// What the loop calls: the transport is an argument, as in selector-transport.ts.

const connectionMade = (protocol: BaseProtocol, transport: UnixWritePipeTransport): void =>
  protocol.connectionMade(transport);
const watchReader = (transport: UnixWritePipeTransport): void => transport._watchReader();
const readReady = (transport: UnixWritePipeTransport): void => transport._readReady();
const writeReady = (transport: UnixWritePipeTransport): void => transport._writeReady();
const connectionLost = (transport: UnixWritePipeTransport, error: unknown): void =>
  transport._callConnectionLost(error);

export class UnixWritePipeTransport extends FlowControlTransport {
  /** @internal */ declare _loop: BaseSelectorEventLoop | null;
  /** null once the connection is lost. @internal */ _pipe: PipeEnd | null;
  /** @internal */ readonly _fileno: number;
  /** Set by `close` and `writeEof`, which are the same here. @internal */ _closing = false;
  /** Raised by an error of writing; then also counts writes that came too late. @internal */ _connLost = 0;
  readonly #buffer = new ByteBuffer();

  /** @throws TypeError, ValueError, OSError for what is no pipe or no protocol; the pipe then stays the caller's */
  constructor(
    loop: BaseSelectorEventLoop,
    pipe: PipeLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
  ) {
    super(extra, loop);
    checkProtocol(protocol);
    this._extra.pipe = pipe;
    this._pipe = new PipeEnd(pipe);
    this._fileno = this._pipe.fd;
    this._protocol = protocol;
    loop.callSoon(connectionMade, protocol, this);
    if (this._pipe.tellsOfItsReader) loop.callSoon(watchReader, this);
    if (waiter !== null) loop.callSoon(_setResultUnlessCancelled, waiter, undefined);
    // Last: on a closed loop the pipe stays the caller's.
    closeWithTransport(this, this._pipe);
  }

  override isClosing(): boolean {
    return this._closing;
  }

  override getWriteBufferSize(): number {
    return this.#buffer.length;
  }

  /** Looks whether anybody reads. @internal */
  _watchReader(): void {
    // Differs from asyncio: closed in connectionMade already, it would be watched beyond the end of its descriptor.
    if (this._closing && this.#buffer.length === 0) return;
    this._loop?._addReader(this._fileno, readReady, this);
  }

  /** There is nothing to read here but the end of whoever reads there. @internal */
  _readReady(): void {
    if (this._loop?.getDebug() === true) logger.info(`${inspect(this)} was closed by its peer`);
    const cut = this.#buffer.length > 0;
    this.#close(cut ? makeOSError('the pipe has no reader any more', brokenPipe) : null);
  }

  /**
   * Writes bytes; what the system does not take at once is copied and written later.
   * @throws AssertionError for anything but a Uint8Array or Buffer
   */
  override write(data: Uint8Array): void {
    if (!isBytes(data)) {
      throw new AssertionError(`data must be a Uint8Array or a Buffer, not ${describeType(data)}`);
    }
    if (data.length === 0) return;
    if (this._connLost > 0 || this._closing) {
      if (this._connLost >= LOG_THRESHOLD_FOR_CONNLOST_WRITES) logger.warning('write to a pipe that is closed');
      this._connLost += 1;
      return;
    }
    let rest = data;
    if (this.#buffer.length === 0) {
      const written = binding.writeFrom(this._fileno, data);
      if (written === data.length) return;
      if (written > 0) rest = data.subarray(written);
      else if (written < 0 && !wouldBlock(written)) {
        this.#failWrite(written);
        return;
      }
      this._loop?._addWriter(this._fileno, writeReady, this);
    }
    this.#buffer.append(rest);
    this._maybePauseProtocol();
  }

  /** Writes what is buffered, in one call. @internal */
  _writeReady(): void {
    const written = binding.writeFrom(this._fileno, this.#buffer.bytes);
    if (written < 0) {
      if (!wouldBlock(written)) this.#failBufferedWrite(written);
      return;
    }
    this.#buffer.drop(written);
    // Only an empty buffer resumes the protocol (UNIX-040).
    if (this.#buffer.length > 0) return;
    const loop = this._loop as BaseSelectorEventLoop;
    loop._removeWriter(this._fileno);
    this._maybeResumeProtocol();
    // Differs from asyncio: what resumeWriting has written before it closed is not lost.
    if (!this._closing || this.#buffer.length > 0) return;
    loop._removeReader(this._fileno);
    this._callConnectionLost(null);
  }

  #failBufferedWrite(result: number): void {
    this.#buffer.clear();
    this._loop?._removeWriter(this._fileno);
    this.#failWrite(result);
  }

  #failWrite(result: number): void {
    this._connLost += 1;
    const error: OSError = errorFor(result, 'write');
    if (this._loop?.getDebug() === true) logger.debug(`${inspect(this)}: Fatal write error on pipe transport`, error);
    this.#close(error);
  }

  override canWriteEof(): boolean {
    return true;
  }

  /** As `close`: the end of a pipe is its being closed. */
  override writeEof(): void {
    if (this._closing) return;
    this._closing = true;
    if (this.#buffer.length > 0) return;
    const loop = this._loop as BaseSelectorEventLoop;
    loop._removeReader(this._fileno);
    loop.callSoon(connectionLost, this, null);
  }

  override close(): void {
    this.writeEof();
  }

  override abort(): void {
    this.#close(null);
  }

  #close(error: unknown): void {
    const loop = this._loop;
    // Differs from asyncio: to end what is over is no error (UNIX-042).
    if (loop === null) return;
    this._closing = true;
    if (this.#buffer.length > 0) loop._removeWriter(this._fileno);
    this.#buffer.clear();
    loop._removeReader(this._fileno);
    loop.callSoon(connectionLost, this, error);
  }

  /** Tells the protocol, and lets go of everything, even if the protocol throws. @internal */
  _callConnectionLost(error: unknown): void {
    const pipe = this._pipe;
    // Differs from asyncio: who ends it twice is told once (UNIX-042).
    if (pipe === null) return;
    try {
      this._protocol?.connectionLost(error);
    } finally {
      forget(this);
      this._pipe = null;
      this._protocol = null;
      this._loop = null;
      pipe.close();
    }
  }

  [inspect.custom](): string {
    const info: string[] = [this.constructor.name];
    if (this._pipe === null) info.push('closed');
    else if (this._closing) info.push('closing');
    info.push(`fd=${this._fileno}`);
    const loop = this._loop;
    if (loop?.isClosed() === true) info.push('open');
    else if (loop !== null) {
      info.push(loop._isWatched(this._fileno, EVENT_WRITE) ? 'polling' : 'idle', `bufsize=${this.#buffer.length}`);
    }
    return `<${info.join(' ')}>`;
  }
}
