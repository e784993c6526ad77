// selector-transport.ts: what stream and datagram transports share: the socket, the states of closing, pause and resume.
// asyncio: selector_events._SelectorTransport. How bytes move is the subclasses' business.

import { inspect } from 'node:util';

import { EVENT_READ, EVENT_WRITE } from '../base/constants';
import { isInstance, OSError } from '../base/errors';
import { logger } from '../base/log';
import { _setResultUnlessCancelled, type Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { Address } from '../sockets/address';
import type { SocketLike } from '../sockets/socket-io';
import { FlowControlTransport } from './flow-control';
import { checkProtocol, type BaseProtocol } from './protocol';
import { TransportSocket } from './transport-socket';

/** What counts its connections: a server. */
export interface Attachable {
  _attach(): void;
  _detach(): void;
}

function nameOrNull(nameOf: (sock: SocketLike) => Address | null, sock: SocketLike): Address | null {
  try {
    return nameOf(sock);
  } catch (error) {
    if (error instanceof OSError) return null;
    throw error;
  }
}

const ownName = (sock: SocketLike): Address | null => sock.getsockname();
const peerName = (sock: SocketLike): Address | null => sock.getpeername();

// What the loop calls. They take the transport as an argument: functions of its own would cost memory for each connection.

const connectionMade = (protocol: BaseProtocol, transport: SelectorTransport): void =>
  protocol.connectionMade(transport);
const startReading = (transport: SelectorTransport): void => transport._startReading();
const readReady = (transport: SelectorTransport): void => transport._readReady();
const writeReady = (transport: SelectorTransport): void => transport._writeReady();
const connectionLost = (transport: SelectorTransport, error: unknown): void => transport._callConnectionLost(error);

export abstract class SelectorTransport extends FlowControlTransport {
  /** @internal */ declare _loop: BaseSelectorEventLoop | null;
  /** @internal */ _sock: SocketLike | null;
  /** @internal */ readonly _sockFd: number;
  /** @internal */ _server: Attachable | null;
  /** @internal */ _closing = false;
  /** @internal */ _paused = false;
  /** Raised once the connection is lost or given up; then also counts writes that came too late. @internal */
  _connLost = 0;
  /** What the loop's map of transports has of it, once the loop does not keep it. @internal */
  _reference: WeakRef<SelectorTransport> | null = null;

  constructor(
    loop: BaseSelectorEventLoop,
    sock: SocketLike,
    protocol: BaseProtocol,
    extra: Record<string, unknown> = {},
    server: Attachable | null = null,
  ) {
    super(extra, loop);
    this._extra.socket = new TransportSocket(sock);
    this._extra.sockname = nameOrNull(ownName, sock);
    if (!('peername' in this._extra)) this._extra.peername = nameOrNull(peerName, sock);
    this._sock = sock;
    this._sockFd = sock.fileno();
    this.setProtocol(protocol);
    this._server = server;
  }

  /** The descriptor is ready for reading. @internal */
  abstract _readReady(): void;
  /** The descriptor is ready for writing. @internal */
  abstract _writeReady(): void;
  /** Whether data waits to be sent. @internal */
  abstract _hasBufferedData(): boolean;
  /** Drops what waits to be sent. @internal */
  abstract _clearBuffer(): void;

  override abort(): void {
    this._forceClose(null);
  }

  override isClosing(): boolean {
    return this._closing;
  }

  override isReading(): boolean {
    return !this._closing && !this._paused;
  }

  override pauseReading(): void {
    if (!this.isReading()) return;
    this._paused = true;
    this._stopReading();
    if (this._loop?.getDebug() === true) logger.debug(`${inspect(this)} pauses reading`);
  }

  override resumeReading(): void {
    if (this._closing || !this._paused) return;
    this._paused = false;
    this._addReader();
    if (this._loop?.getDebug() === true) logger.debug(`${inspect(this)} resumes reading`);
  }

  override close(): void {
    if (this._closing) return;
    this._closing = true;
    const loop = this._loop as BaseSelectorEventLoop;
    loop._removeReader(this._sockFd);
    if (this._hasBufferedData()) return;
    this._connLost += 1;
    loop._removeWriter(this._sockFd);
    loop.callSoon(connectionLost, this, null);
  }

  /** Watches for reading, unless reading is paused or over. @internal */
  _addReader(): void {
    if (this.isReading()) this._loop?._addReader(this._sockFd, readReady, this);
  }

  /** Begins to read, unless connectionMade has paused or closed. @internal */
  _startReading(): void {
    this._addReader();
    if (this._paused) this._letGo();
  }

  /** Watches for reading no longer, though the connection goes on. @internal */
  _stopReading(): void {
    this._loop?._removeReader(this._sockFd);
    this._letGo();
  }

  /** The loop need not keep it any longer: whoever uses it does, or it is collected and its socket closed. @internal */
  _letGo(): void {
    this._loop?._transports.loosen(this._sockFd, this);
  }

  /** Watches for room to write. @internal */
  _addWriter(): void {
    this._loop?._addWriter(this._sockFd, writeReady, this);
  }

  /**
   * Owns the descriptor from now on, tells the protocol of its transport soon, and reads from then on: the protocol of now,
   * even if another one takes its place first. The last step of a constructor: one that fails leaves nothing behind.
   * @throws TypeError for what is no protocol
   * @internal
   */
  _begin(waiter: Future<void> | null): void {
    checkProtocol(this._protocol);
    const loop = this._loop as BaseSelectorEventLoop;
    this._server?._attach();
    loop._transports.set(this._sockFd, this);
    loop.callSoon(connectionMade, this._protocol as BaseProtocol, this);
    loop.callSoon(startReading, this);
    if (waiter !== null) loop.callSoon(_setResultUnlessCancelled, waiter, undefined);
  }

  /** An error that the connection does not survive. @internal */
  _fatalError(error: unknown, message = 'Fatal error on transport'): void {
    const loop = this._loop as BaseSelectorEventLoop;
    if (isInstance(error, OSError)) {
      if (loop.getDebug()) logger.debug(`${inspect(this)}: ${message}`, error);
    } else {
      loop.callExceptionHandler({ message, exception: error, transport: this, protocol: this._protocol });
    }
    this._forceClose(error);
  }

  /** Ends the connection at once, whatever was to be sent. @internal */
  _forceClose(error: unknown): void {
    if (this._connLost > 0) return;
    const loop = this._loop as BaseSelectorEventLoop;
    if (this._hasBufferedData()) {
      this._clearBuffer();
      loop._removeWriter(this._sockFd);
    }
    if (!this._closing) {
      this._closing = true;
      loop._removeReader(this._sockFd);
    }
    this._connLost += 1;
    loop.callSoon(connectionLost, this, error);
  }

  /** Tells the protocol, and lets go of everything, even if the protocol throws. @internal */
  _callConnectionLost(error: unknown): void {
    try {
      this._protocol?.connectionLost(error);
    } finally {
      const loop = this._loop as BaseSelectorEventLoop;
      const sock = this._sock as SocketLike;
      loop._transports.release(this._sockFd, this);
      this._sock = null;
      this._protocol = null;
      this._loop = null;
      const server = this._server;
      this._server = null;
      try {
        sock.close();
      } finally {
        server?._detach();
      }
    }
  }

  [inspect.custom](): string {
    const info: string[] = [this.constructor.name];
    if (this._sock === null) info.push('closed');
    else if (this._closing) info.push('closing');
    info.push(`fd=${this._sockFd}`);
    const loop = this._loop;
    if (loop !== null && !loop.isClosed()) {
      info.push(`read=${loop._isWatched(this._sockFd, EVENT_READ) ? 'polling' : 'idle'}`);
      const write = loop._isWatched(this._sockFd, EVENT_WRITE) ? 'polling' : 'idle';
      info.push(`write=<${write}, bufsize=${this.getWriteBufferSize()}>`);
    }
    return `<${info.join(' ')}>`;
  }
}
