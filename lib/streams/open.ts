// open.ts: connections and servers whose ends are streams. asyncio: streams.open_connection, start_server and their Unix
// forms.

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import { getRunningLoop } from '../futures/current';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { AnyConnection } from '../network/attach';
import { createConnection, type ConnectOptions } from '../network/connect';
import { createServer, type Hosts, type ServeOptions } from '../network/serve';
import type { Server } from '../network/server';
import {
  createUnixConnection,
  createUnixServer,
  type UnixConnectOptions,
  type UnixServeOptions,
} from '../network/unix';
import type { UnixAddress } from '../sockets/address';
import type { Host, Port } from '../sockets/numeric-address';
import { StreamReader } from './stream-reader';
import { type ClientConnected, StreamReaderProtocol } from './stream-reader-protocol';
import { StreamWriter } from './stream-writer';

export interface StreamOptions {
  /** The limit of the reader, in bytes (64 KiB): see `StreamReader`. */
  limit?: number;
}

/** The two ends of a connection that a program holds. */
export type Streams = [reader: StreamReader, writer: StreamWriter];

const runningLoop = () => getRunningLoop() as BaseSelectorEventLoop;

/**
 * Connects, and gives [reader, writer]. asyncio: open_connection.
 * @param options as of `loop.createConnection`, and `limit`
 * @throws (when awaited) as `loop.createConnection`
 */
export function openConnection(
  host: Host = null,
  port: Port = null,
  { limit, ...options }: ConnectOptions & StreamOptions = {},
): Coroutine<Streams> {
  return new Coroutine(opening(limit, (loop, factory) => createConnection(loop, factory, host, port, options)));
}

/** As `openConnection`, to a Unix socket. asyncio: open_unix_connection. */
export function openUnixConnection(
  path: UnixAddress | null = null,
  { limit, ...options }: UnixConnectOptions & StreamOptions = {},
): Coroutine<Streams> {
  return new Coroutine(opening(limit, (loop, factory) => createUnixConnection(loop, factory, path, options)));
}

function* opening(
  limit: number | undefined,
  connect: (
    loop: BaseSelectorEventLoop,
    factory: () => StreamReaderProtocol,
  ) => CoroutineGenerator<AnyConnection<StreamReaderProtocol>>,
): CoroutineGenerator<Streams> {
  const loop = runningLoop();
  const reader = readerOf(loop, limit);
  const protocol = new StreamReaderProtocol(reader, null, loop);
  const [transport] = yield* connect(loop, () => protocol);
  const writer = new StreamWriter(transport, protocol, reader, loop);
  reader._writer = writer;
  return [reader, writer];
}

/**
 * Listens, and calls `clientConnected(reader, writer)` for each connection. A coroutine function becomes a task; if that fails,
 * the exception handler hears of it and the connection is closed. asyncio: start_server.
 * @param options as of `loop.createServer`, and `limit`
 * @throws (when awaited) as `loop.createServer`
 */
export function startServer(
  clientConnected: ClientConnected,
  host: Hosts = null,
  port: Port = null,
  { limit, ...options }: ServeOptions & StreamOptions = {},
): Coroutine<Server> {
  return new Coroutine(
    serving(clientConnected, limit, (loop, factory) => createServer(loop, factory, host, port, options)),
  );
}

/** As `startServer`, on a Unix socket. asyncio: start_unix_server. */
export function startUnixServer(
  clientConnected: ClientConnected,
  path: UnixAddress | null = null,
  { limit, ...options }: UnixServeOptions & StreamOptions = {},
): Coroutine<Server> {
  return new Coroutine(
    serving(clientConnected, limit, (loop, factory) => createUnixServer(loop, factory, path, options)),
  );
}

function* serving(
  clientConnected: ClientConnected,
  limit: number | undefined,
  listen: (loop: BaseSelectorEventLoop, factory: () => StreamReaderProtocol) => CoroutineGenerator<Server>,
): CoroutineGenerator<Server> {
  if (typeof clientConnected !== 'function') {
    throw typeError(`what is called for each connection is a function, not ${inspect(clientConnected, { depth: 0 })}`);
  }
  const loop = runningLoop();
  return yield* listen(loop, () => new StreamReaderProtocol(readerOf(loop, limit), clientConnected, loop));
}

function readerOf(loop: BaseSelectorEventLoop, limit: number | undefined): StreamReader {
  return new StreamReader(limit === undefined ? { loop } : { limit, loop });
}
