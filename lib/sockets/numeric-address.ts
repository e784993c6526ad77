// numeric-address.ts: hosts that need no resolver. asyncio: base_events._ipaddr_info.

import { isIP } from 'node:net';

import type { Address } from './address';
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM } from './constants';

/** One way to reach a host. asyncio: a tuple of getaddrinfo. */
export interface AddressInfo {
  family: number;
  type: number;
  proto: number;
  canonicalName: string;
  address: Address;
}

export interface ResolveOptions {
  family?: number;
  type?: number;
  proto?: number;
  flags?: number;
}

export type Host = string | null;
export type Port = number | string | null;

/** The number that `port` stands for; null if it is a name. @internal */
export function portNumber(port: Port): number | null {
  if (port === null || port === '') return 0;
  const number = typeof port === 'number' ? port : /^\s*[+-]?\d+\s*$/.test(port) ? Number(port) : NaN;
  return Number.isInteger(number) ? number : null;
}

/** The result for a numeric host, without asking anybody; null if it has to be resolved (LOOP-086 to LOOP-088). */
export function numericAddress(host: Host, port: Port, options: ResolveOptions): AddressInfo | null {
  const { family = 0, type = 0 } = options;
  let { proto = 0 } = options;
  // The resolver says what is wrong with a host of another type.
  if (typeof host !== 'string' || host.includes('%') || ![0, IPPROTO_TCP, IPPROTO_UDP].includes(proto)) return null;
  if (type === SOCK_STREAM) proto = IPPROTO_TCP;
  else if (type === SOCK_DGRAM) proto = IPPROTO_UDP;
  else return null;
  const number = portNumber(port);
  const version = isIP(host);
  if (number === null || version === 0) return null;
  const found = version === 4 ? AF_INET : AF_INET6;
  if (family !== 0 && family !== found) return null;
  const address: Address = found === AF_INET ? [host, number] : [host, number, 0, 0];
  return { family: found, type, proto, canonicalName: '', address };
}
