// ssl-protocol.ts: TLS as a protocol on any stream transport: the states of a connection, and who is told what in which
// order. asyncio: sslproto.SSLProtocol.
//
//   unwrapped --> handshake --> wrapped --> flushing --> shutdown          from everywhere back to unwrapped
//
// The engine below this never calls the application: what it reports is kept, and settled when its call is over.

import { inspect } from 'node:util';

import { LOG_THRESHOLD_FOR_CONNLOST_WRITES, MAX_READ_SIZE } from '../base/constants';
import {
  AssertionError,
  CancelledError,
  isFatal,
  makeOSError,
  OSError,
  RuntimeError,
  TimeoutError,
  typeError,
} from '../base/errors';
import { logger } from '../base/log';
import type { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { TimerHandle } from '../loop/handle';
import { describeType } from '../sockets/socket';
import { BufferedProtocol, type BaseProtocol, type Protocol } from '../transports/protocol';
import type { BaseTransport, Transport } from '../transports/transport';
import { positive, secureContextOf, type SSLSettings } from './options';
import { SSLEngine } from './ssl-engine';
import { SSLCertVerificationError } from './ssl-error';
import { SSLTransport } from './ssl-transport';

const HANDSHAKE_TIMEOUT = 60;
const SHUTDOWN_TIMEOUT = 30;

type State = 'unwrapped' | 'handshake' | 'wrapped' | 'flushing' | 'shutdown';
type AppState = 'init' | 'made' | 'eof' | 'lost';

const before: Partial<Record<State, State>> = {
  handshake: 'unwrapped',
  wrapped: 'handshake',
  flushing: 'wrapped',
  shutdown: 'flushing',
};

/** What TLS can run over. */
export type LowerTransport = Transport & {
  _forceClose(error: unknown): void;
  readonly _protocolPaused: boolean;
};

export class SSLProtocol extends BufferedProtocol {
  /** @internal */ readonly _loop: BaseEventLoop;
  /** The transport below. @internal */
  _transport: LowerTransport | null = null;
  /** @internal */ readonly _appTransport: SSLTransport;
  /** @internal */ _appProtocol: BaseProtocol | null;
  /** @internal */ _appReadingPaused = false;
  /** @internal */ _state: State = 'unwrapped';

  readonly #settings: SSLSettings;
  readonly #handshakeTimeout: number;
  readonly #shutdownTimeout: number;
  readonly #extra: Record<string, unknown>;
  #waiter: Future<void> | null;
  #engine: SSLEngine | null = null;
  #appState: AppState;
  #timer: TimerHandle | null = null;
  #handshakeStart = 0;
  #connLost = 0;
  #eofReceived = false;

  #receiveBuffer: Buffer | null = null;
  // Encrypted bytes that nobody may read yet, and plain ones that found no room.
  readonly #incoming: Uint8Array[] = [];
  #incomingSize = 0;
  readonly #plain: Buffer[] = [];
  #plainSize = 0;
  #lowerReadingPaused = false;

  readonly #backlog: Uint8Array[] = [];
  #backlogSize = 0;
  readonly #outgoing: Uint8Array[] = [];
  #outgoingSize = 0;
  #lowerWritingPaused = false;

  // What the engine reported and nobody has dealt with yet.
  #inEngine = false;
  #handshakeDone = false;
  #peerEnded = false;
  #failure: unknown = null;

  /**
   * @throws ValueError for a timeout that is none; what createSecureContext throws; RuntimeError (ERR_TLS_IN_SYNC_RUN) where
   * node:tls cannot be driven
   */
  constructor(
    loop: BaseEventLoop,
    appProtocol: BaseProtocol,
    settings: SSLSettings,
    waiter: Future<void> | null,
    callConnectionMade = true,
  ) {
    super();
    this.#handshakeTimeout = positive('sslHandshakeTimeout', settings.sslHandshakeTimeout, HANDSHAKE_TIMEOUT);
    this.#shutdownTimeout = positive('sslShutdownTimeout', settings.sslShutdownTimeout, SHUTDOWN_TIMEOUT);
    if (!loop._isHosted() && !loop._canDrain()) throw cannotBeDriven();
    this._loop = loop;
    this.#settings = settings;
    this.#waiter = waiter;
    this.#extra = { sslcontext: secureContextOf(settings.options) };
    this.#appState = callConnectionMade ? 'init' : 'made';
    this._appProtocol = appProtocol;
    this._appTransport = new SSLTransport(loop, this);
  }

  // The transport below calls.

  override connectionMade(transport: BaseTransport): void {
    this._transport = transport as LowerTransport;
    if (this._appTransport._closed) {
      this._transport.abort();
      return;
    }
    // Differs from asyncio: a transport that is upgraded while its protocol is paused goes on from there (TLS-079).
    this.#lowerWritingPaused = this._transport._protocolPaused;
    this.#startHandshake();
  }

  override connectionLost(error: unknown): void {
    this.#backlog.length = 0;
    this.#backlogSize = 0;
    this.#outgoing.length = 0;
    this.#outgoingSize = 0;
    this.#connLost += 1;
    this._appTransport._closed = true;
    const protocol = this._appProtocol;
    if (this._state !== 'handshake' && (this.#appState === 'made' || this.#appState === 'eof')) {
      this.#appState = 'lost';
      this._loop.callSoon(() => protocol?.connectionLost(error));
    }
    this.#setState('unwrapped');
    this._transport = null;
    this._appProtocol = null;
    this.#timer?.cancel();
    this.#engine?.destroy();
    // Differs from asyncio: a connection that is gone is no handshake that went well (TLS-067).
    this.#wakeWaiter(error ?? closedInHandshake());
  }

  override getBuffer(): Uint8Array {
    this.#receiveBuffer ??= Buffer.allocUnsafeSlow(MAX_READ_SIZE);
    return this.#receiveBuffer;
  }

  override bufferUpdated(byteCount: number): void {
    this._take((this.#receiveBuffer as Buffer).subarray(0, byteCount));
  }

  /** Encrypted bytes, whose memory is the caller's again afterwards. @internal */
  _take(chunk: Uint8Array): void {
    if (this._state === 'unwrapped') return;
    const mayRead = this.#incoming.length === 0 && this.#plain.length === 0 && !this._appReadingPaused;
    if (mayRead || this._state === 'handshake' || this._state === 'shutdown') this.#feed(chunk);
    else {
      this.#incoming.push(Uint8Array.prototype.slice.call(chunk));
      this.#incomingSize += chunk.length;
      this._controlReading();
    }
  }

  override eofReceived(): unknown {
    this.#eofReceived = true;
    const transport = this._transport;
    if (this._loop.getDebug()) logger.debug(`${inspect(this._appTransport)} received EOF`);
    try {
      switch (this._state) {
        case 'handshake':
          this.#handshakeIsOver(makeOSError('the peer closed the connection during the handshake', reset));
          break;
        case 'wrapped':
          this.#setState('flushing');
          if (this._appReadingPaused || this.#plain.length > 0) return true;
          this.#flush();
          break;
        case 'flushing':
          this.#writeBacklog();
          this.#setState('shutdown');
          this.#shutDown();
          break;
        case 'shutdown':
          this.#shutDown();
      }
    } catch (error) {
      transport?.close();
      throw error;
    }
    return false;
  }

  override pauseWriting(): void {
    if (this.#lowerWritingPaused) throw new AssertionError('writing is paused already');
    this.#lowerWritingPaused = true;
  }

  override resumeWriting(): void {
    if (!this.#lowerWritingPaused) throw new AssertionError('writing is not paused');
    this.#lowerWritingPaused = false;
    this.#processOutgoing();
  }

  // The handshake.

  #startHandshake(): void {
    if (this._loop.getDebug()) logger.debug(`${inspect(this._appTransport)} starts the TLS handshake`);
    this.#handshakeStart = this._loop.time();
    this.#setState('handshake');
    this.#timer = this._loop.callLater(this.#handshakeTimeout, () => this.#handshakeTimedOut());
    try {
      this.#engine = new SSLEngine(this.#settings, {
        output: (chunk) => {
          this.#outgoing.push(chunk);
          this.#outgoingSize += chunk.length;
          this.#report();
        },
        plain: (chunk) => {
          // Differs from asyncio: what arrives after close is dropped, and no error (TLS-054).
          if (this._state === 'shutdown' || this._state === 'unwrapped') return;
          this.#plain.push(chunk);
          this.#plainSize += chunk.length;
          this.#report();
        },
        handshakeDone: () => {
          this.#handshakeDone = true;
          this.#report();
        },
        ended: () => {
          this.#peerEnded = true;
          this.#report();
        },
        failed: (error) => {
          this.#failure = error;
          this.#report();
        },
      });
      if (!this._loop._isHosted() && !this.#engine.isImmediate) throw cannotBeDriven();
    } catch (error) {
      this.#handshakeIsOver(error);
      return;
    }
    this.#extra.ssl_object = this.#engine.socket;
    this.#processOutgoing();
  }

  #handshakeTimedOut(): void {
    if (this._state !== 'handshake') return;
    const message = `TLS handshake takes longer than ${this.#handshakeTimeout} seconds, aborting the connection`;
    this.#fatalError(makeOSError(message, { code: 'ECONNABORTED', errno: 0 }));
  }

  #handshakeIsOver(error: unknown): void {
    this.#timer?.cancel();
    if (error !== null) {
      this.#setState('unwrapped');
      // The alert, if there is one.
      this.#processOutgoing();
      const verification = error instanceof SSLCertVerificationError;
      this.#fatalError(
        error,
        verification ? 'TLS handshake failed on verifying the certificate' : 'TLS handshake failed',
      );
      this.#wakeWaiter(error);
      this.#engine?.destroy();
      return;
    }
    this.#setState('wrapped');
    const { socket } = this.#engine as SSLEngine;
    if (this._loop.getDebug()) {
      const took = (this._loop.time() - this.#handshakeStart) * 1000;
      logger.debug(`${inspect(this._appTransport)}: the TLS handshake took ${took.toFixed(1)} ms`);
    }
    const certificate = socket.getPeerCertificate() as object | null;
    this.#extra.peercert = certificate !== null && Object.keys(certificate).length > 0 ? certificate : null;
    this.#extra.cipher = socket.getCipher();
    this.#extra.compression = null;
    if (this.#appState === 'init') {
      this.#appState = 'made';
      this._appProtocol?.connectionMade(this._appTransport);
    }
    this.#wakeWaiter(null);
    this.#writeBacklog();
  }

  // The engine reports.

  /** Something came while nobody called the engine: from the tick queue. */
  #report(): void {
    if (this.#inEngine || this.#engine === null) return;
    try {
      this.#settle();
    } catch (error) {
      if (isFatal(error)) this._loop._escape(error);
      else this.#fatalError(error);
    }
  }

  #callEngine(action: (engine: SSLEngine) => void): void {
    const outermost = !this.#inEngine;
    this.#inEngine = true;
    try {
      action(this.#engine as SSLEngine);
    } finally {
      if (outermost) this.#inEngine = false;
    }
  }

  #feed(chunk: Uint8Array): void {
    this.#callEngine((engine) => engine.feed(chunk));
    this.#settle(chunk.length);
  }

  #settle(hint = 0): void {
    if (this.#handshakeDone && this._state === 'handshake') this.#handshakeIsOver(null);
    if (this.#failure !== null) {
      this.#settleFailure();
      return;
    }
    if (this._state === 'shutdown') this.#shutDown();
    else if (this._state === 'wrapped' || this._state === 'flushing') this.#read(hint);
    else this.#processOutgoing();
  }

  #settleFailure(): void {
    const error = this.#failure;
    this.#failure = null;
    if (this._state === 'handshake') this.#handshakeIsOver(error);
    else if (this._state !== 'unwrapped') {
      if (this._state === 'wrapped') this.#read(0);
      this.#processOutgoing();
      this.#fatalError(error);
    }
  }

  // Reading.

  /** Gives the application what may be given. */
  #read(hint = 0): void {
    try {
      for (;;) {
        if (this._appReadingPaused || this._appProtocol === null) break;
        if (this._state !== 'wrapped' && this._state !== 'flushing') break;
        if (this.#plain.length > 0) {
          if (this._appProtocol instanceof BufferedProtocol) {
            if (!this.#fillBuffers(this._appProtocol, hint)) break;
          } else this.#giveAll(this._appProtocol as Protocol);
          continue;
        }
        const next = this.#incoming.shift();
        if (next === undefined) {
          if (this.#peerEnded) {
            this.#callEofReceived();
            this._startShutdown();
          }
          break;
        }
        this.#incomingSize -= next.length;
        this.#callEngine((engine) => engine.feed(next));
        if (this.#failure !== null) {
          this.#settleFailure();
          return;
        }
      }
      this.#processOutgoing();
      this._controlReading();
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#fatalError(error, 'Fatal error on SSL protocol');
    }
  }

  #giveAll(protocol: Protocol): void {
    const data = this.#plain.length === 1 ? this.#plain[0] : Buffer.concat(this.#plain, this.#plainSize);
    this.#plain.length = 0;
    this.#plainSize = 0;
    protocol.dataReceived(data);
  }

  /** @returns false if the buffer got full: another handle goes on, so that others have their turn */
  #fillBuffers(protocol: BufferedProtocol, hint: number): boolean {
    const buffer = protocol.getBuffer(hint > 0 ? hint : this.#plainSize);
    if (!(buffer instanceof Uint8Array)) {
      throw typeError(`getBuffer() must return a Uint8Array, not ${describeType(buffer)}`);
    }
    if (buffer.length === 0) throw new RuntimeError('getBuffer() returned an empty buffer', 'ERR_EMPTY_BUFFER');
    let filled = 0;
    while (filled < buffer.length && this.#plain.length > 0) {
      const first = this.#plain[0];
      const part = Math.min(first.length, buffer.length - filled);
      buffer.set(part === first.length ? first : first.subarray(0, part), filled);
      if (part === first.length) this.#plain.shift();
      else this.#plain[0] = first.subarray(part);
      filled += part;
      this.#plainSize -= part;
    }
    if (filled === buffer.length) this._loop.callSoon(() => this.#goOn());
    protocol.bufferUpdated(filled);
    return filled < buffer.length;
  }

  #callEofReceived(): void {
    if (this.#appState !== 'made') return;
    this.#appState = 'eof';
    let keepOpen: unknown;
    try {
      keepOpen = (this._appProtocol as Protocol).eofReceived();
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#fatalError(error, 'error calling eofReceived()');
      return;
    }
    if (keepOpen) logger.warning('returning true from eofReceived() has no effect when using ssl');
  }

  /** Goes on after a pause, by the state of now. */
  #goOn(): void {
    if (this._state === 'wrapped') this.#read();
    else if (this._state === 'flushing') this.#flush();
    else if (this._state === 'shutdown') this.#shutDown();
  }

  /** @internal */
  _pauseReading(): void {
    this._appReadingPaused = true;
  }

  /** @internal */
  _resumeReading(): void {
    if (!this._appReadingPaused) return;
    this._appReadingPaused = false;
    this._loop.callSoon(() => this.#goOn());
  }

  /** @internal */
  _getReadBufferSize(): number {
    return this.#incomingSize + this.#plainSize;
  }

  /** Pauses and resumes the transport below. @internal */
  _controlReading(): void {
    const size = this._getReadBufferSize();
    const [low, high] = this._appTransport.getReadBufferLimits();
    if (size >= high && !this.#lowerReadingPaused) {
      this.#lowerReadingPaused = true;
      this._transport?.pauseReading();
    } else if (size <= low && this.#lowerReadingPaused) {
      this.#lowerReadingPaused = false;
      this._transport?.resumeReading();
    }
  }

  // Writing.

  /** @internal */
  _writeAppData(chunks: readonly Uint8Array[]): void {
    if (this._state === 'flushing' || this._state === 'shutdown' || this._state === 'unwrapped') {
      if (this.#connLost >= LOG_THRESHOLD_FOR_CONNLOST_WRITES) logger.warning('SSL connection is closed');
      this.#connLost += 1;
      return;
    }
    for (const chunk of chunks) {
      this.#backlog.push(chunk);
      this.#backlogSize += chunk.length;
    }
    try {
      if (this._state === 'wrapped') this.#writeBacklog();
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#fatalError(error, 'Fatal error on SSL protocol');
    }
  }

  /** Encrypts everything that waits. */
  #writeBacklog(): void {
    if (this.#backlog.length > 0) {
      const chunks = this.#backlog.splice(0);
      this.#backlogSize = 0;
      const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
      this.#callEngine((engine) => engine.write(whole));
      if (this.#failure !== null) {
        this.#settleFailure();
        return;
      }
    }
    this.#processOutgoing();
  }

  #processOutgoing(): void {
    while (!this.#lowerWritingPaused && this.#outgoing.length > 0) {
      const chunk = this.#outgoing.shift() as Uint8Array;
      this.#outgoingSize -= chunk.length;
      this._transport?.write(chunk);
    }
    this._appTransport._controlAppWriting();
  }

  /** @internal */
  _getWriteBufferSize(): number {
    return this.#outgoingSize + this.#backlogSize + (this.#engine?.pendingPlain ?? 0);
  }

  // The end.

  /** @internal */
  _startShutdown(): void {
    if (this._state === 'flushing' || this._state === 'shutdown' || this._state === 'unwrapped') return;
    this._appTransport._closed = true;
    if (this._state === 'handshake') {
      this._abort(null);
      return;
    }
    this.#setState('flushing');
    this.#timer = this._loop.callLater(this.#shutdownTimeout, () => this.#shutdownTimedOut());
    this.#flush();
  }

  #shutdownTimedOut(): void {
    if (this._state !== 'flushing' && this._state !== 'shutdown') return;
    this._transport?._forceClose(new TimeoutError('SSL shutdown timed out'));
  }

  #flush(): void {
    this.#read();
    if (this._state !== 'flushing') return;
    // Differs from asyncio: also while reading is paused, what was written goes before the goodbye (TLS-084).
    this.#writeBacklog();
    // A buffered protocol takes what it was promised before it hears of the end.
    if (this.#eofReceived && !this._appReadingPaused && this.#plain.length > 0) return;
    this.#setState('shutdown');
    this.#shutDown();
  }

  #shutDown(): void {
    if (this._state !== 'shutdown') return;
    const engine = this.#engine as SSLEngine;
    if (!this.#eofReceived && !engine.socket.writableEnded) this.#callEngine(() => engine.end());
    this.#processOutgoing();
    if (!this.#eofReceived && !this.#peerEnded) return;
    this.#callEofReceived();
    if (this._state !== 'shutdown') return;
    this.#timer?.cancel();
    this._loop.callSoon(() => this._transport?.close());
  }

  /** Ends everything at once. @internal */
  _abort(error: unknown): void {
    this.#setState('unwrapped');
    this._transport?._forceClose(error);
  }

  #fatalError(error: unknown, message = 'Fatal error on transport'): void {
    const transport = this._transport;
    transport?._forceClose(error);
    if (error instanceof OSError) {
      if (this._loop.getDebug()) logger.debug(`${inspect(this._appTransport)}: ${message}`, error);
    } else if (!(error instanceof CancelledError)) {
      this._loop.callExceptionHandler({ message, exception: error, transport, protocol: this });
    }
  }

  #wakeWaiter(error: unknown): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter === null || waiter.done()) return;
    if (error === null) waiter.setResult(undefined);
    else waiter.setException(error);
  }

  #setState(state: State): void {
    if (state !== 'unwrapped' && before[state] !== this._state) {
      throw new RuntimeError(`cannot switch state from ${this._state} to ${state}`, 'ERR_TLS_STATE');
    }
    this._state = state;
  }

  // What the application's transport asks.

  /** @internal */
  _setAppProtocol(protocol: BaseProtocol): void {
    this._appProtocol = protocol;
  }

  /** @internal */
  _getExtraInfo<T>(name: string, fallback: T | null): T | null {
    if (Object.hasOwn(this.#extra, name)) return this.#extra[name] as T;
    return this._transport === null ? fallback : this._transport.getExtraInfo<T>(name, fallback);
  }
}

const reset = { code: 'ECONNRESET', errno: 0 };

function closedInHandshake(): OSError {
  return makeOSError('the connection was closed before the TLS handshake was done', {
    code: 'ECONNABORTED',
    errno: 0,
  });
}

function cannotBeDriven(): RuntimeError {
  return new RuntimeError(
    'TLS needs a hosted run here: a synchronous run cannot continue node:tls from inside a promise job',
    'ERR_TLS_IN_SYNC_RUN',
  );
}
