// start-tls.ts: TLS on a connection that is there already. asyncio: base_events.start_tls.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { RuntimeError, typeError } from '../base/errors';
import { checkOptions, type OptionNames } from '../base/options';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { describeType } from '../sockets/socket';
import { certificateName, sslTimeoutNames, type SSLOptions, type SSLSettings, type SSLTimeouts } from '../tls/options';
import { type LowerTransport, SSLProtocol } from '../tls/ssl-protocol';
import type { SSLTransport } from '../tls/ssl-transport';
import type { BaseProtocol } from '../transports/protocol';
import type { Transport } from '../transports/transport';

export interface StartTlsOptions extends SSLTimeouts {
  /** Be the server of the handshake. */
  serverSide?: boolean;
  /** The name that the server's certificate must have; any if left out or ''. */
  serverHostname?: string | null;
  /**
   * What the peer sent of TLS and the protocol got already, in one piece with the last plain bytes. A protocol that pauses
   * reading before it gives way to the loop gets no more than that: what comes later is left in the kernel, for TLS.
   */
  received?: Uint8Array | null;
}

const names: OptionNames<StartTlsOptions> = {
  ...sslTimeoutNames,
  serverSide: true,
  serverHostname: true,
  received: true,
};

export function* startTls(
  loop: BaseSelectorEventLoop,
  transport: Transport,
  protocol: BaseProtocol,
  ssl: SSLOptions,
  options: StartTlsOptions,
): CoroutineGenerator<SSLTransport> {
  checkOptions('startTls', options, names);
  if (typeof ssl !== 'object' || ssl === null) throw typeError(`ssl must be an object of options, not ${inspect(ssl)}`);
  if ((transport as { _startTlsCompatible?: boolean } | null)?._startTlsCompatible !== true) {
    throw typeError(`transport ${inspect(transport)} is not supported by startTls()`);
  }
  // Differs from asyncio: where there is nobody any more to shake hands with, it waits for ever.
  if (transport.isClosing()) throw new RuntimeError('the transport is closing', 'ERR_TRANSPORT_CLOSING');
  const lower = transport as LowerTransport;
  const { serverSide = false, received = null, sslHandshakeTimeout, sslShutdownTimeout } = options;
  if (received !== null && !isBytes(received)) {
    throw typeError(`received must be a Uint8Array or a Buffer, not ${describeType(received)}`);
  }
  const serverHostname = serverSide ? null : certificateName(options.serverHostname ?? null);
  // A copy: a protocol that brings its own memory uses it again.
  const ahead = received === null ? null : Uint8Array.prototype.slice.call(received);
  const settings: SSLSettings = { options: ssl, serverSide, serverHostname, sslHandshakeTimeout, sslShutdownTimeout };
  const waiter = loop.createFuture<void>();
  const sslProtocol = new SSLProtocol(loop, protocol, settings, waiter, false);
  // Nothing is read before TLS is there to read it.
  lower.pauseReading();
  sslProtocol._upgrade(lower);
  const begin = loop.callSoon(() => {
    sslProtocol.connectionMade(lower);
    if (ahead !== null && ahead.length > 0) sslProtocol._reading.take(ahead);
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
