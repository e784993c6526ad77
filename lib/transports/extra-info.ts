// extra-info.ts: what `getExtraInfo` knows, by name. asyncio: the table of BaseTransport.get_extra_info.

import type { CipherNameAndProtocol, PeerCertificate, SecureContext, TLSSocket } from 'node:tls';

import type { Address } from '../sockets/address';
import type { PipeLike } from './pipe-end';
import type { TransportSocket } from './transport-socket';

export interface ExtraInfo {
  /** Options and addresses of the socket. */
  socket: TransportSocket;
  /** The own address, and the peer's. For IPv4 and IPv6 it begins [host, port]. */
  sockname: Address;
  peername: Address;
  /** What a pipe transport was made of. */
  pipe: PipeLike;
  /** Of TLS, the first at once and the others after the handshake. */
  sslcontext: SecureContext;
  ssl_object: TLSSocket;
  /** Null as well if the peer showed none. */
  peercert: PeerCertificate;
  cipher: CipherNameAndProtocol;
  compression: null;
}
