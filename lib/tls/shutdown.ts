// shutdown.ts: the end of TLS: the goodbyes of both sides, in whatever order, and the end of the stream. asyncio:
// sslproto.SSLProtocol, "Shutdown flow".

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { makeOSError, TimeoutError } from '../base/errors';
import { logger } from '../base/log';
import type { TimerHandle } from '../loop/handle';
import type { SSLProtocol } from './ssl-protocol';
import type { SSLSession } from './session';

export class Shutdown {
  readonly #protocol: SSLProtocol;
  readonly #timeout: Seconds;
  #timer: TimerHandle | null = null;
  /** The stream below ended: there is nobody to say goodbye to. */
  #eofReceived = false;

  constructor(protocol: SSLProtocol, timeout: Seconds) {
    this.#protocol = protocol;
    this.#timeout = timeout;
  }

  /** The application closes, or the peer said goodbye. */
  start(): void {
    const protocol = this.#protocol;
    const { _state: state } = protocol;
    if (state !== 'handshake' && state !== 'wrapped') return;
    protocol._appTransport._closed = true;
    if (state === 'handshake') {
      protocol._abort(null);
      return;
    }
    protocol._setState('flushing');
    this.#timer = protocol._loop.callLater(this.#timeout, () => this.#timedOut());
    this.flush();
  }

  /**
   * The stream below ended.
   * @returns true if the transport below shall stay open: somebody is not done yet
   */
  eofReceived(): boolean {
    const protocol = this.#protocol;
    const transport = protocol._transport;
    this.#eofReceived = true;
    if (protocol._loop.getDebug()) logger.debug(`${inspect(protocol._appTransport)} received EOF`);
    try {
      switch (protocol._state) {
        case 'handshake':
          protocol._handshake.fail(makeOSError('the peer closed the connection during the handshake', reset));
          return false;
        case 'wrapped':
          protocol._setState('flushing');
          return protocol._reading.paused || !this.flush();
        case 'flushing':
          protocol._writing.writeBacklog();
          protocol._setState('shutdown');
          break;
      }
      this.goOn();
    } catch (error) {
      transport?.close();
      throw error;
    }
    return false;
  }

  /**
   * Gives the application what is there, and then sends what it wrote.
   * @returns false if it has to be called again
   */
  flush(): boolean {
    const protocol = this.#protocol;
    const { _reading: reading, _writing: writing } = protocol;
    reading.read();
    // Differs from asyncio, where a protocol that has ended everything meanwhile is reported (TLS-052).
    if (protocol._state !== 'flushing') return true;
    // Differs from asyncio: also while reading is paused, what was written goes before the goodbye (TLS-084).
    writing.writeBacklog();
    // Differs from asyncio: all that the peer sent is taken before the end is told, in as many steps as it needs (TLS-060).
    if (this.#eofReceived && reading.size > 0) return false;
    this.#finish();
    return true;
  }

  /** The application closes while it has paused reading, after the stream below ended: it does not want the rest. */
  giveUpReading(): void {
    if (this.#protocol._state === 'flushing') this.#finish();
  }

  #finish(): void {
    this.#protocol._setState('shutdown');
    this.goOn();
  }

  /** Says goodbye, and ends everything when the peer has said it too. */
  goOn(): void {
    const protocol = this.#protocol;
    if (protocol._state !== 'shutdown') return;
    const session = protocol._session as SSLSession;
    if (!this.#eofReceived) session.end();
    protocol._writing.pushOut();
    protocol._reading.drop();
    if (protocol._settleFailure()) return;
    if (!this.#eofReceived && !session.peerEnded) return;
    protocol._callEofReceived();
    if (protocol._state !== 'shutdown') return;
    this.cancelTimer();
    protocol._loop.callSoon(() => protocol._transport?.close());
  }

  #timedOut(): void {
    const { _state: state, _transport: transport } = this.#protocol;
    if (state === 'flushing' || state === 'shutdown') {
      transport?._forceClose(new TimeoutError('SSL shutdown timed out'));
    }
  }

  cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}

const reset = { code: 'ECONNRESET', errno: 0 };
