// gather.ts: several awaitables at once, and their results in order. asyncio: tasks.gather.

import { inspect } from 'node:util';

import { typeError, ValueError } from '../base/errors';
import { checkOptions, type OptionNames } from '../base/options';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { isCoroutineLike } from './coroutine';
import { ensureFuture, type Awaitable, type ResultOf } from './ensure-future';
import { cancelledError, Future, isFuture } from './future';

export interface GatherOptions {
  /** Exceptions and cancellations stand in the list of results instead of failing the whole. */
  returnExceptions?: boolean;
}

const names: OptionNames<GatherOptions> = { returnExceptions: true };

/** The future of a gather: to cancel it is to cancel its children. */
class GatheringFuture<T> extends Future<T> {
  cancelRequested = false;

  constructor(
    private readonly children: readonly Future[],
    loop: BaseEventLoop,
  ) {
    super(loop);
  }

  override cancel(message?: unknown): boolean {
    if (this.done()) return false;
    let accepted = false;
    for (const child of this.children) if (child.cancel(message)) accepted = true;
    // Should a child refuse to end, or end otherwise, the whole is cancelled nevertheless.
    if (accepted) this.cancelRequested = true;
    return accepted;
  }
}

/**
 * Waits for all of them; gives the list of their results, in their order. Without `returnExceptions` the first failure
 * or cancellation is passed on at once, and the others go on. Cancelling the result cancels all that are not done.
 * asyncio: gather.
 * @param awaitables one future in several places is awaited once; a function is called for each place
 * @throws TypeError for what cannot be awaited, ValueError if they belong to different loops, RuntimeError
 * (ERR_NO_EVENT_LOOP) where there is no loop and no future tells which one to use
 */
// Differs from asyncio: takes a list, as `wait` does: options behind a variable number of awaitables could be one of them.
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: GatherOptions & { returnExceptions?: false },
): Future<{ -readonly [K in keyof A]: ResultOf<A[K]> }>;
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: GatherOptions,
): Future<{ -readonly [K in keyof A]: unknown }>;
export function gather(awaitables: Iterable<Awaitable<unknown>>, options: GatherOptions = {}): Future<unknown[]> {
  checkList(awaitables, 'gather');
  checkOptions('gather', options, names);
  const returnExceptions = options.returnExceptions === true;
  const done: Future[] = [];
  let outer: GatheringFuture<unknown[]> | null = null;
  let unfinished = 0;

  const onDone = (child: Future): void => {
    unfinished -= 1;
    // null: a later awaitable was refused, and nobody will ask this one.
    if (outer === null || outer.done()) {
      if (!child.cancelled()) child.exception();
      return;
    }
    if (!returnExceptions) {
      const failure = failureOf(child);
      if (failure !== null) {
        outer._fail(failure.error);
        return;
      }
    }
    if (unfinished > 0) return;
    const results = places.map(outcomeOf);
    if (outer.cancelRequested) outer._fail(places[places.length - 1]._makeCancelledError());
    else outer.setResult(results);
  };
  // Each is listened to as soon as it is there: making the next one may end it, if tasks are eager.
  const places = futuresOf(awaitables, (child) => {
    unfinished += 1;
    if (child.done()) done.push(child);
    else child.addDoneCallback(onDone);
  });
  if (places.length === 0) {
    const empty = new Future<unknown[]>();
    empty.setResult([]);
    return empty;
  }
  outer = new GatheringFuture<unknown[]>([...new Set(places)], places[0].getLoop());
  // Those that were done already count at once: when all were, so is the whole, and awaiting it costs no iteration.
  done.forEach(onDone);
  return outer;
}

/** @throws TypeError for one awaitable in place of a list */
export function checkList(awaitables: unknown, verb: string): void {
  const isList = typeof (awaitables as Iterable<unknown> | null | undefined)?.[Symbol.iterator] === 'function';
  if (!isList || typeof awaitables === 'string' || isFuture(awaitables) || isCoroutineLike(awaitables)) {
    throw typeError(`${verb} takes a list of awaitables, not ${inspect(awaitables, { depth: 0 })}`);
  }
}

/**
 * One future for each place; the same object in two places is the same future, but a function is a new coroutine.
 * @param found called once for each future
 */
function futuresOf(awaitables: Iterable<Awaitable<unknown>>, found: (future: Future) => void): Future[] {
  const known = new Map<unknown, Future>();
  let loop: BaseEventLoop | null = null;
  const futures: Future[] = [];
  for (const awaitable of awaitables) {
    const before = known.get(awaitable);
    const future: Future = before ?? ensureFuture(awaitable, isFuture(awaitable) ? null : loop);
    loop ??= future.getLoop();
    if (future.getLoop() !== loop) {
      throw new ValueError('the futures of a gather belong to different loops', 'ERR_DIFFERENT_LOOP');
    }
    if (before === undefined) found(future);
    if (typeof awaitable !== 'function') known.set(awaitable, future);
    futures.push(future);
  }
  return futures;
}

/** The exception of a done future, a CancelledError if it was cancelled, null for a result. */
function failureOf(future: Future): { error: unknown } | null {
  try {
    future.result();
    return null;
  } catch (error) {
    return { error };
  }
}

/** What stands in the list. A cancelled child keeps its own CancelledError, for whoever awaits it first. */
function outcomeOf(future: Future): unknown {
  if (future.cancelled()) return cancelledError(future._cancelMessage);
  const failure = failureOf(future);
  return failure === null ? future.result() : failure.error;
}
