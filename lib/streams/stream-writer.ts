// stream-writer.ts: a transport to write to and await. asyncio: streams.StreamWriter.

import { inspect } from 'node:util';

import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { sleep } from '../futures/sleep';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { startTls, type StartTlsOptions } from '../network/start-tls';
import type { SSLOptions } from '../tls/options';
import type { ExtraInfo } from '../transports/extra-info';
import type { Transport } from '../transports/transport';
import type { StreamReader } from './stream-reader';
import type { WriterProtocol } from './write-gate';

// What a writer leads to, so that a dropped one can close it; nothing here may lead to the writer.
interface Held {
  transport: Transport;
  readonly loop: BaseEventLoop;
}

const dropped = new FinalizationRegistry<Held>(({ transport, loop }) => {
  if (transport.isClosing()) return;
  const isOver = loop.isClosed();
  process.emitWarning(isOver ? 'a stream was left open and its loop is closed' : 'unclosed stream', 'ResourceWarning');
  if (!isOver) transport.close();
});

/**
 * Writes to a connection. When it and its reader are dropped without `close`, the connection is closed, some time, with a
 * ResourceWarning.
 * asyncio: StreamWriter.
 */
export class StreamWriter {
  readonly #held: Held;
  readonly #protocol: WriterProtocol;
  readonly #reader: StreamReader | null;

  /** @param reader whose error `drain` throws; null if there is none */
  constructor(transport: Transport, protocol: WriterProtocol, reader: StreamReader | null, loop: BaseEventLoop) {
    this.#held = { transport, loop };
    this.#protocol = protocol;
    this.#reader = reader;
    dropped.register(this, this.#held);
  }

  /** The transport; another one after `startTls`. */
  get transport(): Transport {
    return this.#held.transport;
  }

  /** As `Transport.write`. Follow it with `await writer.drain()`. */
  write(data: Uint8Array): void {
    this.transport.write(data);
  }

  /** As `Transport.writelines`. */
  writelines(chunks: Iterable<Uint8Array>): void {
    this.transport.writelines(chunks);
  }

  /** As `Transport.writeEof`. asyncio: write_eof. */
  writeEof(): void {
    this.transport.writeEof();
  }

  /** asyncio: can_write_eof. */
  canWriteEof(): boolean {
    return this.transport.canWriteEof();
  }

  /** Ends the connection once everything is written; `waitClosed` waits for it. */
  close(): void {
    this.transport.close();
  }

  /** asyncio: is_closing. */
  isClosing(): boolean {
    return this.transport.isClosing();
  }

  /** As of the transport. asyncio: get_extra_info. */
  getExtraInfo<N extends keyof ExtraInfo>(name: N): ExtraInfo[N] | null;
  getExtraInfo<T = unknown>(name: string, fallback?: T | null): T | null;
  getExtraInfo<T>(name: string, fallback: T | null = null): T | null {
    return this.transport.getExtraInfo(name, fallback);
  }

  /** Waits until the connection is gone. asyncio: wait_closed. @throws (when awaited) the error with which it was lost */
  waitClosed(): Coroutine<void> {
    return new Coroutine(this.#waitClosed(), this.#held.loop);
  }

  *#waitClosed(): CoroutineGenerator<void> {
    yield* this.#protocol._closed;
  }

  /**
   * Waits, if the transport has asked to pause, until it can take more: not until all is sent.
   * @throws (when awaited) the reader's error; ConnectionResetError when the connection is gone
   */
  drain(): Coroutine<void> {
    return new Coroutine(this.#drain(), this.#held.loop);
  }

  *#drain(): CoroutineGenerator<void> {
    const error = this.#reader?.exception() ?? null;
    if (error !== null) throw error as Error;
    // So that connectionLost is heard of by whoever writes and drains in a loop.
    if (this.isClosing()) yield* sleep(0);
    yield* this.#protocol._drain();
  }

  /**
   * Speaks TLS from here on, as the server if this is a server's stream. asyncio: start_tls.
   * @throws (when awaited) as `drain` and `loop.startTls`
   */
  startTls(ssl: SSLOptions, options: Omit<StartTlsOptions, 'serverSide'> = {}): Coroutine<void> {
    return new Coroutine(this.#startTls(ssl, options), this.#held.loop);
  }

  *#startTls(ssl: SSLOptions, options: Omit<StartTlsOptions, 'serverSide'>): CoroutineGenerator<void> {
    const protocol = this.#protocol;
    const loop = this.#held.loop as BaseSelectorEventLoop;
    const serverSide = protocol._isServerSide ?? false;
    yield* this.#drain();
    this.#held.transport = yield* startTls(loop, this.transport, protocol, ssl, { ...options, serverSide });
    protocol._replaceWriter?.(this);
  }

  [inspect.custom](): string {
    const reader = this.#reader === null ? '' : ` reader=${inspect(this.#reader)}`;
    return `<StreamWriter transport=${inspect(this.transport)}${reader}>`;
  }
}
