// stream-reader-protocol.ts: the protocol that feeds a reader and tells a writer when to wait. asyncio:
// streams.StreamReaderProtocol, FlowControlMixin.

import { inspect } from 'node:util';

import { Coroutine, isAsyncFunction, isGenerator, isPromiseLike } from '../futures/coroutine';
import { getEventLoop } from '../futures/current';
import { wrapPromise } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { Protocol } from '../transports/protocol';
import type { BaseTransport, Transport } from '../transports/transport';
import type { StreamReader } from './stream-reader';
import { StreamWriter } from './stream-writer';
import { settleClosed, WriteGate, type WriterProtocol } from './write-gate';

/** What a server calls for each connection: plain, or a coroutine function, which becomes a task. */
export type ClientConnected = (reader: StreamReader, writer: StreamWriter) => unknown;

/** Between a transport and a reader and writer. asyncio: StreamReaderProtocol. */
export class StreamReaderProtocol extends Protocol implements WriterProtocol {
  readonly #loop: BaseEventLoop;
  // A client's streams are held by the user alone: dropped, they are closed. A server's are held until it has them.
  #reader: WeakRef<StreamReader> | null;
  #strongReader: StreamReader | null;
  #writer: StreamWriter | null = null;
  readonly #clientConnected: ClientConnected | null;
  #overTls = false;
  readonly #gate: WriteGate;
  /** Done when the connection is gone. @internal */
  readonly _closed: Future<void>;

  /**
   * @param clientConnected for a server: called with the reader and a writer for each connection
   * @param loop that of `getEventLoop` if left out
   */
  constructor(reader: StreamReader, clientConnected: ClientConnected | null = null, loop: BaseEventLoop | null = null) {
    super();
    this.#loop = loop ?? getEventLoop();
    this.#reader = new WeakRef(reader);
    this.#strongReader = clientConnected === null ? null : reader;
    this.#clientConnected = clientConnected;
    this.#gate = new WriteGate(this.#loop, this);
    this._closed = new Future<void>(this.#loop);
  }

  /** @internal */
  get _isServerSide(): boolean {
    return this.#clientConnected !== null;
  }

  override connectionMade(transport: BaseTransport): void {
    const reader = this.#strongReader ?? this.#reader?.deref() ?? null;
    this.#overTls = transport.getExtraInfo('sslcontext') !== null;
    reader?.setTransport(transport as Transport);
    if (this.#clientConnected === null || reader === null) return;
    this.#writer = new StreamWriter(transport as Transport, this, reader, this.#loop);
    this.#strongReader = null;
    this.#tellClient(this.#clientConnected, transport as Transport, reader, this.#writer);
  }

  #tellClient(told: ClientConnected, transport: Transport, reader: StreamReader, writer: StreamWriter): void {
    const loop = this.#loop;
    // An async function would begin when it is called; a task begins it in its own time.
    const result = isAsyncFunction(told) ? () => told(reader, writer) : told(reader, writer);
    let task: Future<unknown>;
    if (isAsyncFunction(told) || result instanceof Coroutine || isGenerator(result)) {
      task = loop.createTask(result as () => unknown);
    } else if (isPromiseLike(result)) task = wrapPromise(result, loop);
    else return;
    task.addDoneCallback(() => {
      const error = task.exception();
      // `null` can be thrown.
      if (error === null && !task._failed) return;
      const message = 'Unhandled exception in the callback of a connected client';
      loop.callExceptionHandler({ message, exception: error, transport });
      transport.close();
    });
  }

  /** After an upgrade to TLS. @internal */
  _replaceWriter(writer: StreamWriter): void {
    this.#writer = writer;
    this.#overTls = writer.getExtraInfo('sslcontext') !== null;
  }

  override dataReceived(data: Buffer): void {
    this.#reader?.deref()?.feedData(data);
  }

  override eofReceived(): boolean {
    this.#reader?.deref()?.feedEof();
    // TLS cannot stay open for writing alone, and would say so.
    return !this.#overTls;
  }

  override connectionLost(error: unknown): void {
    const reader = this.#reader?.deref();
    if (error === null) reader?.feedEof();
    else reader?.setException(error);
    settleClosed(this._closed, error);
    this.#gate.lose(error);
    this.#reader = null;
    this.#writer = null;
  }

  override pauseWriting(): void {
    this.#gate.pause();
  }

  override resumeWriting(): void {
    this.#gate.resume();
  }

  /** @internal */
  _drain(): CoroutineGenerator<void> {
    return this.#gate.drain();
  }

  [inspect.custom](): string {
    return `<StreamReaderProtocol${this.#gate.isPaused ? ' paused' : ''}>`;
  }
}
