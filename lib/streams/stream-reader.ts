// stream-reader.ts: what arrives, for those who prefer to await it. asyncio: streams.StreamReader.

import { inspect } from 'node:util';

import {
  AssertionError,
  IncompleteReadError,
  LimitOverrunError,
  NotImplementedError,
  RuntimeError,
  typeError,
  ValueError,
} from '../base/errors';
import { isBytes } from '../base/bytes';
import { shortTextOf } from '../base/text';
import { Coroutine } from '../futures/coroutine';
import { getEventLoop } from '../futures/current';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { ReadTransport } from '../transports/transport';
import { ByteQueue } from './byte-queue';

/** Bytes that a reader keeps before it pauses its transport are at most twice this, unless told otherwise. */
export const DEFAULT_LIMIT = 64 * 1024;

const NEWLINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);

/** Text stands for its UTF-8 bytes. */
export type Separator = Uint8Array | string;

/** @throws TypeError, ValueError unless the limit is above 0 @internal */
export function checkedLimit(limit: unknown): number {
  if (typeof limit !== 'number') throw typeError(`a limit is a number of bytes, not ${inspect(limit)}`);
  if (!(limit > 0)) throw new ValueError(`a limit is above 0, not ${limit}`);
  return limit;
}

/**
 * Bytes to await. What is read is memory of its own, the caller's to keep. The methods that wait are for one coroutine at a
 * time; when awaited they throw the error with which the connection was lost, as long as there is one, RuntimeError
 * (ERR_ALREADY_WAITING) if another one waits, and CancelledError. asyncio: StreamReader.
 */
export class StreamReader {
  readonly #loop: BaseEventLoop;
  readonly #limit: number;
  readonly #buffer = new ByteQueue();
  #eof = false;
  #waiter: Future<void> | null = null;
  #failure: { error: unknown } | null = null;
  #transport: ReadTransport | null = null;
  #paused = false;
  /**
   * Differs from asyncio: whoever still reads keeps the connection, though JavaScript forgets a variable with the writer as soon as
   * it is used no more (STR-034). @internal
   */
  _writer: unknown = null;

  /**
   * @param limit the longest line, in bytes without its end; reading is paused above twice as much
   * @param loop that of `getEventLoop` if left out
   * @throws TypeError, ValueError unless the limit is above 0; RuntimeError (ERR_NO_EVENT_LOOP)
   */
  constructor({ limit = DEFAULT_LIMIT, loop = null }: { limit?: number; loop?: BaseEventLoop | null } = {}) {
    this.#limit = checkedLimit(limit);
    this.#loop = loop ?? getEventLoop();
  }

  // For the protocol.

  /** The error with which reading ended, or null. */
  exception(): unknown {
    return this.#failure?.error ?? null;
  }

  /** From now on every read throws `error`; one that waits, at once. asyncio: set_exception. */
  setException(error: unknown): void {
    this.#failure = { error };
    const waiter = this.#takeWaiter();
    if (waiter !== null && !waiter.cancelled()) waiter._fail(error);
  }

