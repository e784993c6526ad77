// ssl-protocol.ts: TLS as a protocol on any stream transport: the states of a connection, and who is told what in which
// order. asyncio: sslproto.SSLProtocol. What happens in a state is in handshake.ts, reading.ts, writing.ts, shutdown.ts.
//
//   unwrapped --> handshake --> wrapped --> flushing --> shutdown          from everywhere back to unwrapped
//
// The engine below this never calls the application: what it reports is kept, and settled when its call is over.

import { inspect } from 'node:util';

import { MAX_READ_SIZE } from '../base/constants';
import { isCancelled, isFatal, isInstance, makeOSError, OSError, RuntimeError } from '../base/errors';
import { logger } from '../base/log';
import type { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { BufferedProtocol, type BaseProtocol, type Protocol } from '../transports/protocol';
import type { BaseTransport, Transport } from '../transports/transport';
import { cannotBeDriven, Handshake } from './handshake';
import { positive, secureContextOf, type SSLSettings } from './options';
import { Reading } from './reading';
import { SSLSession } from './session';
import { Shutdown } from './shutdown';
import { SSLTransport } from './ssl-transport';
import { Writing } from './writing';

const HANDSHAKE_TIMEOUT = 60;
const SHUTDOWN_TIMEOUT = 30;

/** One for all connections of a thread: what lands there has gone through the engine before anybody else is called. */
let receiveBuffer: Buffer | null = null;

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
  _writeTogether(chunks: readonly Uint8Array[]): void;
  readonly _protocolPaused: boolean;
};

export class SSLProtocol extends BufferedProtocol {
  /** @internal */ readonly _loop: BaseEventLoop;
  /** The transport below. @internal */
  _transport: LowerTransport | null = null;
  /** @internal */ readonly _appTransport: SSLTransport;
  /** @internal */ _appProtocol: BaseProtocol | null;
  /** @internal */ _state: State = 'unwrapped';
  /** There from the handshake on. @internal */
  _session: SSLSession | null = null;
  /** @internal */ readonly _handshake: Handshake;
  /** @internal */ readonly _reading: Reading;
  /** @internal */ readonly _writing: Writing;
  /** @internal */ readonly _shutdown: Shutdown;
  /** What getExtraInfo knows besides the transport below. @internal */
  readonly _extra: Record<string, unknown>;

