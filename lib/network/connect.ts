// connect.ts: opens connections. asyncio: base_events.create_connection.

import { inspect } from 'node:util';

import { makeOSError, OSError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import { checkOptions, type OptionNames } from '../base/options';
import type { Seconds } from '../base/constants';
import type { CoroutineGenerator } from '../futures/frame';
import { staggeredRace } from '../futures/staggered-race';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { ensureResolved, sockConnect } from '../loop/sock-io';
import { addressFields } from '../sockets/address';
import { SOCK_STREAM } from '../sockets/constants';
import type { AddressInfo, Host, Port } from '../sockets/numeric-address';
import { Socket } from '../sockets/socket';
import type { BaseProtocol } from '../transports/protocol';
import { clientSettings, sslClientNames, type SSLClientOptions } from '../tls/options';
import { attachProtocol, checkStream, type AnyConnection } from './attach';
import { checkFactory } from './factory';

export interface ConnectOptions extends SSLClientOptions {
  /** AF_INET or AF_INET6; whatever the host has if left out. */
  family?: number;
  proto?: number;
  /** Flags of getaddrinfo. */
  flags?: number;
  /** A connected stream socket, instead of host and port. It is the transport's from then on. */
  sock?: Socket | null;
  /** Where to connect from: [host, port]. */
  localAddr?: readonly [host: Host, port: Port] | null;
  /** Seconds after which the next address is tried beside the one before (RFC 8305: 0.25); one after the other if left out. */
  happyEyeballsDelay?: Seconds | null;
  /** Addresses of the first family at the head of the order, then the families take turns; 1 with happy eyeballs. */
  interleave?: number | null;
  /** True to fail with an AggregateError of every attempt's error. */
  allErrors?: boolean;
}

const names: OptionNames<ConnectOptions> = {
  ...sslClientNames,
  family: true,
  proto: true,
  flags: true,
  sock: true,
  localAddr: true,
  happyEyeballsDelay: true,
  interleave: true,
  allErrors: true,
};

export function* createConnection<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  host: Host,
  port: Port,
  options: ConnectOptions,
): CoroutineGenerator<AnyConnection<P>> {
  checkOptions('createConnection', options, names);
  checkFactory(protocolFactory);
  const { sock = null } = options;
  const ssl = clientSettings(options, host);
  let socket: Socket;
  if (host !== null || port !== null) {
    if (sock !== null) throw new ValueError('host and port, or sock, not both');
    socket = yield* connectToFirst(loop, host, port, options);
  } else {
    if (sock === null) throw new ValueError('neither host and port nor sock were given');
    checkStream(sock);
    socket = sock;
  }
  const connection = yield* attachProtocol(loop, socket, protocolFactory, ssl);
  if (loop.getDebug()) logger.debug(`${inspect(socket)} connected to ${inspect(host)}:${String(port)}`);
  return connection;
}

function* connectToFirst(
  loop: BaseSelectorEventLoop,
  host: Host,
  port: Port,
  options: ConnectOptions,
): CoroutineGenerator<Socket> {
  const { family = 0, proto = 0, flags = 0, localAddr = null, allErrors = false } = options;
  const wanted = { family, type: SOCK_STREAM, proto, flags };
  const remotes = yield* ensureResolved(loop, host, port, wanted);
  if (remotes.length === 0) throw noAddresses(host);
  let locals: AddressInfo[] | null = null;
  if (localAddr !== null) {
    locals = yield* ensureResolved(loop, localAddr[0], localAddr[1], wanted);
    if (locals.length === 0) throw noAddresses(localAddr[0]);
  }
  const delay = options.happyEyeballsDelay ?? null;
  const interleave = options.interleave ?? (delay === null ? 0 : 1);
  const ordered = interleave > 0 ? interleaveFamilies(remotes, interleave) : remotes;
  const attempts: OSError[][] = [];
  const socket = yield* (delay === null ? tryInOrder : raceWithDelay)(loop, ordered, locals, attempts, delay ?? 0);
  if (socket !== null) return socket;
  const errors = attempts.flat();
  throw allErrors ? new AggregateError(errors, 'createConnection() failed') : combined(errors);
}