  /** The transport to pause and resume; once. asyncio: set_transport. @throws AssertionError */
  setTransport(transport: ReadTransport): void {
    if (this.#transport !== null) throw new AssertionError('the reader has a transport already');
    this.#transport = transport;
  }

  /** Nothing more will come. asyncio: feed_eof. */
  feedEof(): void {
    this.#eof = true;
    this.#wake();
  }

  /** Some bytes came, which are kept, not copied. asyncio: feed_data. @throws AssertionError after `feedEof` */
  feedData(data: Uint8Array): void {
    if (this.#eof) throw new AssertionError('feedData() after feedEof()');
    if (data.length === 0) return;
    this.#buffer.push(data);
    this.#wake();
    if (this.#transport === null || this.#paused || this.#buffer.length <= 2 * this.#limit) return;
    try {
      this.#transport.pauseReading();
      this.#paused = true;
    } catch (error) {
      if (!(error instanceof NotImplementedError)) throw error;
      // One that cannot be paused is not asked again.
      this.#transport = null;
    }
  }

  #takeWaiter(): Future<void> | null {
    const waiter = this.#waiter;
    this.#waiter = null;
    return waiter;
  }

  #wake(): void {
    const waiter = this.#takeWaiter();
    if (waiter !== null && !waiter.cancelled()) waiter.setResult(undefined);
  }

  // For the reader of it all.

  /** Whether nothing is left and nothing more will come. asyncio: at_eof. */
  atEof(): boolean {
    return this.#eof && this.#buffer.length === 0;
  }

  /**
   * Up to `count` bytes, as soon as there is one; -1 (or none given): everything up to the end. Empty at the end.
   * @throws TypeError for what is no number
   */
  read(count = -1): Coroutine<Buffer> {
    checkCount(count);
    return new Coroutine(this.#read(count), this.#loop);
  }

  *#read(count: number): CoroutineGenerator<Buffer> {
    this.#throwFailure();
    if (count === 0) return NOTHING;
    if (count < 0) {
      const blocks: Buffer[] = [];
      for (;;) {
        const block = yield* this.#read(this.#limit);
        if (block.length === 0) return Buffer.concat(blocks);
        blocks.push(block);
      }
    }
    if (this.#buffer.length === 0 && !this.#eof) yield* this.#waitForData('read');
    return this.#take(count);
  }

  /**
   * Exactly `count` bytes, however many.
   * @throws (when awaited) IncompleteReadError at the end, with what there was; ValueError for less than 0. TypeError at once
   */
  readexactly(count: number): Coroutine<Buffer> {
    checkCount(count);
    return new Coroutine(this.#readExactly(count), this.#loop);
  }

  *#readExactly(count: number): CoroutineGenerator<Buffer> {
    if (count < 0) throw new ValueError('readexactly() takes a size of 0 or more');
    this.#throwFailure();
    while (this.#buffer.length < count) {
      if (this.#eof) throw new IncompleteReadError(this.#buffer.takeAll(), count);
      yield* this.#waitForData('readexactly');
    }
    return count === 0 ? NOTHING : this.#take(count);
  }

  /**
   * Everything up to the separator, and it; of several the one that ends first.
   * @throws (when awaited) IncompleteReadError at the end, with what there was; LimitOverrunError if it is further away than
   * the limit: then everything stays. ValueError for a separator of no bytes, or none. TypeError at once
   */
  readuntil(separator: Separator | readonly Separator[] = NEWLINE): Coroutine<Buffer> {
    const separators = (Array.isArray(separator) ? separator : [separator]).map(toBytes);
    return new Coroutine(this.#readUntil(separators), this.#loop);
  }

  *#readUntil(separators: readonly Buffer[]): CoroutineGenerator<Buffer> {
    const lengths = separators.map(({ length }) => length);
    if (!(Math.min(...lengths) > 0) || separators.length === 0)
      throw new ValueError('a separator has one byte at least');
    this.#throwFailure();
    const longest = Math.max(...lengths);
    // No separator begins before.
    let searched = 0;
    for (;;) {
      const found = this.#find(separators, searched);
      if (found !== null) {
        if (found.start > this.#limit) {
          throw new LimitOverrunError('the separator is further away than the limit', found.start);
        }
        return this.#take(found.end);
      }
      searched = Math.max(searched, this.#buffer.length + 1 - longest);
      if (searched > this.#limit) {
        throw new LimitOverrunError('no separator within the limit', searched);
      }
      // Only now: what came last may have brought the separator.
      if (this.#eof) throw new IncompleteReadError(this.#buffer.takeAll(), null);
      yield* this.#waitForData('readuntil');
    }
  }

  #find(separators: readonly Buffer[], from: number): { start: number; end: number } | null {
    let first: { start: number; end: number } | null = null;
    for (const separator of separators) {
      const start = this.#buffer.indexOf(separator, from);
      if (start === -1) continue;
      const end = start + separator.length;
      if (first === null || end < first.end || (end === first.end && start > first.start)) first = { start, end };
    }
    return first;
  }

  /**
   * A line with its '\n'; at the end what is left, which may be nothing.
   * @throws (when awaited) ValueError (ERR_LINE_TOO_LONG) for a line longer than the limit, which is dropped; if its end has
   * not come yet, everything that has come is
   */
  readline(): Coroutine<Buffer> {
    return new Coroutine(this.#readLine(), this.#loop);
  }

  *#readLine(): CoroutineGenerator<Buffer> {
    try {
      return yield* this.#readUntil([NEWLINE]);
    } catch (error) {
      if (error instanceof IncompleteReadError) return error.partial;
      if (!(error instanceof LimitOverrunError)) throw error;
      if (this.#buffer.indexOf(NEWLINE, error.consumed) === error.consumed) this.#buffer.take(error.consumed + 1);
      else this.#buffer.clear();
      this.#resumeIfDrained();
      throw new ValueError(error.message, 'ERR_LINE_TOO_LONG');
    }
  }

  /** `for await (const line of reader)`: the lines, to the end. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => new Coroutine(this.#nextLine(), this.#loop) as unknown as Promise<IteratorResult<Buffer>> };
  }

  *#nextLine(): CoroutineGenerator<IteratorResult<Buffer>> {
    const value = yield* this.#readLine();
    return value.length === 0 ? { done: true, value: undefined } : { done: false, value };
  }

  #take(count: number): Buffer {
    const data = this.#buffer.take(count);
    this.#resumeIfDrained();
    return data;
  }

  #resumeIfDrained(): void {
    if (!this.#paused || this.#buffer.length > this.#limit) return;
    this.#paused = false;
    this.#transport?.resumeReading();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  *#waitForData(method: string): CoroutineGenerator<void> {
    if (this.#waiter !== null) {
      throw new RuntimeError(`${method}(): another coroutine is already waiting for data`, 'ERR_ALREADY_WAITING');
    }
    if (this.#paused) {
      // Whoever waits wants more than the limit: nothing would come otherwise.
      this.#paused = false;
      this.#transport?.resumeReading();
    }
    const waiter = new Future<void>(this.#loop);
    this.#waiter = waiter;
    try {
      yield* waiter;
    } finally {
      this.#waiter = null;
    }
  }

  [inspect.custom](): string {
    const info = ['StreamReader'];
    if (this.#buffer.length > 0) info.push(`${this.#buffer.length} bytes`);
    if (this.#eof) info.push('eof');
    if (this.#limit !== DEFAULT_LIMIT) info.push(`limit=${this.#limit}`);
    if (this.#waiter !== null) info.push(`waiter=${inspect(this.#waiter)}`);
    if (this.#failure !== null) info.push(`exception=${shortTextOf(this.#failure.error)}`);
    if (this.#transport !== null) info.push(`transport=${inspect(this.#transport)}`);
    if (this.#paused) info.push('paused');
    return `<${info.join(' ')}>`;
  }
}

function checkCount(count: unknown): void {
  if (typeof count !== 'number' || Number.isNaN(count)) {
    throw typeError(`a size is a number of bytes, not ${inspect(count)}`);
  }
}

function toBytes(separator: unknown): Buffer {
  if (typeof separator === 'string') return Buffer.from(separator);
  if (isBytes(separator)) return Buffer.from(separator);
  throw typeError(`a separator is a string or bytes, not ${inspect(separator)}`);
}