  readonly #settings: SSLSettings;
  #waiter: Future<void> | null;
  #appState: AppState;

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
    const handshakeTimeout = positive('sslHandshakeTimeout', settings.sslHandshakeTimeout, HANDSHAKE_TIMEOUT);
    const shutdownTimeout = positive('sslShutdownTimeout', settings.sslShutdownTimeout, SHUTDOWN_TIMEOUT);
    if (!loop._run.isHosted && !loop._run.drains) throw cannotBeDriven();
    this._loop = loop;
    this.#settings = settings;
    this.#waiter = waiter;
    this._extra = { sslcontext: secureContextOf(settings.options) };
    this.#appState = callConnectionMade ? 'init' : 'made';
    this._appProtocol = appProtocol;
    this._handshake = new Handshake(this, handshakeTimeout);
    this._reading = new Reading(this);
    this._writing = new Writing(this);
    this._shutdown = new Shutdown(this, shutdownTimeout);
    this._appTransport = new SSLTransport(loop, this);
  }

  /**
   * Takes the place of the protocol of a transport that is connected already: what that one was told of writing holds
   * here too. Differs from asyncio: there resumeWriting fails then, and the application never hears it (TLS-079).
   * @internal
   */
  _upgrade(transport: LowerTransport): void {
    const paused = transport._protocolPaused;
    this._appTransport._protocolPaused = paused;
    this._writing.pausedBelow = paused;
    transport.setProtocol(this);
  }

  // The transport below calls.

  override connectionMade(transport: BaseTransport): void {
    this._transport = transport as LowerTransport;
    // Differs from asyncio: nobody waits for a handshake any more that was given up before it began (TLS-071).
    if (this._appTransport._closed) this._transport.abort();
    else this._handshake.start();
  }

  override connectionLost(error: unknown): void {
    this._writing.connectionLost();
    this._appTransport._closed = true;
    const protocol = this._appProtocol;
    if (this._state !== 'handshake' && (this.#appState === 'made' || this.#appState === 'eof')) {
      this.#appState = 'lost';
      this._loop.callSoon(() => protocol?.connectionLost(error));
    }
    this._setState('unwrapped');
    this._transport = null;
    this._appProtocol = null;
    this._handshake.cancelTimer();
    this._shutdown.cancelTimer();
    this._session?.engine.destroy();
    // Differs from asyncio: a connection that is gone is no handshake that went well (TLS-067).
    this._wakeWaiter(error ?? closedInHandshake());
  }

  override getBuffer(): Uint8Array {
    receiveBuffer ??= Buffer.allocUnsafeSlow(MAX_READ_SIZE);
    return receiveBuffer;
  }

  override bufferUpdated(byteCount: number): void {
    this._reading.take(new Uint8Array((receiveBuffer as Buffer).buffer, 0, byteCount));
  }

  override eofReceived(): unknown {
    return this._shutdown.eofReceived();
  }

  override pauseWriting(): void {
    this._writing.pauseBelow();
  }

  override resumeWriting(): void {
    this._writing.resumeBelow();
  }

  // The engine.

  /** @internal */
  _openSession(): SSLSession {
    this._session = new SSLSession(this.#settings, {
      output: (chunk) => this._writing.addOutput(chunk),
      plain: (chunk) => this._reading.addPlain(chunk),
      onReport: () => this.#reported(),
    });
    return this._session;
  }

  #reported(): void {
    try {
      this._settle(null);
    } catch (error) {
      if (isFatal(error)) this._loop._run.escape(error);
      else this._fatalError(error);
    }
  }

  /**
   * Does what the engine's reports ask for.
   * @param hint encrypted bytes that just came; null if none did
   * @internal
   */
  _settle(hint: number | null = 0): void {
    const session = this._session as SSLSession;
    if (session.handshakeDone && this._state === 'handshake') {
      this._handshake.succeed();
      this._reading.read();
      return;
    }
    // Differs from asyncio: what was decrypted before a failure is not lost (TLS-083).
    if (this._state === 'wrapped' || this._state === 'flushing') this._reading.read(hint);
    else if (this._settleFailure()) return;
    else if (this._state === 'shutdown') this._shutdown.goOn();
    else this._writing.pushOut();
  }

  /** @returns whether there was a failure, and it is its turn: what was decrypted before comes first @internal */
  _settleFailure(): boolean {
    if (this._reading.size > 0) return false;
    const error = this._session?.takeFailure() ?? null;
    if (error === null) return false;
    if (this._state === 'handshake') this._handshake.fail(error);
    else if (this._state !== 'unwrapped') {
      this._writing.pushOut();
      this._fatalError(error, this._state === 'shutdown' ? undefined : 'Fatal error on SSL protocol');
    }
    return true;
  }

  /** Goes on after a pause, by the state of now. @internal */
  _goOn(): void {
    // The goodbye is for nobody who reads.
    if (this._state === 'shutdown') this._shutdown.goOn();
    if (this._reading.paused) return;
    if (this._state === 'wrapped') this._reading.read();
    else if (this._state === 'flushing') this._shutdown.flush();
  }

  // The application's protocol is told.

  /** @internal */
  _callConnectionMade(): void {
    if (this.#appState !== 'init') return;
    this.#appState = 'made';
    this._appProtocol?.connectionMade(this._appTransport);
  }

  /** @internal */
  _callEofReceived(): void {
    if (this.#appState !== 'made') return;
    this.#appState = 'eof';
    let keepOpen: unknown;
    try {
      keepOpen = (this._appProtocol as Protocol).eofReceived();
    } catch (error) {
      if (isFatal(error)) throw error;
      this._fatalError(error, 'error calling eofReceived()');
      return;
    }
    if (keepOpen) logger.warning('returning true from eofReceived() has no effect when using ssl');
  }

  /** @internal */
  _wakeWaiter(error: unknown): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    if (waiter === null || waiter.done()) return;
    if (error === null) waiter.setResult(undefined);
    else waiter._fail(error);
  }

  /** An error that the connection does not survive. @internal */
  _fatalError(error: unknown, message = 'Fatal error on transport'): void {
    const transport = this._transport;
    transport?._forceClose(error);
    if (isInstance(error, OSError)) {
      if (this._loop.getDebug()) logger.debug(`${inspect(this._appTransport)}: ${message}`, error);
    } else if (!isCancelled(error)) {
      this._loop.callExceptionHandler({ message, exception: error, transport, protocol: this });
    }
  }

  /** @internal */
  _setState(state: State): void {
    if (state !== 'unwrapped' && before[state] !== this._state) {
      throw new RuntimeError(`cannot switch state from ${this._state} to ${state}`, 'ERR_TLS_STATE');
    }
    this._state = state;
  }

  // The application's transport asks.

  /** @internal */
  _close(): void {
    // Differs from asyncio: there a close after the end of the stream does nothing while reading is paused (TLS-058).
    if (this._state === 'flushing') this._loop.callSoon(() => this._shutdown.giveUpReading());
    else this._shutdown.start();
  }

  /** Ends everything at once. @internal */
  _abort(error: unknown): void {
    this._setState('unwrapped');
    this._transport?._forceClose(error);
  }

  /** @internal */
  _getExtraInfo<T>(name: string, fallback: T | null): T | null {
    if (Object.hasOwn(this._extra, name)) return this._extra[name] as T;
    return this._transport === null ? fallback : this._transport.getExtraInfo<T>(name, fallback);
  }
}

function closedInHandshake(): OSError {
  return makeOSError('the connection was closed before the TLS handshake was done', {
    code: 'ECONNABORTED',
    errno: 0,
  });
}
