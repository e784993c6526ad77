// resolve.ts: from names to addresses. asyncio: BaseEventLoop.getaddrinfo. Numeric hosts do not come here.

import * as dns from 'node:dns/promises';

import { makeOSError, NotImplementedError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import { wrapPromise } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM } from '../sockets/constants';
import {
  numericAddress,
  portNumber,
  type AddressInfo,
  type Host,
  type Port,
  type ResolveOptions,
} from '../sockets/numeric-address';

/** Every address of a host; the any-addresses for null. */
export function resolve(
  loop: BaseEventLoop,
  host: Host,
  port: Port,
  options: ResolveOptions,
): Coroutine<AddressInfo[]> {
  return new Coroutine(resolving(loop, host, port, options), loop);
}

function* resolving(
  loop: BaseEventLoop,
  host: Host,
  port: Port,
  options: ResolveOptions,
): CoroutineGenerator<AddressInfo[]> {
  const known = numericAddress(host, port, options);
  if (known !== null) return [known];
  if (host === null) return anyAddresses(port, options);
  if (!loop._isHosted()) {
    throw new NotImplementedError(
      `cannot resolve '${host}' in a synchronous run: Node's resolver stands still; give a numeric address, or run hosted`,
      'ERR_RESOLVE_IN_SYNC_RUN',
    );
  }
  return yield* wrapPromise(lookUp(host, port, options), loop);
}

function* each(family: number): Generator<number> {
  if (family === 0 || family === AF_INET) yield AF_INET;
  if (family === 0 || family === AF_INET6) yield AF_INET6;
}

function anyAddresses(port: Port, options: ResolveOptions): AddressInfo[] {
  return [...each(options.family ?? 0)].flatMap((family) => {
    const any = family === AF_INET ? '0.0.0.0' : '::';
    return numericAddress(any, port, { ...options, family, type: options.type ?? SOCK_STREAM }) ?? [];
  });
}

async function lookUp(host: string, port: Port, options: ResolveOptions): Promise<AddressInfo[]> {
  const family = options.family === AF_INET ? 4 : options.family === AF_INET6 ? 6 : 0;
  let found: { address: string; family: number }[];
  try {
    found = await dns.lookup(host, { all: true, family, verbatim: true });
  } catch (error) {
    const { code = 'EAI_FAIL', errno = 0 } = error as NodeJS.ErrnoException;
    throw makeOSError(`getaddrinfo ${code} ${host}`, {
      code,
      errno,
      syscall: 'getaddrinfo',
      address: host,
      cause: error,
    });
  }
  return found.flatMap(({ address, family: version }) => {
    const [literal, zone] = address.split('%', 2) as [string, string?];
    const number = portNumber(port) ?? 0;
    const isInet = version === 4;
    const proto = options.type === SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
    return {
      family: isInet ? AF_INET : AF_INET6,
      type: options.type ?? SOCK_STREAM,
      proto: options.proto ?? proto,
      canonicalName: '',
      address: isInet ? ([literal, number] as const) : ([literal, number, 0, Number(zone ?? 0) || 0] as const),
    };
  });
}
