// ensure-future.ts: makes a future of whatever can be awaited. asyncio: tasks.ensure_future.

import { inspect } from 'node:util';

import { RuntimeError, typeError, ValueError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { getEventLoop } from './current';
import { closeCoroutine, isCoroutineLike, isPromiseLike, type CoroutineLike } from './coroutine';
import { Future, isFuture } from './future';

/** Anything that the loop can wait for. */
export type Awaitable<T> = CoroutineLike<T> | Future<T> | PromiseLike<T>;

/** What awaiting an `A` gives. */
export type ResultOf<A> = A extends (...args: never[]) => infer R ? Returned<R> : Returned<A>;

type Returned<R> = R extends Generator<unknown, infer T> ? T : R extends PromiseLike<infer T> ? T : R;

/**
 * A future passes through, a coroutine becomes a task, a promise is wrapped. asyncio: ensure_future.
 * @param loop that of `getEventLoop` if left out
 * @throws ValueError for a future of another loop than the one given, TypeError for what cannot be awaited, RuntimeError
 * (ERR_NO_EVENT_LOOP)
 */
export function ensureFuture<T>(awaitable: Awaitable<T>, loop?: BaseEventLoop | null): Future<T> {
  if (isFuture(awaitable)) {
    if (loop !== undefined && loop !== null && awaitable.getLoop() !== loop) {
      throw new ValueError('the future belongs to a different loop than the one given', 'ERR_DIFFERENT_LOOP');
    }
    return awaitable;
  }
  if (isCoroutineLike(awaitable)) return taskOf(awaitable, loop ?? null);
  if (isPromiseLike(awaitable)) return wrapPromise(awaitable, loop);
  throw typeError(`a future, a coroutine or a promise is required, not ${inspect(awaitable, { depth: 0 })}`);
}

function taskOf<T>(coroutine: CoroutineLike<T>, loop: BaseEventLoop | null): Future<T> {
  try {
    return (loop ?? getEventLoop()).createTask(coroutine);
  } catch (error) {
    if (error instanceof RuntimeError) closeCoroutine(coroutine);
    throw error;
  }
}

/**
 * A future that ends as a promise does, through the loop's ready queue. A task that waits for it can be cancelled at
 * once; one that awaits the promise itself only at its next await of something of the loop's. A future is given back as it
 * is. asyncio: wrap_future.
 * @param promise the promise, or a function that makes it: its AbortSignal is aborted when the future is cancelled
 * @throws TypeError for what is no promise and makes none, RuntimeError (ERR_NO_EVENT_LOOP)
 */
export function wrapPromise<T>(
  promise: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>),
  loop?: BaseEventLoop | null,
): Future<T> {
  if (isFuture(promise)) return promise as Future<T>;
  const target = loop ?? getEventLoop();
  const future = new Future<T>(target);
  const settle = (apply: () => void): void => {
    if (!target.isClosed()) target.callSoonThreadsafe(() => (future.done() ? undefined : apply()));
  };
  abortable(promise, future).then(
    (value) => settle(() => future.setResult(value)),
    (reason: unknown) => settle(() => future._fail(reason)),
  );
  return future;
}

function abortable<T>(
  promise: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>),
  future: Future<T>,
): PromiseLike<T> {
  if (typeof promise !== 'function') return checkPromise(promise);
  const controller = new AbortController();
  future.addDoneCallback(() => {
    if (future.cancelled()) controller.abort(future._makeCancelledError());
  });
  return checkPromise(promise(controller.signal));
}

function checkPromise<T>(value: PromiseLike<T>): PromiseLike<T> {
  if (!isPromiseLike(value)) throw typeError(`a promise is required, not ${inspect(value, { depth: 0 })}`);
  return value;
}
