// future.ts: a result that is not there yet. asyncio: futures.py. What waits for it (tasks) is in task.ts; a future
// knows its waiters only as callbacks. It is a thenable and no Promise: `await future` calls our `then`, which is how a
// task learns what it waits for, and a rejected future never is an unhandled rejection.

import { inspect } from 'node:util';

import { CancelledError, InvalidStateError, typeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { awaitingTask, getRunningLoop } from './current';
import { resumeFrame, type Frame } from './frame';
import type { Task } from './task';

/** What a generator task may yield: a future to wait for, or nothing to give way for one iteration. */
export type Awaited = Future<unknown> | undefined | void;

export type DoneCallback<T> = (future: Future<T>) => unknown;

// Of whatever result type: a future of a T is a future of an unknown.
type AnyCallback = (future: never) => unknown;

const enum State {
  Pending,
  Cancelled,
  Finished,
}

const stateNames = ['pending', 'cancelled', 'finished'];

// A future that dies with an exception nobody looked at is reported (FUT-012). The future itself cannot be seen any more
// then, so the report is made of what it leaves behind.
const unretrieved = new FinalizationRegistry<{ loop: BaseEventLoop; message: string; exception: unknown }>((left) => {
  left.loop.callExceptionHandler({ message: left.message, exception: left.exception });
});

/** A result that will be set later. asyncio: Future. */
export class Future<T = unknown> implements PromiseLike<T> {
  /** @internal */ readonly _loop: BaseEventLoop;
  /** @internal */ _state: State = State.Pending;
  /** @internal */ _result: T | undefined = undefined;
  /** @internal */ _failed = false;
  /** @internal */ _exception: unknown = undefined;
  /** @internal */ _cancelMessage: unknown = undefined;
  /** @internal */ _cancelledError: CancelledError | null = null;
  /** @internal */ _callbacks: (AnyCallback | Frame)[] | null = null;
  /** @internal */ _logTraceback = false;

  /** @param loop the loop that calls the callbacks; the running one if left out */
  constructor(loop?: BaseEventLoop | null) {
    this._loop = loop ?? getRunningLoop();
  }

  /** The loop that this future belongs to. */
  getLoop(): BaseEventLoop {
    return this._loop;
  }

  done(): boolean {
    return this._state !== State.Pending;
  }

  cancelled(): boolean {
    return this._state === State.Cancelled;
  }

  /**
   * The result.
   * @throws the exception that was set, CancelledError if cancelled, InvalidStateError if pending
   */
  result(): T {
    if (this._state === State.Finished) {
      if (!this._failed) return this._result as T;
      this._retrieve();
      throw this._exception;
    }
    if (this._state === State.Cancelled) throw this._makeCancelledError();
    throw new InvalidStateError('Result is not set: the future is pending');
  }

  /**
   * The exception that was set, or null.
   * @throws CancelledError if cancelled, InvalidStateError if pending
   */
  exception(): unknown {
    if (this._state === State.Cancelled) throw this._makeCancelledError();
    if (this._state === State.Pending) throw new InvalidStateError('Exception is not set: the future is pending');
    if (!this._failed) return null;
    this._retrieve();
    return this._exception;
  }

  /** @throws InvalidStateError if already done */
  setResult(result: T): void {
    if (this._state !== State.Pending) throw this.#alreadyDone();
    this._result = result;
    this._state = State.Finished;
    this._scheduleCallbacks();
  }

  /**
   * Ends the future with an exception: an Error, or a class of errors, of which one is made.
   * @throws InvalidStateError if already done, TypeError if it is neither
   */
  setException(exception: unknown): void {
    if (this._state !== State.Pending) throw this.#alreadyDone();
    this._fail(exceptionOf(exception));
  }

  /**
   * Cancels a pending future: its callbacks are scheduled, those who await it get a CancelledError.
   * @returns false if it was already done
   */
  cancel(message?: unknown): boolean {
    if (this._logTraceback) this._retrieve();
    if (this._state !== State.Pending) return false;
    this._cancelMessage = message;
    this._state = State.Cancelled;
    this._scheduleCallbacks();
    return true;
  }

  /** Calls `callback(future)` through the loop once done; in the next iteration if it is done already. */
  addDoneCallback(callback: DoneCallback<T>): void {
    if (typeof callback !== 'function') throw typeError(`a callable is required, not ${inspect(callback)}`);
    if (this._state !== State.Pending) this._loop.callSoon(callback, this as never);
    else (this._callbacks ??= []).push(callback);
  }

  /** @returns how many times the callback had been added */
  removeDoneCallback(callback: DoneCallback<T>): number {
    const callbacks = this._callbacks;
    if (callbacks === null) return 0;
    const kept = callbacks.filter((entry) => entry !== callback);
    this._callbacks = kept;
    return callbacks.length - kept.length;
  }

  /**
   * What `await` calls. A done future answers at once; a pending one makes the current task wait for it.
   * Outside of any task the handlers are called from a done callback.
   */
  then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return new Promise<R | E>((resolve, reject) => {
      const ok = (value: unknown): void => settle(onFulfilled, value, resolve, reject, false);
      const fail = (reason: unknown): void => settle(onRejected, reason, resolve, reject, true);
      this._await(ok, fail);
    });
  }

  /** @internal */
  _await(ok: (value: unknown) => void, fail: (reason: unknown) => void): void {
    if (this._state !== State.Pending) {
      this._deliver(ok, fail);
      return;
    }
    const task: Task | null = awaitingTask(this._loop);
    if (task === null) this.addDoneCallback(() => this._deliver(ok, fail));
    else task._awaitThenable(this, ok, fail);
  }

  /** `yield* future` in a generator: waits unless done, then gives the result or throws. */
  *[Symbol.iterator](): Generator<Awaited, T, unknown> {
    if (this._state === State.Pending) yield this;
    return this.result();
  }

  /** @internal */
  _deliver(ok: (value: unknown) => void, fail: (reason: unknown) => void): void {
    if (this._state === State.Finished && !this._failed) {
      ok(this._result);
      return;
    }
    if (this._state === State.Cancelled) fail(this._makeCancelledError());
    else {
      this._retrieve();
      fail(this._exception);
    }
  }

  /** The error for one retrieval of the cancellation: the original the first time, then fresh ones. @internal */
  _makeCancelledError(): CancelledError {
    const original = this._cancelledError;
    if (original !== null) {
      this._cancelledError = null;
      return original;
    }
    return cancelledError(this._cancelMessage);
  }

  /** @internal */
  _fail(exception: unknown): void {
    this._exception = exception;
    this._failed = true;
    this._state = State.Finished;
    this._scheduleCallbacks();
    this._logTraceback = true;
    unretrieved.register(this, { loop: this._loop, message: this._neverRetrieved(), exception }, this);
  }

  /** @internal */
  _neverRetrieved(): string {
    return 'Future exception was never retrieved';
  }

  /** Marks the exception as seen. @internal */
  _retrieve(): void {
    if (!this._logTraceback) return;
    this._logTraceback = false;
    unretrieved.unregister(this);
  }

  /** A callback that is a task's frame is queued as itself, so that a task step costs no closure. @internal */
  _addFrame(frame: Frame): void {
    (this._callbacks ??= []).push(frame);
  }

  /** @internal */
  _scheduleCallbacks(): void {
    const callbacks = this._callbacks;
    if (callbacks === null) return;
    this._callbacks = null;
    for (const callback of callbacks) {
      if (typeof callback === 'function') this._loop.callSoon(callback, this as never);
      else this._loop.callSoon(resumeFrame, callback, this);
    }
  }

  /** What `inspect` shows behind the name. @internal */
  _reprInfo(): string[] {
    const info = [stateNames[this._state]];
    if (this._state === State.Finished) {
      info.push(
        !this._failed ? `result=${inspect(this._result, { depth: 0 })}` : `exception=${String(this._exception)}`,
      );
    }
    const callbacks = this._callbacks;
    if (callbacks !== null && callbacks.length > 0) info.push(reprCallbacks(callbacks));
    return info;
  }

  [inspect.custom](): string {
    return `<${this.constructor.name} ${this._reprInfo().join(' ')}>`;
  }

  #alreadyDone(): InvalidStateError {
    return new InvalidStateError(`invalid state: ${inspect(this)} is already done`);
  }
}

