// event-loop.ts: the loop that users have: every verb, one line each. What a verb does is in the folder of its subject.

import type { Seconds } from './base/constants';
import { typeError } from './base/errors';
import { _setCurrentLoop } from './base/running-loop';
import type { SignalNumber } from './base/signal-number';
import { Coroutine } from './futures/coroutine';
import { getEventLoop as eventLoop, getRunningLoop as runningLoop } from './futures/current';
import type { Future } from './futures/future';
import { runInExecutor, setDefaultExecutor, shutdownDefaultExecutor, type Executor } from './loop/executor';
import { BaseSelectorEventLoop, type SelectorLoopOptions } from './loop/selector-event-loop';
import type { ExecutorFunction } from './loop/sendable';
import {
  sockAccept,
  sockConnect,
  type SockLike,
  sockRecv,
  sockRecvfrom,
  sockRecvfromInto,
  sockRecvInto,
  sockSendall,
  sockSendto,
} from './loop/sock-io';
import { sockRecvFds, sockRecvmsg, sockSendFds, sockSendmsg } from './loop/sock-messages';
import { connectAcceptedSocket, type AnyConnection, type Connection } from './network/attach';
import type { FileSource } from './loop/file-source';
import { sockSendfile, type SendfileOptions } from './loop/sock-sendfile';
import type { ThreadPoolExecutor } from './loop/thread-pool';
import { Waker } from './loop/waker';
import { createConnection, type ConnectOptions } from './network/connect';
import { createDatagramEndpoint, type DatagramEndpoint, type DatagramOptions } from './network/datagram';
import { connectReadPipe, connectWritePipe, type ReadPipe, type WritePipe } from './network/pipes';
import { sendfile } from './network/sendfile';
import { getaddrinfo, getnameinfo } from './network/resolve';
import { createServer, type Hosts, type ServeOptions } from './network/serve';
import type { ProtocolFactory, Server } from './network/server';
import { startTls, type StartTlsOptions } from './network/start-tls';
import { createUnixConnection, createUnixServer, type UnixConnectOptions, type UnixServeOptions } from './network/unix';
import type { CommandText, SpawnOptions } from './processes/options';
import type { SubprocessProtocol } from './processes/protocol';
import { subprocessExec, subprocessShell, type Subprocess } from './processes/subprocess';
import type { Address, UnixAddress } from './sockets/address';
import type { AncillaryItem } from './sockets/control';
import type { Descriptor, ReceivedFds } from './sockets/descriptors';
import type { ReceivedMessage } from './sockets/messages';
import type { AddressInfo, Host, Port, ResolveOptions } from './sockets/numeric-address';
import { describeType, type Socket } from './sockets/socket';
import type { DatagramSocketLike, SocketLike } from './sockets/socket-io';
import type { SSLOptions, SSLServerOptions } from './tls/options';
import type { SSLTransport } from './tls/ssl-transport';
import { SelectorDatagramTransport } from './transports/datagram-transport';
import type { PipeLike } from './transports/pipe-end';
import type { BaseProtocol, DatagramProtocol } from './transports/protocol';
import type { Attachable } from './transports/selector-transport';
import { SelectorSocketTransport } from './transports/socket-transport';
import type { Transport } from './transports/transport';

/** Options that ask for TLS. */
type WithSSL = { ssl: SSLOptions | true };

/** The event loop. asyncio: SelectorEventLoop. */
export class SelectorEventLoop extends BaseSelectorEventLoop {
  /**
   * Listens, and makes a protocol for each connection. asyncio: create_server.
   * @param host a host, several, or null (or '') for every interface
   * @param port a number; 0 lets the system choose
   * @throws (when awaited) ValueError for arguments that do not fit, OSError (EADDRINUSE, ...)
   */
  createServer(
    protocolFactory: ProtocolFactory,
    host: Hosts = null,
    port: Port = null,
    options: ServeOptions = {},
  ): Coroutine<Server> {
    return new Coroutine(createServer(this, protocolFactory, host, port, options), this);
  }

