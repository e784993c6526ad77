// start-tls.ts: TLS on a connection that is there already. asyncio: base_events.start_tls.

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { SSLOptions, SSLSettings, SSLTimeouts } from '../tls/options';
import { type LowerTransport, SSLProtocol } from '../tls/ssl-protocol';
import type { SSLTransport } from '../tls/ssl-transport';
import type { BaseProtocol } from '../transports/protocol';
import type { Transport } from '../transports/transport';

export interface StartTlsOptions extends SSLTimeouts {
  /** Be the server of the handshake. */
  serverSide?: boolean;
  /** The name that the server's certificate must have; any if left out or ''. */
  serverHostname?: string | null;
  /** What the peer sent of TLS and the protocol got already, together with the last plain bytes. */
  received?: Uint8Array | null;
}

export function* startTls(
  loop: BaseSelectorEventLoop,
  transport: Transport,
  protocol: BaseProtocol,
  ssl: SSLOptions,
  options: StartTlsOptions,
): CoroutineGenerator<SSLTransport> {
  if (typeof ssl !== 'object' || ssl === null) throw typeError(`ssl must be an object of options, not ${inspect(ssl)}`);
  if ((transport as { _startTlsCompatible?: boolean } | null)?._startTlsCompatible !== true) {
    throw typeError(`transport ${inspect(transport)} is not supported by startTls()`);
  }
  const lower = transport as LowerTransport;
  const {
    serverSide = false,
    serverHostname = null,
    received = null,
    sslHandshakeTimeout,
    sslShutdownTimeout,
  } = options;
  const settings: SSLSettings = { options: ssl, serverSide, serverHostname, sslHandshakeTimeout, sslShutdownTimeout };
  const waiter = loop.createFuture<void>();
  const sslProtocol = new SSLProtocol(loop, protocol, settings, waiter, false);
  // Differs from asyncio: a protocol that was told to pause hears when it may go on (TLS-079).
  sslProtocol._appTransport._protocolPaused = lower._protocolPaused;
  // Nothing is read before TLS is there to read it.
  lower.pauseReading();
  lower.setProtocol(sslProtocol);
  const begin = loop.callSoon(() => {
    sslProtocol.connectionMade(lower);
    if (received !== null && received.length > 0) sslProtocol._take(received);
  });
  const resume = loop.callSoon(() => lower.resumeReading());
  try {
    yield* waiter;
  } catch (error) {
    lower.close();
    begin.cancel();
    resume.cancel();
    throw error;
  }
  return sslProtocol._appTransport;
}