function reprCallbacks(callbacks: readonly (AnyCallback | Frame)[]): string {
  const name = (callback: AnyCallback | Frame): string =>
    typeof callback === 'function' ? `${callback.name || '<anonymous>'}()` : `wakeup of ${callback.task._name}`;
  const first = name(callbacks[0]);
  if (callbacks.length === 1) return `cb=[${first}]`;
  const last = name(callbacks[callbacks.length - 1]);
  if (callbacks.length === 2) return `cb=[${first}, ${last}]`;
  return `cb=[${first}, <${callbacks.length - 2} more>, ${last}]`;
}

function settle<R>(
  handler: ((value: never) => R | PromiseLike<R>) | null | undefined,
  value: unknown,
  resolve: (value: R | PromiseLike<R>) => void,
  reject: (reason: unknown) => void,
  failed: boolean,
): void {
  if (typeof handler !== 'function') {
    if (failed) reject(value);
    else resolve(value as R);
    return;
  }
  try {
    resolve(handler(value as never));
  } catch (error) {
    reject(error);
  }
}

function exceptionOf(exception: unknown): unknown {
  if (exception instanceof Error) return exception;
  if (typeof exception === 'function' && exception.prototype instanceof Error) {
    return new (exception as new () => Error)();
  }
  if (exception === Error) return new Error();
  throw typeError(`an exception is required, not ${inspect(exception)}`);
}

/** The CancelledError for a cancel message. */
export function cancelledError(message: unknown): CancelledError {
  return new CancelledError(message === undefined || message === null ? '' : String(message));
}

/** Whether `value` is a future of this library, or an object that says so. asyncio: isfuture. */
export function isFuture(value: unknown): value is Future {
  return value instanceof Future;
}

/** Sets the result unless the future was cancelled. @internal */
export function _setResultUnlessCancelled<T>(future: Future<T>, result: T): void {
  if (!future.cancelled()) future.setResult(result);
}