  /**
   * Connects, makes a protocol and gives [transport, protocol]; with `ssl` once the TLS handshake is done. asyncio:
   * create_connection.
   * @throws (when awaited) ValueError for arguments that do not fit, OSError (ECONNREFUSED, ...), SSLError
   */
  createConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    host: Host,
    port: Port,
    options: ConnectOptions & WithSSL,
  ): Coroutine<Connection<P, SSLTransport>>;
  createConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    host?: Host,
    port?: Port,
    options?: ConnectOptions,
  ): Coroutine<Connection<P>>;
  createConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    host: Host = null,
    port: Port = null,
    options: ConnectOptions = {},
  ): Coroutine<AnyConnection<P>> {
    return new Coroutine(createConnection(this, protocolFactory, host, port, options), this);
  }

  /**
   * Connects to a Unix socket. asyncio: create_unix_connection.
   * @param path a path, or an abstract name with a leading NUL
   * @throws (when awaited) as `createConnection`
   */
  createUnixConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    path: UnixAddress | null,
    options: UnixConnectOptions & WithSSL,
  ): Coroutine<Connection<P, SSLTransport>>;
  createUnixConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    path?: UnixAddress | null,
    options?: UnixConnectOptions,
  ): Coroutine<Connection<P>>;
  createUnixConnection<P extends BaseProtocol>(
    protocolFactory: () => P,
    path: UnixAddress | null = null,
    options: UnixConnectOptions = {},
  ): Coroutine<AnyConnection<P>> {
    return new Coroutine(createUnixConnection(this, protocolFactory, path, options), this);
  }

  /**
   * Listens on a Unix socket. A socket file that is in the way is removed. asyncio: create_unix_server.
   * @throws (when awaited) as `createServer`
   */
  createUnixServer(
    protocolFactory: ProtocolFactory,
    path: UnixAddress | null = null,
    options: UnixServeOptions = {},
  ): Coroutine<Server> {
    return new Coroutine(createUnixServer(this, protocolFactory, path, options), this);
  }

  /** A protocol and a transport for a socket that was accepted elsewhere. asyncio: connect_accepted_socket. */
  connectAcceptedSocket<P extends BaseProtocol>(
    protocolFactory: () => P,
    sock: SocketLike,
    options: SSLServerOptions & { ssl: SSLOptions },
  ): Coroutine<Connection<P, SSLTransport>>;
  connectAcceptedSocket<P extends BaseProtocol>(
    protocolFactory: () => P,
    sock: SocketLike,
    options?: SSLServerOptions,
  ): Coroutine<Connection<P>>;
  connectAcceptedSocket<P extends BaseProtocol>(
    protocolFactory: () => P,
    sock: SocketLike,
    options: SSLServerOptions = {},
  ): Coroutine<AnyConnection<P>> {
    return new Coroutine(connectAcceptedSocket(this, protocolFactory, sock, options), this);
  }

  /**
   * Speaks TLS on a connection from here on, and gives the transport to use instead. The protocol is told nothing: give it
   * the new transport yourself. On failure the connection is closed. asyncio: start_tls.
   * @throws (when awaited) TypeError for a transport that cannot, or no options; ValueError; SSLError, OSError
   */
  startTls(
    transport: Transport,
    protocol: BaseProtocol,
    ssl: SSLOptions,
    options: StartTlsOptions = {},
  ): Coroutine<SSLTransport> {
    return new Coroutine(startTls(this, transport, protocol, ssl, options), this);
  }

  /**
   * Opens a datagram endpoint, bound or connected or both, and gives [transport, protocol]. asyncio:
   * create_datagram_endpoint.
   * @throws (when awaited) TypeError, ValueError for options that do not fit, OSError
   */
  createDatagramEndpoint<P extends DatagramProtocol>(
    protocolFactory: () => P,
    options: DatagramOptions = {},
  ): Coroutine<DatagramEndpoint<P>> {
    return new Coroutine(createDatagramEndpoint(this, protocolFactory, options), this);
  }

  /**
   * Reads from one end of a pipe, from a socket, a terminal or another character device, and gives [transport, protocol].
   * asyncio: connect_read_pipe.
   * @param pipe is the transport's from then on, which closes it; if this throws before there is one, it stays yours
   * @throws (when awaited) TypeError; ValueError for a file or folder; OSError (EBADF); NotImplementedError on Windows
   */
  connectReadPipe<P extends BaseProtocol>(protocolFactory: () => P, pipe: PipeLike): Coroutine<ReadPipe<P>> {
    return new Coroutine(connectReadPipe(this, protocolFactory, pipe), this);
  }

  /**
   * As `connectReadPipe`, for writing. The transport also learns when nobody reads any more, but from a character device;
   * bytes that come back from a socket count as that. asyncio: connect_write_pipe.
   */
  connectWritePipe<P extends BaseProtocol>(protocolFactory: () => P, pipe: PipeLike): Coroutine<WritePipe<P>> {
    return new Coroutine(connectWritePipe(this, protocolFactory, pipe), this);
  }

  // Bare sockets. Each verb tries at once, and waits through the loop if it would block. When awaited they throw OSError,
  // TypeError for what is no socket, RuntimeError (ERR_FD_IN_USE) if they have to wait on a transport's descriptor, and in
  // debug mode ValueError for a blocking socket.

  /** Receives up to `maxBytes` bytes; empty at the end of the stream. asyncio: sock_recv. */
  sockRecv(sock: SockLike, maxBytes: number): Coroutine<Buffer> {
    return new Coroutine(sockRecv(this, sock, maxBytes), this);
  }

  /** Receives into `buffer`; gives the number of bytes, 0 at the end of the stream. asyncio: sock_recv_into. */
  sockRecvInto(sock: SockLike, buffer: Uint8Array): Coroutine<number> {
    return new Coroutine(sockRecvInto(this, sock, buffer), this);
  }

  /** Receives a datagram and its sender. asyncio: sock_recvfrom. */
  sockRecvfrom(sock: SockLike, maxBytes: number): Coroutine<[Buffer, Address | null]> {
    return new Coroutine(sockRecvfrom(this, sock, maxBytes), this);
  }

  /** As `sockRecvfrom`, into `buffer`; gives the number of bytes. 0 for `maxBytes` means all of it. asyncio: sock_recvfrom_into. */
  sockRecvfromInto(sock: SockLike, buffer: Uint8Array, maxBytes = 0): Coroutine<[number, Address | null]> {
    return new Coroutine(sockRecvfromInto(this, sock, buffer, maxBytes), this);
  }

  /** Sends all of `data`. The memory is not copied: leave it alone until then. asyncio: sock_sendall. */
  sockSendall(sock: SockLike, data: Uint8Array): Coroutine<void> {
    return new Coroutine(sockSendall(this, sock, data), this);
  }

  /** Sends a datagram; gives the number of bytes. asyncio: sock_sendto. */
  sockSendto(sock: SockLike, data: Uint8Array, address: Address): Coroutine<number> {
    return new Coroutine(sockSendto(this, sock, data, address), this);
  }

  /**
   * As `socket.recvmsg`. Descriptors in a message that a cancelled wait has taken are closed. Beyond asyncio, as are the next
   * three.
   */
  sockRecvmsg(sock: Socket, bufsize: number, ancbufsize = 0, flags = 0): Coroutine<ReceivedMessage> {
    return new Coroutine(sockRecvmsg(this, sock, bufsize, ancbufsize, flags), this);
  }

  /** As `socket.sendmsg`; gives the number of bytes. */
  sockSendmsg(
    sock: Socket,
    chunks: readonly Uint8Array[],
    ancillary: readonly AncillaryItem[] = [],
    flags = 0,
    address: Address | null = null,
  ): Coroutine<number> {
    return new Coroutine(sockSendmsg(this, sock, chunks, ancillary, flags, address), this);
  }

  /** As `socket.recvFds`. Descriptors that a cancelled wait has taken are closed. */
  sockRecvFds(sock: Socket, maxFds: number, bufsize = 1): Coroutine<ReceivedFds> {
    return new Coroutine(sockRecvFds(this, sock, maxFds, bufsize), this);
  }

  /** Sends all of `data` (one NUL if there is none) over a Unix socket, and the descriptors with its first byte. */
  sockSendFds(sock: Socket, fds: readonly Descriptor[], data: Uint8Array = Buffer.alloc(1)): Coroutine<void> {
    return new Coroutine(sockSendFds(this, sock, fds, data), this);
  }

  /** Connects. asyncio: sock_connect. */
  sockConnect(sock: SocketLike, address: Address): Coroutine<void> {
    return new Coroutine(sockConnect(this, sock, address), this);
  }

  /** Accepts a connection: a non-blocking socket, and the peer's address. asyncio: sock_accept. */
  sockAccept(sock: SocketLike): Coroutine<[Socket, Address | null]> {
    return new Coroutine(sockAccept(this, sock), this);
  }

  /**
   * Sends a file; gives the number of bytes. In the kernel where that can be done, else block by block. The file's position
   * ends behind what was sent. asyncio: sock_sendfile.
   * @param count bytes; null for all up to the end
   * @throws (when awaited) SendfileNotAvailableError without fallback, TypeError, ValueError, OSError
   */
  sockSendfile(
    sock: SockLike,
    file: FileSource,
    offset = 0,
    count: number | null = null,
    options: SendfileOptions = {},
  ): Coroutine<number> {
    return new Coroutine(sockSendfile(this, sock, file, offset, count, options), this);
  }

  /**
   * Sends a file through a transport, behind what was written before; gives the number of bytes. Writing is refused and reading
   * paused meanwhile. asyncio: sendfile.
   * @throws (when awaited) RuntimeError if the transport is closing, cannot, or sends a file already
   * (ERR_SENDFILE_IN_PROGRESS); ConnectionError if it is lost meanwhile; otherwise as `sockSendfile`
   */
  sendfile(
    transport: Transport,
    file: FileSource,
    offset = 0,
    count: number | null = null,
    options: SendfileOptions = {},
  ): Coroutine<number> {
    return new Coroutine(sendfile(this, transport, file, offset, count, options), this);
  }

  /**
   * Every address of a host (null: this machine) and a port or service, from the system's resolver. asyncio: getaddrinfo.
   * @throws (when awaited) GaiError (EAI_NONAME, ...), TypeError, ValueError; RuntimeError (ERR_EXECUTOR_SHUTDOWN)
   */
  getaddrinfo(host: Host, port: Port, options: ResolveOptions = {}): Coroutine<AddressInfo[]> {
    return new Coroutine(getaddrinfo(this, host, port, options), this);
  }

  /**
   * The names of a numeric address: [host, service]. asyncio: getnameinfo.
   * @param flags NI_NUMERICHOST, NI_NAMEREQD, ... of `socketConstants`
   * @throws (when awaited) as `getaddrinfo`
   */
  getnameinfo(address: Address, flags = 0): Coroutine<[host: string, service: string]> {
    return new Coroutine(getnameinfo(this, address, flags), this);
  }

  // Child processes. On Windows these throw NotImplementedError when awaited.

  /**
   * Starts a program, makes a protocol for it, and gives [transport, protocol]. Its standard streams are pipes unless `options`
   * say otherwise. asyncio: subprocess_exec.
   * @param program a file, or a name that is looked for in the PATH of the program's environment
   * @param args what it is given after its own name
   * @throws (when awaited) OSError (ENOENT, EACCES, EMFILE, ...) if it cannot be started; TypeError, ValueError for what makes
   * no sense
   */
  subprocessExec<P extends SubprocessProtocol>(
    protocolFactory: () => P,
    program: CommandText,
    args: readonly CommandText[] = [],
    options: SpawnOptions = {},
  ): Coroutine<Subprocess<P>> {
    return new Coroutine(subprocessExec(this, protocolFactory, program, args, options), this);
  }

  /**
   * Has /bin/sh run a command; otherwise as `subprocessExec`. asyncio: subprocess_shell.
   * @throws (when awaited) as `subprocessExec`
   */
  subprocessShell<P extends SubprocessProtocol>(
    protocolFactory: () => P,
    command: CommandText,
    options: SpawnOptions = {},
  ): Coroutine<Subprocess<P>> {
    return new Coroutine(subprocessShell(this, protocolFactory, command, options), this);
  }

  // Other threads.

  /**
   * Runs `fn(...args)` on another thread, and gives a future of its result. Cancelling the future keeps a call that waits
   * for a thread from being made; one that runs goes on, and its result is dropped. asyncio: run_in_executor.
   * @param executor null for the default one
   * @param fn is sent as text: it must not use variables from around it; see `ExecutorFunction`
   * @throws TypeError for what cannot be sent (ERR_FUNCTION_NOT_SENDABLE, ERR_NOT_CLONEABLE), RuntimeError
   * (ERR_EXECUTOR_SHUTDOWN, ERR_LOOP_CLOSED)
   */
  runInExecutor<A extends unknown[], R>(
    executor: Executor | null,
    fn: ExecutorFunction<A, R>,
    ...args: A
  ): Future<Awaited<R>> {
    return runInExecutor(this, executor, fn, args) as Future<Awaited<R>>;
  }

  /** asyncio: set_default_executor. @throws TypeError for what is no ThreadPoolExecutor */
  setDefaultExecutor(executor: ThreadPoolExecutor): void {
    setDefaultExecutor(this, executor);
  }

  /**
   * Waits until the threads of the default executor have done what they were given, and takes no more.
   * asyncio: shutdown_default_executor.
   * @param timeout seconds to wait, then a warning is given and the threads are left alone; null for no limit
   */
  shutdownDefaultExecutor(timeout: Seconds | null = null): Coroutine<void> {
    return new Coroutine(shutdownDefaultExecutor(this, timeout), this);
  }

  /**
   * Lets other threads call back: post the waker's `handle` to a worker, which calls `wake(handle)`. Then the loop calls
   * `callback(count)` with the number of wakes since the last time. asyncio: call_soon_threadsafe.
   * @throws TypeError if it is no function, RuntimeError (ERR_LOOP_CLOSED)
   */
  createWaker(callback: (count: number) => unknown): Waker {
    return new Waker(this, callback);
  }

  // Signals. They are heard in the main thread only, and not on Windows (NotImplementedError).

  /**
   * Calls `callback(...args)` in the loop each time the signal has come, in the place of what the process does otherwise, such
   * as to die. Listeners of `process.on` hear it as well. A callback that was there is replaced; of several loops, the one that
   * asked last is told. asyncio: add_signal_handler.
   * @param signal a number, or a name such as 'SIGTERM'
   * @throws TypeError for an async function or what is no signal at all, ValueError (ERR_UNKNOWN_SIGNAL); RuntimeError for
   * one that cannot be caught (ERR_SIGNAL_UNCATCHABLE), in a worker (ERR_NOT_MAIN_THREAD), or if the loop is closed
   */
  addSignalHandler<A extends unknown[]>(signal: SignalNumber, callback: (...args: A) => unknown, ...args: A): void {
    this._signals.add(signal, callback, args);
  }

  /**
   * Forgets the callback; the process does again what it did before.
   * @returns whether there was one. asyncio: remove_signal_handler
   * @throws TypeError, ValueError (ERR_UNKNOWN_SIGNAL)
   */
  removeSignalHandler(signal: SignalNumber): boolean {
    return this._signals.remove(signal);
  }

  /** @internal */
  _makeDatagramTransport(
    sock: DatagramSocketLike,
    protocol: DatagramProtocol,
    address: Address | null = null,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
  ): SelectorDatagramTransport {
    this._ensureFdNoTransport(sock);
    return new SelectorDatagramTransport(this, sock, protocol, address, waiter, extra);
  }

  /** @internal */
  _makeSocketTransport(
    sock: SocketLike,
    protocol: BaseProtocol,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
    server: Attachable | null = null,
  ): SelectorSocketTransport {
    this._ensureFdNoTransport(sock);
    return new SelectorSocketTransport(this, sock, protocol, waiter, extra, server);
  }
}

/** A new loop. asyncio: new_event_loop. */
export function newEventLoop(options: SelectorLoopOptions = {}): SelectorEventLoop {
  return new SelectorEventLoop(options);
}

/**
 * Makes `loop` the one that `getEventLoop` gives in this thread while none is running; null forgets it. A run neither sets nor
 * forgets it. asyncio: set_event_loop.
 */
export function setEventLoop(loop: SelectorEventLoop | null): void {
  if (loop !== null && !(loop instanceof SelectorEventLoop)) {
    throw typeError(`an event loop or null is required, not ${describeType(loop)}`);
  }
  _setCurrentLoop(loop);
}

// The rungs below know a part of the loop only; whoever runs one outside of them has all of it.

/**
 * The loop that is running here. asyncio: get_running_loop.
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP) if none is
 */
export const getRunningLoop = runningLoop as () => SelectorEventLoop;

/**
 * The running loop, or else the one that was set. It is also the loop of what is made without one: a future, the task of
 * `ensureFuture`, a `StreamReader`. asyncio: get_event_loop.
 * @throws RuntimeError (ERR_NO_EVENT_LOOP) if there is neither: none is made behind your back
 */
export const getEventLoop = eventLoop as () => SelectorEventLoop;
