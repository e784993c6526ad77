// server.ts: listening sockets and the connections they brought. asyncio: base_events.Server.

import { inspect } from 'node:util';

import { AssertionError, isCancelled, RuntimeError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import type { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { Socket } from '../sockets/socket';
import type { SSLSettings } from '../tls/options';
import type { BaseProtocol } from '../transports/protocol';
import type { SelectorTransport } from '../transports/selector-transport';
import { TransportSocket } from '../transports/transport-socket';
import { startAccepting, stopAccepting } from './accept';

export type ProtocolFactory<P extends BaseProtocol = BaseProtocol> = () => P;

export class Server {
  /** @internal */ readonly _loop: BaseSelectorEventLoop;
  /** @internal */ _sockets: Socket[] | null;
  /** @internal */ _activeCount = 0;
  /** @internal */ _waiters: Future<void>[] | null = [];
  /** @internal */ readonly _protocolFactory: ProtocolFactory;
  /** @internal */ readonly _backlog: number;
  /** @internal */ readonly _ssl: SSLSettings | null;
  /** @internal */ _serving = false;
  /** @internal */ _serveForeverFuture: Future<void> | null = null;

  constructor(
    loop: BaseSelectorEventLoop,
    sockets: Socket[],
    protocolFactory: ProtocolFactory,
    backlog: number,
    ssl: SSLSettings | null = null,
  ) {
    this._loop = loop;
    this._sockets = sockets;
    this._protocolFactory = protocolFactory;
    this._backlog = backlog;
    this._ssl = ssl;
  }

  /** @internal */
  _attach(): void {
    if (this._sockets === null) throw new AssertionError('the server is closed');
    this._activeCount += 1;
  }

  /** @internal */
  _detach(): void {
    this._activeCount -= 1;
    if (this._activeCount === 0 && this._sockets === null) this.#wakeUp();
  }

  getLoop(): BaseSelectorEventLoop {
    return this._loop;
  }

  isServing(): boolean {
    return this._serving;
  }

  /** The listening sockets, without the means to read or close them; none after `close`. */
  get sockets(): readonly TransportSocket[] {
    return (this._sockets ?? []).map((socket) => new TransportSocket(socket));
  }

  /** Stops listening. Connections that are there stay open. May be called again. */
  close(): void {
    const sockets = this._sockets;
    if (sockets === null) return;
    this._sockets = null;
    for (const socket of sockets) stopAccepting(this._loop, socket);
    this._serving = false;
    if (this._serveForeverFuture !== null && !this._serveForeverFuture.done()) {
      this._serveForeverFuture.cancel();
      this._serveForeverFuture = null;
    }
    if (this._activeCount === 0) this.#wakeUp();
  }

  /** Closes every connection that it accepted, each after what is buffered is sent. asyncio 3.13: close_clients. */
  closeClients(): void {
    for (const transport of this.#clients()) transport.close();
  }

  /** Ends every connection that it accepted at once. asyncio 3.13: abort_clients. */
  abortClients(): void {
    for (const transport of this.#clients()) transport.abort();
  }

  #clients(): SelectorTransport[] {
    return [...this._loop._transports.values()].filter((transport) => transport._server === this);
  }

  /** Begins to accept connections. May be called again. @throws RuntimeError (ERR_SERVER_CLOSED) */
  startServing(): Coroutine<void> {
    return new Coroutine(this.#startingToServe(), this._loop);
  }

  *#startingToServe(): CoroutineGenerator<void> {
    this._startServing();
    // One iteration, so that the accept loop is entered.
    yield;
  }

  /** As `startServing`, for a verb whose caller has no server yet: if it fails, nobody ever will. @internal */
  *_serveOrClose(): CoroutineGenerator<void> {
    try {
      yield* this.#startingToServe();
    } catch (error) {
      // Differs from asyncio: cancelled here, it would listen for ever (SRV-031).
      this.close();
      throw error;
    }
  }

  /** @internal */
  _startServing(): void {
    // Differs from asyncio: it fails there on no sockets, and counts as serving (SRV-007).
    if (this._sockets === null) throw new RuntimeError(`server ${inspect(this)} is closed`, 'ERR_SERVER_CLOSED');
    if (this._serving) return;
    this._serving = true;
    for (const socket of this._sockets) {
      socket.listen(this._backlog);
      startAccepting(this._loop, socket, this._protocolFactory, this, this._backlog, this._ssl);
    }
  }

  /**
   * Accepts connections until it is cancelled or the server is closed, and then ends with CancelledError.
   * @throws RuntimeError if somebody waits here already (ERR_SERVER_BUSY) or the server is closed (ERR_SERVER_CLOSED)
   */
  serveForever(): Coroutine<void> {
    return new Coroutine(this.#serving(), this._loop);
  }

  *#serving(): CoroutineGenerator<void> {
    if (this._serveForeverFuture !== null) {
      throw new RuntimeError(`server ${inspect(this)} is already being awaited on serveForever()`, 'ERR_SERVER_BUSY');
    }
    if (this._sockets === null) throw new RuntimeError(`server ${inspect(this)} is closed`, 'ERR_SERVER_CLOSED');
    this._startServing();
    this._serveForeverFuture = this._loop.createFuture<void>();
    try {
      yield* this._serveForeverFuture;
    } catch (error) {
      if (isCancelled(error)) {
        this.close();
        yield* this.waitClosed();
      }
      throw error;
    } finally {
      this._serveForeverFuture = null;
    }
  }

  /** Waits until the server is closed and its last connection is lost. */
  waitClosed(): Coroutine<void> {
    return new Coroutine(this.#waitingForTheEnd(), this._loop);
  }

  *#waitingForTheEnd(): CoroutineGenerator<void> {
    if (this._waiters === null) return;
    const waiter = this._loop.createFuture<void>();
    this._waiters.push(waiter);
    yield* waiter;
  }

  #wakeUp(): void {
    const waiters = this._waiters ?? [];
    this._waiters = null;
    for (const waiter of waiters) if (!waiter.done()) waiter.setResult(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.waitClosed();
  }

  [inspect.custom](): string {
    return `<Server sockets=${inspect(this.sockets, { breakLength: Infinity })}>`;
  }
}
