// read-pipe-transport.ts: bytes from a pipe, a socket or a character device. asyncio: unix_events._UnixReadPipeTransport.

import { inspect } from 'node:util';

import { EVENT_READ, MAX_READ_SIZE } from '../base/constants';
import type { OSError } from '../base/errors';
import { logger } from '../base/log';
import { _setResultUnlessCancelled, type Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { errorFor, wouldBlock } from '../native/check';
import { readSlice } from '../sockets/slab';
import { closeWithTransport, forget, PipeEnd, type PipeLike } from './pipe-end';
import { checkProtocol, type BaseProtocol, type Protocol } from './protocol';
import { ReadTransport } from './transport';

// What the loop calls: the transport is an argument, as in selector-transport.ts.

const connectionMade = (protocol: BaseProtocol, transport: UnixReadPipeTransport): void =>
  protocol.connectionMade(transport);
const startReading = (transport: UnixReadPipeTransport): void => transport._addReader();
const readReady = (transport: UnixReadPipeTransport): void => transport._readReady();
const eofReceived = (protocol: Protocol): unknown => protocol.eofReceived();
const connectionLost = (transport: UnixReadPipeTransport, error: unknown): void => transport._callConnectionLost(error);

export class UnixReadPipeTransport extends ReadTransport {
  /** @internal */ _loop: BaseSelectorEventLoop | null;
  /** null once the connection is lost. @internal */ _pipe: PipeEnd | null;
  /** @internal */ readonly _fileno: number;
  /** @internal */ _protocol: BaseProtocol | null;
  /** @internal */ _closing = false;
  /** @internal */ _paused = false;

  /** @throws TypeError, ValueError, OSError for what is no pipe or no protocol; the pipe then stays the caller's */
  constructor(
    loop: BaseSelectorEventLoop,
    pipe: PipeLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
  ) {
    super(extra);
    checkProtocol(protocol);
    this._extra.pipe = pipe;
    this._loop = loop;
    this._pipe = new PipeEnd(pipe);
    this._fileno = this._pipe.fd;
    this._protocol = protocol;
    loop.callSoon(connectionMade, protocol, this);
    loop.callSoon(startReading, this);
    if (waiter !== null) loop.callSoon(_setResultUnlessCancelled, waiter, undefined);
    // Last: on a closed loop the pipe stays the caller's.
    closeWithTransport(this, this._pipe);
  }

  override setProtocol(protocol: BaseProtocol): void {
    this._protocol = protocol;
  }

  override getProtocol(): BaseProtocol | null {
    return this._protocol;
  }

  override isClosing(): boolean {
    return this._closing;
  }

  override isReading(): boolean {
    return !this._paused && !this._closing;
  }

  override pauseReading(): void {
    if (!this.isReading()) return;
    this._paused = true;
    this._loop?._removeReader(this._fileno);
    if (this._loop?.getDebug() === true) logger.debug(`${inspect(this)} pauses reading`);
  }

  override resumeReading(): void {
    if (this._closing || !this._paused) return;
    this._paused = false;
    this._addReader();
    if (this._loop?.getDebug() === true) logger.debug(`${inspect(this)} resumes reading`);
  }

  override close(): void {
    if (!this._closing) this.#close(null);
  }

  /** Watches for reading, unless it is paused or over. @internal */
  _addReader(): void {
    if (this.isReading()) this._loop?._addReader(this._fileno, readReady, this);
  }

  // What the protocol throws is reported by the loop, and ends nothing (UNIX-029).
  /** @internal */
  _readReady(): void {
    const chunk = readSlice(this._fileno, MAX_READ_SIZE);
    if (typeof chunk !== 'number') (this._protocol as Protocol).dataReceived(chunk);
    else if (chunk === 0) this.#readEof();
    else if (!wouldBlock(chunk)) this.#fatalError(errorFor(chunk, 'read'));
  }

  #readEof(): void {
    const loop = this._loop as BaseSelectorEventLoop;
    if (loop.getDebug()) logger.info(`${inspect(this)} was closed by its peer`);
    this._closing = true;
    loop._removeReader(this._fileno);
    loop.callSoon(eofReceived, this._protocol as Protocol);
    loop.callSoon(connectionLost, this, null);
  }

  #fatalError(error: OSError): void {
    const loop = this._loop as BaseSelectorEventLoop;
    const message = 'Fatal read error on pipe transport';
    // A terminal whose other end was closed says so by this.
    if (error.code === 'EIO') {
      if (loop.getDebug()) logger.debug(`${inspect(this)}: ${message}`, error);
    } else {
      loop.callExceptionHandler({ message, exception: error, transport: this, protocol: this._protocol });
    }
    this.#close(error);
  }

  #close(error: unknown): void {
    const loop = this._loop as BaseSelectorEventLoop;
    this._closing = true;
    loop._removeReader(this._fileno);
    loop.callSoon(connectionLost, this, error);
  }

  /** Tells the protocol, and lets go of everything, even if the protocol throws. @internal */
  _callConnectionLost(error: unknown): void {
    const pipe = this._pipe;
    // Differs from asyncio: who closes what just failed, as an exception handler may, ends it twice and is told once.
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
    else if (loop !== null) info.push(loop._isWatched(this._fileno, EVENT_READ) ? 'polling' : 'idle');
    return `<${info.join(' ')}>`;
  }
}
