// handshake.ts: the beginning of TLS: its time limit, its success and its failure. asyncio: sslproto.SSLProtocol,
// "Handshake flow".

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { makeOSError, RuntimeError } from '../base/errors';
import { logger } from '../base/log';
import type { TimerHandle } from '../loop/handle';
import { asksForNamesAtOnce } from './names-probe';
import { isRefusal, SSLError } from './ssl-error';
import type { SSLProtocol } from './ssl-protocol';
import type { SSLSession } from './session';

export class Handshake {
  readonly #protocol: SSLProtocol;
  readonly #timeout: Seconds;
  #timer: TimerHandle | null = null;
  #startedAt = 0;

  constructor(protocol: SSLProtocol, timeout: Seconds) {
    this.#protocol = protocol;
    this.#timeout = timeout;
  }

  start(): void {
    const protocol = this.#protocol;
    const loop = protocol._loop;
    if (loop.getDebug()) logger.debug(`${inspect(protocol._appTransport)} starts the TLS handshake`);
    this.#startedAt = loop.time();
    protocol._setState('handshake');
    this.#timer = loop.callLater(this.#timeout, () => this.#timedOut());
    try {
      const { engine } = protocol._openSession();
      if (!loop._run.isHosted) {
        if (!engine.isImmediate) throw cannotBeDriven();
        if (engine.asksForNames && !asksForNamesAtOnce()) throw cannotAskForNames();
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    protocol._settle();
  }

  #timedOut(): void {
    const protocol = this.#protocol;
    if (protocol._state !== 'handshake') return;
    const message = `TLS handshake takes longer than ${this.#timeout} seconds, aborting the connection`;
    protocol._fatalError(makeOSError(message, { code: 'ECONNABORTED', errno: 0 }));
  }

  cancelTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** @param error what went wrong. The application hears nothing: it has not been told of a connection. */
  fail(error: unknown): void {
    const protocol = this.#protocol;
    this.cancelTimer();
    protocol._setState('unwrapped');
    if (isRefusal(error)) {
      // Who refuses the peer tells him nothing.
      protocol._fatalError(error, 'TLS handshake failed on verifying the certificate');
    } else {
      // Differs from asyncio: the peer gets the alert, which says why (TLS-013).
      if (error instanceof SSLError) protocol._writing.pushOut();
      protocol._fatalError(error, 'TLS handshake failed');
    }
    protocol._wakeWaiter(error);
    protocol._session?.engine.destroy();
  }

  succeed(): void {
    const protocol = this.#protocol;
    this.cancelTimer();
    protocol._setState('wrapped');
    const { socket } = (protocol._session as SSLSession).engine;
    if (protocol._loop.getDebug()) {
      const took = (protocol._loop.time() - this.#startedAt) * 1000;
      logger.debug(`${inspect(protocol._appTransport)}: the TLS handshake took ${took.toFixed(1)} ms`);
    }
    const certificate = socket.getPeerCertificate() as object | null;
    const peercert = certificate !== null && Object.keys(certificate).length > 0 ? certificate : null;
    Object.assign(protocol._extra, { peercert, cipher: socket.getCipher(), compression: null, ssl_object: socket });
    protocol._callConnectionMade();
    protocol._wakeWaiter(null);
    // What comes next reads, and then writes. Differs from asyncio: if reading is paused by now, it writes all the same:
    // the peer waits for the end of our handshake (TLS-028).
    if (protocol._reading.paused && protocol._state === 'wrapped') protocol._writing.writeBacklog();
  }
}

export function cannotBeDriven(): RuntimeError {
  return new RuntimeError(
    'TLS needs a hosted run here: a synchronous run cannot continue node:tls from inside a promise job',
    'ERR_TLS_IN_SYNC_RUN',
  );
}

function cannotAskForNames(): RuntimeError {
  return new RuntimeError(
    'an SNICallback needs a hosted run here: this Node asks it in a turn of its own loop, which a synchronous run does not make',
    'ERR_TLS_IN_SYNC_RUN',
  );
}
