// as-completed.ts: results in the order in which they come. asyncio: tasks.as_completed.

import type { Seconds } from '../base/constants';
import { TimeoutError } from '../base/errors';
import { Deque } from '../base/deque';
import { Coroutine } from './coroutine';
import { getEventLoop, getRunningLoop } from './current';
import { ensureFuture, type Awaitable, type ResultOf } from './ensure-future';
import type { CoroutineGenerator } from './frame';
import { Future } from './future';
import { checkList } from './gather';
import { checkDelay } from './sleep';

export interface AsCompletedOptions {
  /** Seconds from the first item on; null or left out: without limit. */
  timeout?: Seconds | null;
}

/** First come, first served: futures that are done, and null for each that was not in time. asyncio uses a Queue. */
class Arrivals<T> {
  readonly #items = new Deque<Future<T> | null>();
  readonly #getters = new Deque<Future<void>>();

  put(item: Future<T> | null): void {
    this.#items.push(item);
    this.#wakeNext();
  }

  *get(): CoroutineGenerator<Future<T> | null> {
    while (this.#items.length === 0) {
      const getter = new Future<void>(getRunningLoop());
      this.#getters.push(getter);
      try {
        yield* getter;
      } catch (error) {
        // Woken and cancelled at once: the item is for the next one.
        if (this.#items.length > 0 && !getter.cancelled()) this.#wakeNext();
        throw error;
      }
    }
    return this.#items.shift() as Future<T> | null;
  }

  #wakeNext(): void {
    for (let getter = this.#getters.shift(); getter !== undefined; getter = this.#getters.shift()) {
      if (getter.done()) continue;
      getter.setResult(undefined);
      return;
    }
  }
}

/**
 * Coroutines, each of which gives the next result that comes: `for (const next of asCompleted(list)) await next`.
 * Nothing starts, and nothing is checked, before the first item is taken. When the time is up the items that are left
 * throw TimeoutError; nothing is cancelled. asyncio: as_completed.
 * @param awaitables one future in several places counts once; a function is called for each place
 * @throws (with the first item) TypeError for a single awaitable or what cannot be awaited
 */
export function* asCompleted<A extends Awaitable<unknown>>(
  awaitables: Iterable<A>,
  { timeout = null }: AsCompletedOptions = {},
): Generator<Coroutine<ResultOf<A>>, void, undefined> {
  checkList(awaitables, 'asCompleted');
  if (timeout !== null) checkDelay(timeout);
  const loop = getEventLoop();
  const list = [...awaitables];
  const distinct = list.filter((item, index) => typeof item === 'function' || list.indexOf(item) === index);
  const left = new Set(distinct.map((item) => ensureFuture(item as Awaitable<ResultOf<A>>, loop)));
  const arrivals = new Arrivals<ResultOf<A>>();
  const count = left.size;

  const onDone = (future: Future<ResultOf<A>>): void => {
    if (!left.delete(future)) return;
    arrivals.put(future);
    if (left.size === 0) timer?.cancel();
  };
  const onTimeout = (): void => {
    for (const future of left) {
      future.removeDoneCallback(onDone);
      arrivals.put(null);
    }
    left.clear();
  };
  for (const future of left) future.addDoneCallback(onDone);
  const timer = count > 0 && timeout !== null ? loop.callLater(timeout, onTimeout) : null;
  for (let index = 0; index < count; index++) yield new Coroutine(nextOf(arrivals), loop);
}

function* nextOf<T>(arrivals: Arrivals<T>): CoroutineGenerator<T> {
  const future = yield* arrivals.get();
  if (future === null) throw new TimeoutError();
  return future.result();
}
