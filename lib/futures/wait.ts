// wait.ts: waiting for some of several futures. asyncio: tasks.wait.

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { typeError, ValueError } from '../base/errors';
import { checkOptions, type OptionNames } from '../base/options';
import { Coroutine } from './coroutine';
import { getRunningLoop } from './current';
import type { CoroutineGenerator } from './frame';
import { Future, isFuture } from './future';
import { checkList } from './gather';
import { checkDelay } from './sleep';

/** `wait` returns when any future is done. */
export const FIRST_COMPLETED = 'FIRST_COMPLETED';
/** `wait` returns when any future has failed (a cancelled one has not), or all are done. */
export const FIRST_EXCEPTION = 'FIRST_EXCEPTION';
/** `wait` returns when all futures are done. */
export const ALL_COMPLETED = 'ALL_COMPLETED';

export type ReturnWhen = typeof FIRST_COMPLETED | typeof FIRST_EXCEPTION | typeof ALL_COMPLETED;

export interface WaitOptions {
  /** Seconds; null or left out: without limit. */
  timeout?: Seconds | null;
  /** ALL_COMPLETED if left out. */
  returnWhen?: ReturnWhen;
}

const names: OptionNames<WaitOptions> = { timeout: true, returnWhen: true };

/**
 * Waits until the futures have come as far as `returnWhen` says, or the time is up. Raises nothing of what is in them,
 * and cancels none. asyncio: wait.
 * @throws (when awaited) TypeError for a single future and for coroutines and promises (make tasks of them, or use
 * wrapPromise), ValueError for an empty list or an unknown `returnWhen`
 */
export function wait<F extends Future>(
  futures: Iterable<F>,
  options: WaitOptions = {},
): Coroutine<{ done: Set<F>; pending: Set<F> }> {
  return new Coroutine(waiting(futures, options));
}

function* waiting<F extends Future>(
  futures: Iterable<F>,
  options: WaitOptions,
): CoroutineGenerator<{ done: Set<F>; pending: Set<F> }> {
  checkList(futures, 'wait');
  checkOptions('wait', options, names);
  const { timeout = null, returnWhen = ALL_COMPLETED } = options;
  const set = new Set(futures);
  if (set.size === 0) throw new ValueError('the list of futures to wait for is empty');
  if (returnWhen !== FIRST_COMPLETED && returnWhen !== FIRST_EXCEPTION && returnWhen !== ALL_COMPLETED) {
    throw new ValueError(`invalid returnWhen: ${inspect(returnWhen)}`);
  }
  for (const future of set) {
    if (!isFuture(future)) throw typeError(`wait takes futures and tasks, not ${inspect(future, { depth: 0 })}`);
  }
  if (timeout !== null) checkDelay(timeout);

  const loop = getRunningLoop();
  const waiter = new Future<void>(loop);
  const release = (): void => {
    if (!waiter.done()) waiter.setResult(undefined);
  };
  const timer = timeout === null ? null : loop.callLater(timeout, release);
  let unfinished = set.size;
  const onDone = (future: Future): void => {
    unfinished -= 1;
    const isEnough =
      unfinished <= 0 ||
      returnWhen === FIRST_COMPLETED ||
      (returnWhen === FIRST_EXCEPTION && !future.cancelled() && (future.exception() !== null || future._failed));
    if (!isEnough) return;
    timer?.cancel();
    release();
  };
  for (const future of set) future.addDoneCallback(onDone);
  try {
    yield* waiter;
  } finally {
    timer?.cancel();
    for (const future of set) future.removeDoneCallback(onDone);
  }

  const done = new Set<F>();
  const pending = new Set<F>();
  for (const future of set) (future.done() ? done : pending).add(future);
  return { done, pending };
}

/** Cancels a future and waits until it has ended, however it does. asyncio: _cancel_and_wait. */
export function* cancelAndWait(future: Future, message?: unknown): CoroutineGenerator<void> {
  const waiter = new Future<void>(future.getLoop());
  const release = (): void => {
    if (!waiter.done()) waiter.setResult(undefined);
  };
  future.addDoneCallback(release);
  try {
    future.cancel(message);
    yield* waiter;
  } finally {
    future.removeDoneCallback(release);
  }
}
