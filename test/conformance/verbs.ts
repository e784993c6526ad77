// verbs.ts: what actions do, one function per verb. The counterpart of verbs.py, in the same order.
//
// verbs act at once; waits are awaited, so they count in coroutines only; each wait gives an awaitable and `finish`, which
// turns the outcome into what the trace shows.

import { existsSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import type { TLSSocket } from 'node:tls';

import type { SignalNumber } from '../../lib/base/signal-number';
import type { Coroutine } from '../../lib/futures/coroutine';
import { currentTask } from '../../lib/futures/current';
import type { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { allTasks, type Task } from '../../lib/futures/task';
import { type Handle, TimerHandle } from '../../lib/loop/handle';
import type { Server } from '../../lib/network/server';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_UNIX, SOCK_DGRAM, socketConstants, SOL_SOCKET } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { makeSSLTransport } from '../../lib/tls/make-transport';
import type { SSLOptions, SSLSettings } from '../../lib/tls/options';
import type { SSLTransport } from '../../lib/tls/ssl-transport';
import type { BaseProtocol } from '../../lib/transports/protocol';
import type { SelectorSocketTransport } from '../../lib/transports/socket-transport';
import { widen } from '../support/options';
import { callBody, makeProtocol, taskBody } from './interpreter';
import { childVerbs, childWaits } from './child-verbs';
import { pipeVerbs, pipeWaits } from './pipe-verbs';
import { streamVerbs, streamWaits } from './stream-verbs';
import { syncVerbs, syncWaits } from './sync-verbs';
import { taskWaits } from './task-verbs';
import { errorClass, type Frame, type Json, makeError, START, Unbound, type World } from './world';

/** What a coroutine of a program awaits. `nested` is a call of another coroutine, in whatever form it was asked for. */
export interface Wait {
  awaitable: Future<unknown> | Coroutine<unknown> | { nested: string; who: string; depth: number };
  finish?: (value: never) => unknown;
}

export type Verb = (w: World, f: Frame, ...args: never[]) => unknown;
export type WaitVerb = (w: World, f: Frame, ...args: never[]) => Wait;

const nothing = (): null => null;
const future = (w: World, f: Frame, name: string): Future => w.get<Future>(f, name, 'future', 'task');
const transport = (w: World, f: Frame, name: string): SelectorSocketTransport =>
  w.get<SelectorSocketTransport>(f, name, 'transport');
const sock = (w: World, f: Frame, name: string): Socket => w.get<Socket>(f, name, 'sock');
const server = (w: World, f: Frame, name: string): Server => w.get<Server>(f, name, 'server');

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

function bindSock(w: World, name: string, socket: Socket): void {
  w.bind(name, 'sock', socket);
  w.things.set(`${name}#`, { kind: 'number', value: socket.fileno() });
}

function running(w: World): Task {
  const task = currentTask(w.loop);
  if (task === null) throw new Unbound();
  return task;
}

const keyOf = (w: World, transport: unknown): string => `write ${w.names.get(transport) ?? ''}`;

function listenerSock(w: World): Socket {
  const file = path.join(tmpdir(), `fdloop-js-${process.pid}-${w.count('path')}.sock`);
  if (existsSync(file)) unlinkSync(file);
  w.paths.push(file);
  const socket = new Socket(AF_UNIX);
  socket.bind(file);
  return socket;
}

function addressOf(w: World, name: string): Address {
  const thing = w.things.get(name);
  if (thing?.kind === 'sock') return (thing.value as Socket).getsockname() as Address;
  const address = thing?.kind === 'server' ? w.things.get(`${name} address`) : undefined;
  if (address === undefined) throw new Unbound();
  return address.value as Address;
}

const isInet = (address: Address): address is readonly [string, number] => Array.isArray(address);

// A look at protocols made before the coroutine runs: asyncio's coroutine is made with a factory that is not called yet.
const factory = (w: World, template: string) => (): BaseProtocol => makeProtocol(w, template);

function shownConnection(w: World, name: string) {
  return ([made, protocol]: [SelectorSocketTransport, BaseProtocol]): unknown => {
    w.bind(name, 'transport', made);
    return [made.isClosing(), protocol];
  };
}

// TLS.

/** What a program says of one side of TLS. */
interface TlsOptions {
  server?: boolean;
  version?: '1.2' | '1.3';
  ciphers?: string;
  alpn?: string[];
  /** What it shows: the name of a .pem file here. */
  identity?: string;
  /** What it believes. A server that believes something asks for a certificate. */
  trust?: string | null;
  /** The name that a client asks for. */
  name?: string;
  /** Timeouts, in seconds. */
  handshake?: number;
  shutdown?: number;
}

/** One object for each way of being asked, so that it is one context. */
function tlsContext(w: World, serverSide: boolean, options: TlsOptions): SSLOptions {
  const key = JSON.stringify([serverSide, options]);
  const known = w.contexts.get(key);
  if (known !== undefined) return known as SSLOptions;
  const made: SSLOptions = {};
  const file = (name: string): Buffer => readFileSync(path.join(__dirname, `${name}.pem`));
  if (options.version !== undefined) made.minVersion = made.maxVersion = `TLSv${options.version}`;
  if (options.ciphers !== undefined) made.ciphers = options.ciphers;
  if (options.alpn !== undefined) made.ALPNProtocols = options.alpn;
  const own = options.identity ?? (serverSide ? 'identity' : null);
  if (own !== null) made.key = made.cert = file(own);
  const trusted = options.trust === undefined ? (serverSide ? null : 'identity') : options.trust;
  made.ca = trusted === null ? [] : file(trusted);
  if (serverSide && trusted !== null) made.requestCert = true;
  w.contexts.set(key, made);
  return made;
}

const tlsTimeouts = ({ handshake, shutdown }: TlsOptions) => ({
  sslHandshakeTimeout: handshake ?? null,
  sslShutdownTimeout: shutdown ?? null,
});

function tlsSettings(w: World, options: TlsOptions): SSLSettings {
  const serverSide = options.server ?? false;
  const serverHostname = serverSide ? null : (options.name ?? 'localhost');
  return { options: tlsContext(w, serverSide, options), serverSide, serverHostname, ...tlsTimeouts(options) };
}

const tlsTransport = (w: World, f: Frame, name: string): SSLTransport => {
  const found = w.get<SSLTransport>(f, name, 'transport');
  return found;
};

export const verbs: Record<string, Verb> = {
  ...childVerbs,
  ...pipeVerbs,
  ...streamVerbs,
  ...syncVerbs,

  // Scheduling.

  callSoon(w, f, name: string, body: string, args: Json[] = []) {
    w.bind(name, 'handle', w.loop.callSoon(callBody(w, body), ...args));
  },
  callSoonThreadsafe(w, f, name: string, body: string, args: Json[] = []) {
    w.bind(name, 'handle', w.loop.callSoonThreadsafe(callBody(w, body), ...args));
  },
  callLater(w, f, name: string, delay: number, body: string, args: Json[] = []) {
    w.bind(name, 'handle', w.loop.callLater(delay, callBody(w, body), ...args));
  },
  callAt(w, f, name: string, offset: number, body: string, args: Json[] = []) {
    w.bind(name, 'handle', w.loop.callAt(START + offset, callBody(w, body), ...args));
  },
  callAtNone(w, f, body: string) {
    w.loop.callAt(null as never, callBody(w, body));
  },
  callSoonBad(w, f, name: string) {
    w.bind(name, 'handle', w.loop.callSoon(42 as never));
  },
  cancelHandle: (w, f, name: string) => w.get<Handle>(f, name, 'handle').cancel(),
  handleCancelled: (w, f, name: string) => w.get<Handle>(f, name, 'handle').cancelled(),
  when(w, f, name: string) {
    const handle = w.get<Handle>(f, name, 'handle');
    if (!(handle instanceof TimerHandle)) throw new Unbound();
    return handle.when();
  },

  // The loop.

  stop: (w) => w.loop.stop(),
  time: (w) => w.loop.time(),
  advance: (w, f, seconds: number) => w.clock.advance(seconds),
  isRunning: (w) => w.loop.isRunning(),
  isClosed: (w) => w.loop.isClosed(),
  closeLoop: (w) => w.loop.close(),
  setDebug: (w, f, enabled: boolean) => w.loop.setDebug(enabled),
  setHandler(w, f, body: string | null) {
    if (body === null) {
      w.loop.setExceptionHandler(null);
      return;
    }
    const callback = callBody(w, body);
    w.loop.setExceptionHandler((_loop, context) => callback(w.encodeContext(context)));
  },
  setHandlerBad: (w) => w.loop.setExceptionHandler(42 as never),
  callHandler(w, f, message: string, error: string) {
    w.loop.callExceptionHandler({ message, exception: makeError(error, '#told') });
  },
  addSignalHandler(w, f, signal: SignalNumber, body: string, args: Json[] = []) {
    w.loop.addSignalHandler(signal, callBody(w, body), ...args);
  },
  addSignalHandlerBad: (w, f, signal: SignalNumber) => w.loop.addSignalHandler(signal, async () => undefined),
  removeSignalHandler: (w, f, signal: SignalNumber) => w.loop.removeSignalHandler(signal),
  // The default action of a signal that is killed with is to do nothing.
  kill: (w, f, signal: NodeJS.Signals) => void process.kill(process.pid, signal),
  readyCount: (w) => w.loop._ready.length,
  timerCount: (w) => [w.loop._scheduled.length, w.loop._scheduled.cancelledCount],

  // Futures and tasks.

  future(w, f, name: string) {
    w.bind(name, 'future', w.loop.createFuture());
  },
  setResult: (w, f, name: string, value: Json) => future(w, f, name).setResult(value),
  setException: (w, f, name: string, error: string, message?: Json) =>
    future(w, f, name).setException(makeError(error, message)),
  setExceptionClass: (w, f, name: string, error: string) =>
    w.get<Future>(f, name, 'future').setException(errorClass(error)),
  setExceptionBad: (w, f, name: string) => w.get<Future>(f, name, 'future').setException(42),
  cancel: (w, f, name: string, message?: Json) => future(w, f, name).cancel(message),
  done: (w, f, name: string) => future(w, f, name).done(),
  cancelled: (w, f, name: string) => future(w, f, name).cancelled(),
  result: (w, f, name: string) => future(w, f, name).result(),
  exception: (w, f, name: string) => future(w, f, name).exception(),
  addDoneCallback: (w, f, name: string, body: string) => future(w, f, name).addDoneCallback(callBody(w, body)),
  removeDoneCallback: (w, f, name: string, body: string) => future(w, f, name).removeDoneCallback(callBody(w, body)),
  task(w, f, name: string, body: string) {
    w.body(body);
    w.bind(name, 'task', w.loop.createTask(taskBody(w, body, name)));
  },
  uncancel: (w, f, name: string) => w.get<Task>(f, name, 'task').uncancel(),
  cancelling: (w, f, name: string) => w.get<Task>(f, name, 'task').cancelling(),
  currentTask: (w) => currentTask(w.loop),
  cancelSelf: (w, f, message?: Json) => running(w).cancel(message),
  uncancelSelf: (w) => running(w).uncancel(),
  taskCount: (w) => allTasks(w.loop).size,

  // Bare sockets.

  socketpair(w, f, one: string, two: string, sndbuf?: number) {
    const pair = socketpair();
    widen(...pair);
    for (const [index, name] of [one, two].entries()) {
      if (sndbuf !== undefined) pair[index].setsockopt(SOL_SOCKET, socketConstants.SO_SNDBUF, sndbuf);
      bindSock(w, name, pair[index]);
    }
  },
  send(w, f, name: string, size: number) {
    const socket = sock(w, f, name);
    const key = `send ${name}`;
    const data = w.pattern(key, size);
    let sent = 0;
    try {
      sent = socket.send(data);
    } finally {
      w.counters.set(key, (w.counters.get(key) ?? 0) - (size - sent));
    }
    return sent;
  },
  recv: (w, f, name: string, size: number) => sock(w, f, name).recv(size),
  fill(w, f, name: string) {
    const socket = sock(w, f, name);
    let total = 0;
    while (total < 1 << 24) {
      try {
        total += socket.send(new Uint8Array(65536));
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') throw error;
        break;
      }
    }
    return total;
  },
  drain(w, f, name: string) {
    const socket = sock(w, f, name);
    const chunks: Buffer[] = [];
    const data = (): Buffer => Buffer.concat(chunks);
    for (let total = 0; total < 1 << 24; total += chunks[chunks.length - 1].length) {
      try {
        const chunk = socket.recv(65536);
        if (chunk.length === 0) return [data(), 'eof'];
        chunks.push(chunk);
      } catch (error) {
        return codeOf(error) === 'EAGAIN' ? [data()] : [data(), error];
      }
    }
    return [data()];
  },
  shutdown: (w, f, name: string, how: string) => sock(w, f, name).shutdown(socketConstants[`SHUT_${how}` as 'SHUT_WR']),
  closeSock(w, f, name: string) {
    // The number may belong to something else from now on.
    sock(w, f, name).close();
    w.things.delete(`${name}#`);
  },
  fileno: (w, f, name: string) => sock(w, f, name).fileno() >= 0,
  addReader: (w, f, ref: string, body: string, args: Json[] = []) =>
    w.loop.addReader(w.fd(f, ref), callBody(w, body), ...args),
  removeReader: (w, f, ref: string) => w.loop.removeReader(w.fd(f, ref)),
  addWriter: (w, f, ref: string, body: string, args: Json[] = []) =>
    w.loop.addWriter(w.fd(f, ref), callBody(w, body), ...args),
  removeWriter: (w, f, ref: string) => w.loop.removeWriter(w.fd(f, ref)),
  addReaderAt: (w, f, fd: number, body: string) => w.loop.addReader(fd, callBody(w, body)),
  removeReaderAt: (w, f, fd: number) => w.loop.removeReader(fd),
  /** A thing that is no socket: a regular file, or nothing that has a descriptor at all. */
  addReaderTo(w, f, what: string, body: string) {
    let thing: unknown = 'text';
    if (what === 'file') {
      const fd = openSync(path.join(__dirname, 'gists.json'), 'r');
      w.files.push(fd);
      thing = { fileno: () => fd };
    }
    w.loop.addReader(thing as never, callBody(w, body));
  },
  /** Cancels the handle of a reader directly, as only internals can. */
  cancelReader(w, f, ref: string) {
    const key = w.loop._selector?.getMap()?.lookup(w.fd(f, ref));
    (key?.data as [Handle])[0].cancel();
  },
  streamSock: (w, f, name: string) => bindSock(w, name, new Socket(AF_UNIX)),

  // Transports.

  transport(w, f, name: string, socket: string, template: string, waiter: string | null = null) {
    const owned = sock(w, f, socket);
    const waiting = waiter === null ? null : w.get<Future<void>>(f, waiter, 'future');
    const protocol = makeProtocol(w, template);
    protocol.transport = w.bind(name, 'transport', w.loop._makeSocketTransport(owned, protocol, waiting));
  },
  close: (w, f, name: string) => transport(w, f, name).close(),
  abort: (w, f, name: string) => transport(w, f, name).abort(),
  pauseReading: (w, f, name: string) => transport(w, f, name).pauseReading(),
  resumeReading: (w, f, name: string) => transport(w, f, name).resumeReading(),
  isClosing: (w, f, name: string) => transport(w, f, name).isClosing(),
  isReading: (w, f, name: string) => transport(w, f, name).isReading(),
  writeEof: (w, f, name: string) => transport(w, f, name).writeEof(),
  canWriteEof: (w, f, name: string) => transport(w, f, name).canWriteEof(),
  bufferSize: (w, f, name: string) => transport(w, f, name).getWriteBufferSize(),
  limits: (w, f, name: string) => transport(w, f, name).getWriteBufferLimits(),
  write(w, f, name: string, size: number) {
    const target = transport(w, f, name);
    target.write(w.pattern(keyOf(w, target), size));
  },
  writelines(w, f, name: string, sizes: number[]) {
    const target = transport(w, f, name);
    target.writelines(sizes.map((size) => w.pattern(keyOf(w, target), size)));
  },
  writelinesMany(w, f, name: string, count: number, size: number) {
    const target = transport(w, f, name);
    target.writelines(Array.from({ length: count }, () => w.pattern(keyOf(w, target), size)));
  },
  writeBad: (w, f, name: string) => transport(w, f, name).write('text' as never),
  writelinesBad: (w, f, name: string) => transport(w, f, name).writelines([Buffer.from('fine'), 'text' as never]),
  memory(w, f, name: string, size: number, value: number) {
    w.bind(name, 'memory', Buffer.alloc(size, value));
  },
  fillMemory(w, f, name: string, value: number) {
    w.get<Buffer>(f, name, 'memory').fill(value);
  },
  writeMemory: (w, f, name: string, memory: string) => transport(w, f, name).write(w.get<Buffer>(f, memory, 'memory')),
  setLimits: (w, f, name: string, high: number | null = null, low: number | null = null) =>
    transport(w, f, name).setWriteBufferLimits(high, low),
  setProtocol(w, f, name: string, template: string) {
    const target = transport(w, f, name);
    const protocol = makeProtocol(w, template);
    protocol.transport = target;
    target.setProtocol(protocol);
  },
  getProtocol: (w, f, name: string) => transport(w, f, name).getProtocol(),
  extra: (w, f, name: string, key: string) => {
    const value = transport(w, f, name).getExtraInfo(key, 'missing');
    return value !== 'missing' && value !== null;
  },

  // TLS.

  tls(w, f, name: string, socket: string, template: string, options: TlsOptions, waiter: string | null = null) {
    const owned = sock(w, f, socket);
    const waiting = waiter === null ? null : w.get<Future<void>>(f, waiter, 'future');
    const protocol = makeProtocol(w, template);
    const made = makeSSLTransport(w.loop, owned, protocol, tlsSettings(w, options), waiting, {}, null);
    protocol.transport = w.bind(name, 'transport', made);
  },
  /** [version, ALPN protocol, common name of the peer] */
  tlsInfo(w, f, name: string) {
    const made = tlsTransport(w, f, name).getExtraInfo<TLSSocket>('ssl_object');
    if (made === null) return null;
    const certificate = tlsTransport(w, f, name).getExtraInfo<{ subject: { CN: string } }>('peercert');
    return [made.getProtocol(), made.alpnProtocol === false ? null : made.alpnProtocol, certificate?.subject.CN];
  },
  readBufferSize: (w, f, name: string) => tlsTransport(w, f, name).getReadBufferSize(),
  readLimits: (w, f, name: string) => tlsTransport(w, f, name).getReadBufferLimits(),
  setReadLimits: (w, f, name: string, high: number | null = null, low: number | null = null) =>
    tlsTransport(w, f, name).setReadBufferLimits(high, low),

  // Servers and connections.

  listener(w, f, name: string, backlog = 10) {
    const socket = listenerSock(w);
    socket.listen(backlog);
    bindSock(w, name, socket);
  },
  connect(w, f, name: string, to: string) {
    const address = addressOf(w, to);
    const socket = new Socket(isInet(address) ? AF_INET : AF_UNIX);
    bindSock(w, name, socket);
    try {
      socket.connect(address);
    } catch (error) {
      if (!isInet(address) || codeOf(error) !== 'EINPROGRESS') throw error;
    }
  },
  closeServer: (w, f, name: string) => server(w, f, name).close(),
  isServing: (w, f, name: string) => server(w, f, name).isServing(),
  socketCount: (w, f, name: string) => server(w, f, name).sockets.length,
};

export const waits: Record<string, WaitVerb> = {
  ...childWaits,
  ...pipeWaits,
  ...streamWaits,
  ...syncWaits,
  ...taskWaits,

  await: (w, f, name: string) => ({ awaitable: future(w, f, name) }),
  sleep: (w, f, delay: number) => ({ awaitable: sleep(delay), finish: nothing }),
  call(w, f, body: string) {
    w.body(body);
    if (f.depth >= 4) throw new Unbound();
    return { awaitable: { nested: body, who: f.who, depth: f.depth + 1 } };
  },

  sockRecv: (w, f, name: string, size: number) => ({ awaitable: w.loop.sockRecv(sock(w, f, name), size) }),
  sockRecvInto(w, f, name: string, size: number) {
    const buffer = Buffer.alloc(size);
    return {
      awaitable: w.loop.sockRecvInto(sock(w, f, name), buffer),
      finish: (count: number) => [count, buffer.subarray(0, count)],
    };
  },
  sockSendall(w, f, name: string, size: number) {
    const socket = sock(w, f, name);
    return { awaitable: w.loop.sockSendall(socket, w.pattern(`send ${name}`, size)) };
  },
  sockAccept(w, f, listener: string, name: string) {
    return {
      awaitable: w.loop.sockAccept(sock(w, f, listener)),
      finish: ([socket]: [Socket, Address]) => {
        bindSock(w, name, socket);
        return socket.getblocking();
      },
    };
  },
  sockConnect: (w, f, name: string, listener: string) => ({
    awaitable: w.loop.sockConnect(sock(w, f, name), addressOf(w, listener)),
    finish: nothing,
  }),

  /** With the protocol that the transport has. */
  startTls(w, f, name: string, below: string, options: TlsOptions) {
    const { serverSide, serverHostname, options: ssl } = tlsSettings(w, options);
    const target = transport(w, f, below);
    const protocol = target.getProtocol() as BaseProtocol & { transport: unknown; isUpgraded: boolean };
    return {
      awaitable: w.loop.startTls(target, protocol, ssl, { serverSide, serverHostname, ...tlsTimeouts(options) }),
      finish: (made: SSLTransport) => {
        w.bind(name, 'transport', made);
        protocol.transport = made;
        protocol.isUpgraded = true;
        return made;
      },
    };
  },

  server(
    w,
    f,
    name: string,
    template: string,
    options: { tcp?: boolean; backlog?: number; start?: boolean; tls?: TlsOptions },
  ) {
    const { tls } = options;
    const kept = {
      backlog: options.backlog ?? 100,
      startServing: options.start ?? true,
      ...(tls === undefined ? {} : { ssl: tlsContext(w, true, tls), ...tlsTimeouts(tls) }),
    };
    const awaitable =
      options.tcp === true
        ? w.loop.createServer(factory(w, template), '127.0.0.1', 0, kept)
        : w.loop.createServer(factory(w, template), null, null, { sock: listenerSock(w), ...kept });
    return {
      awaitable,
      finish: (made: Server) => {
        w.bind(name, 'server', made);
        w.things.set(`${name} address`, { kind: 'address', value: made.sockets[0].getsockname() });
        return null;
      },
    };
  },
  connection(w, f, name: string, to: string, template: string, options?: TlsOptions) {
    const address = addressOf(w, to);
    const finish = shownConnection(w, name);
    const kept =
      options === undefined
        ? {}
        : {
            ssl: tlsContext(w, false, options),
            serverHostname: options.name ?? 'localhost',
            ...tlsTimeouts(options),
          };
    if (isInet(address)) {
      return { awaitable: w.loop.createConnection(factory(w, template), address[0], address[1], kept), finish };
    }
    const socket = new Socket(AF_UNIX);
    try {
      socket.connect(address);
    } catch (error) {
      socket.close();
      throw error;
    }
    return { awaitable: w.loop.createConnection(factory(w, template), null, null, { sock: socket, ...kept }), finish };
  },
  connectionOf: (w, f, name: string, socket: string, template: string) => ({
    awaitable: w.loop.createConnection(factory(w, template), null, null, { sock: sock(w, f, socket) }),
    finish: shownConnection(w, name),
  }),
  /** A connection to a port where nobody listens. */
  refused(w, f, template: string) {
    const socket = new Socket();
    socket.bind(['127.0.0.1', 0]);
    const [, port] = socket.getsockname() as [string, number];
    socket.close();
    return { awaitable: w.loop.createConnection(factory(w, template), '127.0.0.1', port) };
  },
  badConnection(w, f, template: string, what: string) {
    const make = factory(w, template);
    if (what === 'neither') return { awaitable: w.loop.createConnection(make) };
    if (what === 'both') {
      return { awaitable: w.loop.createConnection(make, '127.0.0.1', 1, { sock: sock(w, f, 'both') }) };
    }
    const socket = new Socket(AF_INET, SOCK_DGRAM);
    bindSock(w, 'a datagram socket', socket);
    return { awaitable: w.loop.createConnection(make, null, null, { sock: socket }) };
  },
  startServing: (w, f, name: string) => ({ awaitable: server(w, f, name).startServing(), finish: nothing }),
  serveForever: (w, f, name: string) => ({ awaitable: server(w, f, name).serveForever(), finish: nothing }),
  waitClosed: (w, f, name: string) => ({ awaitable: server(w, f, name).waitClosed(), finish: nothing }),
};
