// staggered-race.ts: attempts that start one after the other until one succeeds. asyncio: staggered.py. Happy eyeballs
// (network/) is its customer.

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { isFatal, TimeoutError, typeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { runBody } from './body';
import { Coroutine, type CoroutineFunction } from './coroutine';
import { currentTask, getRunningLoop } from './current';
import type { CoroutineGenerator } from './frame';
import { _setResultUnlessCancelled, Future } from './future';
import { checkDelay } from './sleep';
import type { Task } from './task';
import { wait } from './wait';
import { waitFor } from './wait-for';

/** The winner's result and its place (null: nobody won), and for each attempt that started its exception, or null. */
export type StaggeredRaceResult<T> = [result: T | null, index: number | null, exceptions: unknown[]];

/**
 * Starts an attempt whenever the one before it has failed, or `delay` seconds after it has started; null: only when it
 * has failed. The first that succeeds wins, and the others are cancelled and waited for. asyncio: staggered_race.
 * @param attempts functions, called one by one as they start; an iterator is not asked for more than are needed
 * @throws (when awaited) TypeError for what is no list, TypeError and ValueError (NaN) for the delay, what the iterator throws; no failure of an attempt
 */
export function staggeredRace<T>(
  attempts: Iterable<CoroutineFunction<T>>,
  delay: Seconds | null,
  loop?: BaseEventLoop,
): Coroutine<StaggeredRaceResult<T>> {
  return new Coroutine(racing(attempts, delay, loop ?? null), loop ?? null);
}

function* racing<T>(
  attempts: Iterable<CoroutineFunction<T>>,
  delay: Seconds | null,
  given: BaseEventLoop | null,
): CoroutineGenerator<StaggeredRaceResult<T>> {
  if (typeof (attempts as Partial<typeof attempts> | null | undefined)?.[Symbol.iterator] !== 'function') {
    throw typeError(`staggeredRace takes a list of functions, not ${inspect(attempts, { depth: 0 })}`);
  }
  if (delay !== null) checkDelay(delay);
  const loop = given ?? getRunningLoop();
  const starting = attempts[Symbol.iterator]();
  const tasks: Task[] = [];
  const outcome: StaggeredRaceResult<T> = [null, null, []];

  function* attempt(previousFailed: Future<void> | null): CoroutineGenerator<void> {
    if (previousFailed !== null) {
      try {
        // A coroutine and not the future itself: without a delay it has its own task, as in asyncio, which costs iterations.
        yield* waitFor(untilDone(previousFailed), delay);
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
    const next = starting.next();
    if (next.done === true) return;
    const own = currentTask(loop) as Task;
    const index = outcome[2].push(null) - 1;
    const failed = new Future<void>(loop);
    tasks.push(loop.createTask(attempt(failed)));
    let result: T;
    try {
      result = yield* runBody<T>(own, next.value);
    } catch (error) {
      if (isFatal(error)) throw error;
      outcome[2][index] = error;
      _setResultUnlessCancelled(failed, undefined);
      return;
    }
    // A loser may still succeed before its cancellation reaches it: the first one counts.
    if (outcome[1] !== null) return;
    outcome[0] = result;
    outcome[1] = index;
    for (const task of tasks) if (task !== own) task.cancel();
  }

  tasks.push(loop.createTask(attempt(null)));
  try {
    for (let finished = 0; finished < tasks.length;) {
      const { done } = yield* wait(tasks);
      finished = done.size;
      // What failed is no attempt: the iterator, say.
      for (const task of done) if (!task.cancelled()) task.result();
    }
    return outcome;
  } finally {
    for (const task of tasks) task.cancel();
  }
}

function* untilDone(future: Future<void>): CoroutineGenerator<void> {
  yield* future;
}
