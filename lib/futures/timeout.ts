// timeout.ts: a limit of time around a piece of a coroutine. asyncio: timeouts.py.
//
//   created --run--> active --deadline--> expiring --end of the body--> expired
//                       +---------------- end of the body ------------> finished

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { isCancelled, RuntimeError, TimeoutError } from '../base/errors';
import type { Handle } from '../loop/handle';
import { checkBody, runBody, takeBackCancel } from './body';
import { Coroutine, type CoroutineFunction } from './coroutine';
import { currentTask, getRunningLoop } from './current';
import type { CoroutineGenerator } from './frame';
import { checkDelay } from './sleep';
import type { Task } from './task';

type TimeoutState = 'created' | 'active' | 'expiring' | 'expired' | 'finished';

/** A deadline for the body that `run` is given. asyncio: Timeout. */
export class Timeout {
  /** @internal */ _state: TimeoutState = 'created';
  /** @internal */ _when: Seconds | null;
  /** @internal */ _timeoutHandler: Handle | null = null;
  /** @internal */ _task: Task | null = null;
  /** @internal */ _cancelling = 0;

  /** @param when the deadline on the loop's clock, in seconds; null: none yet */
  constructor(when: Seconds | null) {
    if (when !== null) checkDelay(when);
    this._when = when;
  }

  /**
   * Runs `body` in the current task. When the deadline comes first, the body gets a CancelledError where it waits, and
   * once it has ended by it, TimeoutError is thrown in its place, with the CancelledError as its cause.
   *
   * A body that waits for a promise which is not the library's cannot be interrupted there (`wrapPromise` helps); if it
   * then ends without having waited for the library again, its result is given up for the TimeoutError.
   * @throws (when awaited) RuntimeError if run twice, or outside of a task; TimeoutError; whatever `body` throws
   */
  run<T>(body: CoroutineFunction<T, [Timeout]>): Coroutine<T> {
    return new Coroutine(this._run(body));
  }

  /** The deadline in seconds, or null. */
  when(): Seconds | null {
    return this._when;
  }

  /**
   * Moves the deadline; one that is past cancels the body in the next iteration. null: no deadline.
   * @throws RuntimeError unless the body is running and was not interrupted yet; ValueError for NaN
   */
  reschedule(when: Seconds | null): void {
    if (this._state !== 'active') {
      throw new RuntimeError(
        this._state === 'created'
          ? 'the timeout has not been entered'
          : `cannot change the deadline of a timeout that is ${this._state}`,
        'ERR_TIMEOUT_STATE',
      );
    }
    if (when !== null) checkDelay(when);
    this._when = when;
    this._timeoutHandler?.cancel();
    this._timeoutHandler = null;
    if (when === null) return;
    const loop = (this._task as Task)._loop;
    this._timeoutHandler =
      when <= loop.time() ? loop.callSoon(() => this._onTimeout()) : loop.callAt(when, () => this._onTimeout());
  }

  /** Whether the deadline came before the end of the body. */
  expired(): boolean {
    return this._state === 'expiring' || this._state === 'expired';
  }

  /** @internal */
  *_run<T>(body: CoroutineFunction<T, [Timeout]>): CoroutineGenerator<T> {
    checkBody(body);
    this._enter();
    let result: T;
    try {
      result = yield* runBody<T>(this._task as Task, body, () => body(this));
    } catch (error) {
      this._exit(true, error);
      throw error;
    }
    this._exit(false, undefined);
    return result;
  }

  /** asyncio: __aenter__. @internal */
  _enter(): void {
    if (this._state !== 'created') throw new RuntimeError('a timeout is entered only once', 'ERR_TIMEOUT_STATE');
    const task = currentTask();
    if (task === null) throw new RuntimeError('a timeout is for use inside a task', 'ERR_NO_TASK');
    this._state = 'active';
    this._task = task;
    this._cancelling = task.cancelling();
    this.reschedule(this._when);
  }

  /** asyncio: __aexit__. @throws TimeoutError in place of the cancellation that the deadline caused @internal */
  _exit(failed: boolean, error: unknown): void {
    this._timeoutHandler?.cancel();
    this._timeoutHandler = null;
    if (this._state !== 'expiring') {
      this._state = 'finished';
      return;
    }
    this._state = 'expired';
    const { left, undelivered } = takeBackCancel(this._task as Task, this._cancelling);
    // Somebody else wants the task to end as well: that goes before.
    if (left > this._cancelling) return;
    if (failed ? isCancelled(error) : undelivered) throw timedOut(error);
  }

  /** @internal */
  _onTimeout(): void {
    (this._task as Task).cancel();
    this._state = 'expiring';
    this._timeoutHandler = null;
  }

  [inspect.custom](): string {
    const when = this._state === 'active' ? ` when=${this._when === null ? null : Number(this._when.toFixed(3))}` : '';
    return `<Timeout [${this._state}]${when}>`;
  }
}

export function timedOut(cause: unknown): TimeoutError {
  return new TimeoutError('timed out', { code: 'ETIMEDOUT', errno: 0, cause });
}

/**
 * Runs `body` in the current task for at most `delay` seconds from its start; null: without limit. asyncio: timeout.
 * @returns what `body` gives
 * @throws (when awaited) as `Timeout.run`; TypeError and ValueError (NaN) for the delay
 */
// Differs from asyncio: takes the body of the `async with` as a function, because `await using` cannot replace an error.
export function timeout<T>(delay: Seconds | null, body: CoroutineFunction<T, [Timeout]>): Coroutine<T> {
  return new Coroutine(timingOut(delay, body));
}

/** As `timeout`, until the time `when` of the loop's clock. asyncio: timeout_at. */
export function timeoutAt<T>(when: Seconds | null, body: CoroutineFunction<T, [Timeout]>): Coroutine<T> {
  return new Timeout(when).run(body);
}

function* timingOut<T>(delay: Seconds | null, body: CoroutineFunction<T, [Timeout]>): CoroutineGenerator<T> {
  return yield* timeoutAfter(delay)._run<T>(body);
}

/** A timeout that comes `delay` seconds from now. */
export function timeoutAfter(delay: Seconds | null): Timeout {
  if (delay !== null) checkDelay(delay);
  return new Timeout(delay === null ? null : getRunningLoop().time() + delay);
}
