// queue.ts: items that go from tasks to tasks. asyncio: queues.Queue, LifoQueue.

import { inspect } from 'node:util';

import { Deque } from '../base/deque';
import { QueueEmpty, QueueFull, QueueShutDown, typeError, ValueError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { Event } from './event';
import { LoopBound, waiterOf, Waiters } from './waiters';

/** What keeps the items of a queue: `shift` says in which order they come out. */
export interface QueueStore<T> extends Iterable<T> {
  readonly length: number;
  push(item: T): void;
  shift(): T | undefined;
}

/** First in, first out, and those who wait are served in the order in which they came. asyncio: Queue. */
export class Queue<T> extends LoopBound {
  /** The most items that it holds; 0 or less: as many as come. */
  readonly maxsize: number;
  readonly #items: QueueStore<T>;
  readonly #getters = new Waiters();
  readonly #putters = new Waiters();
  #unfinishedTasks = 0;
  readonly #finished = new Event();
  #isShutDown = false;

  /**
   * @param maxsize the most items that it holds; 0 or less: as many as come
   * @param items what keeps them, for an order of your own
   * @throws TypeError if `maxsize` is no number
   */
  constructor(maxsize = 0, items: QueueStore<T> = new Deque<T>()) {
    super();
    if (typeof maxsize !== 'number') throw typeError(`a queue's size is a number, not ${inspect(maxsize)}`);
    this.maxsize = maxsize;
    this.#items = items;
    this.#finished.set();
  }

  /** How many items are in it. */
  qsize(): number {
    return this.#items.length;
  }

  empty(): boolean {
    return this.#items.length === 0;
  }

  /** Whether `put` would have to wait; never so without a limit. */
  full(): boolean {
    return this.maxsize > 0 && this.#items.length >= this.maxsize;
  }

  /**
   * Puts an item in, once there is room.
   * @throws (when awaited) QueueShutDown, RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  put(item: T): Coroutine<void> {
    return new Coroutine(this.#putting(item));
  }

  *#putting(item: T): CoroutineGenerator<void> {
    while (this.full() && !this.#isShutDown) yield* this.#wait(this.#putters, () => !this.full());
    this.putNowait(item);
  }

  /** Puts an item in. asyncio: put_nowait. @throws QueueFull, QueueShutDown */
  putNowait(item: T): void {
    if (this.#isShutDown) throw new QueueShutDown('the queue was shut down');
    if (this.full()) throw new QueueFull('the queue is full');
    this.#items.push(item);
    this.#unfinishedTasks += 1;
    this.#finished.clear();
    this.#getters.next();
  }

  /**
   * Takes the next item out, once there is one.
   * @throws (when awaited) QueueShutDown, RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  get(): Coroutine<T> {
    return new Coroutine(this.#getting());
  }

  *#getting(): CoroutineGenerator<T> {
    while (this.empty() && !this.#isShutDown) yield* this.#wait(this.#getters, () => !this.empty());
    return this.getNowait();
  }

  /** Takes the next item out. asyncio: get_nowait. @throws QueueEmpty, QueueShutDown */
  getNowait(): T {
    if (this.empty()) {
      throw this.#isShutDown ? new QueueShutDown('the queue was shut down') : new QueueEmpty('the queue is empty');
    }
    const item = this.#items.shift() as T;
    this.#putters.next();
    return item;
  }

  *#wait(line: Waiters, isPossible: () => boolean): CoroutineGenerator<void> {
    const waiter = waiterOf(this);
    try {
      yield* line.wait(waiter);
    } catch (error) {
      // We had been woken, but cannot use it: the next one can.
      if (isPossible() && !waiter.cancelled()) line.next();
      throw error;
    }
  }

  /**
   * Says that the work on an item that was taken out is done.
   * asyncio: task_done.
   * @throws ValueError (ERR_NO_UNFINISHED_TASK) if called more often than items were put in
   */
  taskDone(): void {
    if (this.#unfinishedTasks === 0) {
      throw new ValueError('taskDone() was called more often than items were put in', 'ERR_NO_UNFINISHED_TASK');
    }
    this.#unfinishedTasks -= 1;
    if (this.#unfinishedTasks === 0) this.#finished.set();
  }

  /** Waits until `taskDone` was called for every item that was put in. @throws (when awaited) as `Event.wait` */
  join(): Coroutine<void> {
    return new Coroutine(this.#joining());
  }

  *#joining(): CoroutineGenerator<void> {
    if (this.#unfinishedTasks > 0) yield* this.#finished.wait();
  }

  /**
   * From now on `put` fails, and `get` too as soon as the queue is empty; who waits in either hears of it.
   * asyncio: shutdown (3.13).
   * @param options.immediate empties the queue at once; its items count as done
   */
  shutdown({ immediate = false }: { immediate?: boolean } = {}): void {
    this.#isShutDown = true;
    if (immediate) {
      while (!this.empty()) {
        this.#items.shift();
        if (this.#unfinishedTasks > 0) this.#unfinishedTasks -= 1;
      }
      if (this.#unfinishedTasks === 0) this.#finished.set();
    }
    this.#getters.wake(Infinity);
    this.#putters.wake(Infinity);
  }

  /** @internal */
  override _state(): string {
    const info = [`maxsize:${this.maxsize}`];
    if (!this.empty()) info.push(`items:${inspect([...this.#items])}`);
    if (this.#getters.size > 0) info.push(`getters:${this.#getters.size}`);
    if (this.#putters.size > 0) info.push(`putters:${this.#putters.size}`);
    if (this.#unfinishedTasks > 0) info.push(`tasks:${this.#unfinishedTasks}`);
    if (this.#isShutDown) info.push('shut down');
    return info.join(', ');
  }
}

class Stack<T> implements QueueStore<T> {
  readonly #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.pop();
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }
}

/** Last in, first out. asyncio: LifoQueue. */
export class LifoQueue<T> extends Queue<T> {
  constructor(maxsize = 0) {
    super(maxsize, new Stack<T>());
  }
}
