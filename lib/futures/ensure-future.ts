// ensure-future.ts: makes a future of whatever can be awaited. asyncio: tasks.ensure_future.

import { inspect } from 'node:util';

import { typeError, ValueError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { getRunningLoop } from './current';
import { Future, isFuture } from './future';
import { isCoroutineLike, type CoroutineLike } from './task';

/** Anything that the loop can wait for. */
export type Awaitable<T> = CoroutineLike<T> | Future<T> | PromiseLike<T>;

/**
 * A future passes through, a coroutine becomes a task, a promise is wrapped. asyncio: ensure_future.
 * @throws ValueError for a future of another loop than the one given, TypeError for what cannot be awaited
 */
export function ensureFuture<T>(awaitable: Awaitable<T>, loop?: BaseEventLoop | null): Future<T> {
  if (isFuture(awaitable)) {
    if (loop !== undefined && loop !== null && awaitable._loop !== loop) {
      throw new ValueError('the future belongs to a different loop than the one given', 'ERR_DIFFERENT_LOOP');
    }
    return awaitable;
  }
  if (isCoroutineLike(awaitable)) return (loop ?? getRunningLoop()).createTask(awaitable);
  if (typeof (awaitable as PromiseLike<T> | null | undefined)?.then === 'function') {
    return wrapPromise(awaitable, loop);
  }
  throw typeError(`a future, a coroutine or a promise is required, not ${inspect(awaitable, { depth: 0 })}`);
}

/**
 * A future that ends as `promise` does, through the loop's ready queue. A task that waits for it can be cancelled at once;
 * one that awaits the promise itself only at its next await of something of the loop's.
 */
export function wrapPromise<T>(promise: PromiseLike<T>, loop?: BaseEventLoop | null): Future<T> {
  const target = loop ?? getRunningLoop();
  const future = new Future<T>(target);
  const settle = (apply: () => void): void => {
    if (!target.isClosed()) target.callSoonThreadsafe(() => (future.done() ? undefined : apply()));
  };
  promise.then(
    (value) => settle(() => future.setResult(value)),
    (reason: unknown) => settle(() => future._fail(reason)),
  );
  return future;
}
