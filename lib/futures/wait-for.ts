// wait-for.ts: one awaitable with a limit of time. asyncio: tasks.wait_for.

import type { Seconds } from '../base/constants';
import { isCancelled, RuntimeError } from '../base/errors';
import { awaitIn } from './body';
import { Coroutine } from './coroutine';
import { currentTask } from './current';
import { ensureFuture, type Awaitable } from './ensure-future';
import type { CoroutineGenerator } from './frame';
import { checkDelay } from './sleep';
import { timedOut, timeoutAfter } from './timeout';
import { cancelAndWait } from './wait';

/**
 * Waits for `awaitable`, in the current task, for at most `timeout` seconds; then cancels it, waits until it has ended,
 * and throws TimeoutError. It may end otherwise than by the cancellation, and then that is the outcome. null: without
 * limit; zero or less: what is not done already is cancelled, and a coroutine does not start. asyncio: wait_for.
 * @throws (when awaited) TimeoutError, what `awaitable` throws, TypeError and ValueError (NaN) for the timeout
 */
export function waitFor<T>(awaitable: Awaitable<T>, timeout: Seconds | null): Coroutine<T> {
  return new Coroutine(waitingFor(awaitable, timeout));
}

function* waitingFor<T>(awaitable: Awaitable<T>, timeout: Seconds | null): CoroutineGenerator<T> {
  if (timeout !== null) checkDelay(timeout);
  if (timeout !== null && timeout <= 0) {
    const future = ensureFuture(awaitable);
    if (future.done()) return future.result();
    yield* cancelAndWait(future);
    try {
      return future.result();
    } catch (error) {
      throw isCancelled(error) ? timedOut(error) : error;
    }
  }
  const task = currentTask();
  if (task === null) throw new RuntimeError('waitFor is for use inside a task', 'ERR_NO_TASK');
  return yield* timeoutAfter(timeout)._run<T>(() => awaitIn(task, awaitable));
}