/** The families take turns, after `firstCount` addresses of the first one. asyncio: _interleave_addrinfos. */
export function interleaveFamilies(infos: readonly AddressInfo[], firstCount: number): AddressInfo[] {
  const byFamily = new Map<number, AddressInfo[]>();
  for (const info of infos) byFamily.set(info.family, [...(byFamily.get(info.family) ?? []), info]);
  const lists = [...byFamily.values()];
  const ordered = lists[0].splice(0, firstCount - 1);
  for (let index = 0; lists.some((list) => index < list.length); index++) {
    ordered.push(...lists.flatMap((list) => list[index] ?? []));
  }
  return ordered;
}

function* tryInOrder(
  loop: BaseSelectorEventLoop,
  remotes: readonly AddressInfo[],
  locals: AddressInfo[] | null,
  attempts: OSError[][],
): CoroutineGenerator<Socket | null> {
  for (const remote of remotes) {
    try {
      return yield* attempt(loop, remote, locals, attempts);
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
    }
  }
  return null;
}

/** Happy eyeballs: the first that connects wins, the others are cancelled. */
function* raceWithDelay(
  loop: BaseSelectorEventLoop,
  remotes: readonly AddressInfo[],
  locals: AddressInfo[] | null,
  attempts: OSError[][],
  delay: Seconds,
): CoroutineGenerator<Socket | null> {
  const connected: Socket[] = [];
  const racers = remotes.map(
    (remote) =>
      function* (): CoroutineGenerator<Socket> {
        const socket = yield* attempt(loop, remote, locals, attempts);
        connected.push(socket);
        return socket;
      },
  );
  let winner: Socket | null = null;
  try {
    const [first, , failures] = yield* staggeredRace(racers, delay, loop);
    const unexpected = failures.find((failure) => failure !== null && !(failure instanceof OSError));
    if (first === null && unexpected instanceof Error) throw unexpected;
    winner = first;
    return winner;
  } finally {
    // Differs from asyncio: no reference count closes one that nobody waits for any more.
    for (const socket of connected) if (socket !== winner) socket.close();
  }
}

/**
 * One attempt. asyncio: _connect_sock.
 * @param attempts gets a list of what the system refused in this one, in the order in which they start
 */
function* attempt(
  loop: BaseSelectorEventLoop,
  remote: AddressInfo,
  locals: AddressInfo[] | null,
  attempts: OSError[][],
): CoroutineGenerator<Socket> {
  const refusals: OSError[] = [];
  attempts.push(refusals);
  let socket: Socket | null = null;
  try {
    socket = new Socket(remote.family, remote.type, remote.proto);
    if (locals !== null) bindLocal(socket, remote.family, locals, refusals);
    yield* sockConnect(loop, socket, remote.address);
    return socket;
  } catch (error) {
    socket?.close();
    if (error instanceof OSError) refusals.push(error);
    throw error;
  }
}

/** Binds to the first local address that can be had, and notes why the ones before could not. */
function bindLocal(socket: Socket, family: number, locals: readonly AddressInfo[], refusals: OSError[]): void {
  for (const local of locals) {
    // A local address of another family cannot be used for this one.
    if (local.family !== family) continue;
    try {
      socket.bind(local.address);
      return;
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
      const { code, errno } = error;
      const message = `error while attempting to bind on address ${inspect(local.address)}: ${error.message}`;
      refusals.push(
        makeOSError(message, { code, errno, syscall: 'bind', cause: error, ...addressFields(local.address) }),
      );
    }
  }
  const none = `no matching local address with family ${family} found`;
  throw refusals.pop() ?? makeOSError(none, { code: 'EADDRNOTAVAIL', errno: 0 });
}

function noAddresses(host: Host): OSError {
  return makeOSError(`getaddrinfo(${String(host)}) returned an empty list`, { code: 'EAI_NODATA', errno: 0 });
}

function combined(errors: readonly OSError[]): OSError {
  const first = errors[0];
  if (errors.every((error) => error.message === first.message)) return first;
  const message = `Multiple exceptions: ${errors.map((error) => error.message).join(', ')}`;
  return new OSError(message, { code: first.code, errno: first.errno, cause: new AggregateError(errors) });
}
