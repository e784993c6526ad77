// constants.ts: the platform's numbers by name, as the `socket` module of Python has them. A name that the platform lacks
// is not there.

import { binding } from '../native/binding';
import type { SocketConstantName } from './constant-names';

/** Numbers by name. A name of another platform has the type of a number too, and is undefined. */
export type SocketConstants = Readonly<Record<SocketConstantName, number>> &
  Readonly<Record<string, number | undefined>>;

/** Every constant of the platform: `socketConstants.SO_REUSEADDR`. */
export const socketConstants = Object.freeze({ ...binding.constants }) as SocketConstants;

const { AF_INET, AF_INET6, AF_UNIX, AF_VSOCK, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6 } = binding.constants;
const { SOCK_STREAM, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC } = binding.constants;
const { SOL_SOCKET, SO_ERROR, SO_TYPE, SO_REUSEADDR, SO_REUSEPORT, TCP_NODELAY, IPV6_V6ONLY } = binding.constants;
const { SO_BROADCAST, SO_KEEPALIVE, SO_PROTOCOL, SO_DOMAIN, SHUT_RD, SHUT_WR, SHUT_RDWR, IOV_MAX } = binding.constants;

/** The family of `socketpair`: where the system has no pairs, two ends of a TCP connection stand in, as in Python. */
export const PAIR_FAMILY = process.platform === 'win32' ? AF_INET : AF_UNIX;

export {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AF_VSOCK,
  IOV_MAX,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_PROTOCOL,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_TYPE,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
};
