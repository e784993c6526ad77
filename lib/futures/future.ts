// future.ts: a result that is not there yet. asyncio: futures.py. What waits for it (tasks) is in task.ts; a future
// knows its waiters only as callbacks. It is a thenable and no Promise: `await future` calls our `then`, which is how a
// task learns what it waits for, and a rejected future never is an unhandled rejection.

import type { AsyncResource } from 'node:async_hooks';
import { inspect, types } from 'node:util';

import { creationSite, firstLine } from '../base/creation-site';
import { CancelledError, InvalidStateError, isInstance, typeError } from '../base/errors';
import { nameOf, shortTextOf, textOf } from '../base/text';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { captureContext } from './context';
import { awaitingTask, getEventLoop } from './current';
import { callSubject, HandleSubject, type Frame } from './frame';
import type { Task } from './task';

/** What a generator task may yield: a future to wait for, or nothing to give way for one iteration. */
export type Awaited = Future<unknown> | undefined | void;

export type DoneCallback<T> = (future: Future<T>) => unknown;

export interface DoneCallbackOptions {
  /** The asynchronous context that the callback runs in; a copy of the present one if left out. */
  context?: AsyncResource;
}

// Entries of whatever result type: a future of a T is a future of an unknown.
type Waiter = DoneEntry<never> | Frame;

const enum State {
  Pending,
  Cancelled,
  Finished,
}

const stateNames = ['pending', 'cancelled', 'finished'];

/** What a future with an exception leaves behind. */
interface Unretrieved {
  loop: BaseEventLoop;
  exception: unknown;
  className: string;
  name: string | null;
  sourceTraceback: string | null;
}

// A future that dies with an exception nobody looked at is reported (FUT-012).
// Differs from asyncio: the future cannot be seen any more then, so `future` is its text.
const unretrieved = new FinalizationRegistry<Unretrieved>((left) => {
  const { className, name, exception } = left;
  left.loop.callExceptionHandler({
    message: `${className} exception was never retrieved`,
    exception,
    future: `<${className} finished${name === null ? '' : ` name='${name}'`} exception=${shortTextOf(exception)}>`,
    ...(left.sourceTraceback === null ? {} : { sourceTraceback: left.sourceTraceback }),
  });
});

/** A callback with the context that it runs in. */
class DoneEntry<T> extends HandleSubject {
  constructor(
    readonly callback: DoneCallback<T>,
    private readonly context: AsyncResource,
  ) {
    super();
  }

  call(future: Future<T>): unknown {
    return this.context.runInAsyncScope(this.callback, undefined, future);
  }

  override describe(): string {
    return `${nameOf(this.callback)}()`;
  }
}

/** How `isFuture` knows a future, one of another copy of this library too. asyncio: _asyncio_future_blocking. */
const marker = Symbol.for('fdloop.future');

/** A result that will be set later. asyncio: Future. */
export class Future<T = unknown> implements PromiseLike<T> {
  /** @internal */ readonly _loop: BaseEventLoop;
  /** @internal */ _state: State = State.Pending;
  /** @internal */ _result: T | undefined = undefined;
  /** @internal */ _failed = false;
  /** @internal */ _exception: unknown = undefined;
  /** @internal */ _cancelMessage: unknown = undefined;
  /** @internal */ _cancelledError: CancelledError | null = null;
  /** @internal */ _callbacks: Waiter[] | null = null;
  /** Where it was made; only in debug mode. @internal */
  _sourceTraceback: string | null = null;
  /** @internal */ _logTraceback = false;

  /**
   * @param loop the loop that calls the callbacks; the one of `getEventLoop` if left out
   * @throws RuntimeError (ERR_NO_EVENT_LOOP) if none is given, and there is none
   */
  constructor(loop?: BaseEventLoop | null) {
    this._loop = loop ?? getEventLoop();
    if (this._loop.getDebug()) this._sourceTraceback = creationSite();
  }

  /** @internal */
  get [marker](): boolean {
    return true;
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

  /**
   * Calls `callback(future)` through the loop once done; in the next iteration if it is done already.
   * @throws TypeError if the callback is no function
   */
  addDoneCallback(callback: DoneCallback<T>, options: DoneCallbackOptions = {}): void {
    if (typeof callback !== 'function') throw typeError(`a callable is required, not ${inspect(callback)}`);
    const entry = new DoneEntry(callback, options.context ?? captureContext());
    if (this._state !== State.Pending) this._loop.callSoon(callSubject, entry, this);
    else (this._callbacks ??= []).push(entry);
  }

  /** @returns how many times the callback had been added */
  removeDoneCallback(callback: DoneCallback<T>): number {
    const callbacks = this._callbacks;
    if (callbacks === null) return 0;
    const kept = callbacks.filter((entry) => !(entry instanceof DoneEntry && entry.callback === (callback as unknown)));
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
    const task: Task | null = awaitingTask();
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
    // An error keeps the receivers of its stack alive until the stack is made text: among them could be this future,
    // which would never be collected then. That costs 10 us, so it is not done where somebody waits to look at it.
    if ((this._callbacks ?? []).length === 0) unfoldStack(exception);
    this._exception = exception;
    this._failed = true;
    this._state = State.Finished;
    this._scheduleCallbacks();
    this._logTraceback = true;
    const left = { loop: this._loop, exception, sourceTraceback: this._sourceTraceback };
    unretrieved.register(this, { ...left, ...this._remembered() }, this);
  }

  /** What a report about this future says of it when it is gone. @internal */
  _remembered(): { className: string; name: string | null } {
    return { className: 'Future', name: null };
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
    for (const callback of callbacks) this._loop.callSoon(callSubject, callback, this);
  }

  /** What `inspect` shows behind the name. @internal */
  _reprInfo(): string[] {
    const info = [stateNames[this._state]];
    if (this._state === State.Finished) {
      info.push(this._failed ? `exception=${shortTextOf(this._exception)}` : `result=${textOf(this._result, shortly)}`);
    }
    const callbacks = this._callbacks;
    if (callbacks !== null && callbacks.length > 0) info.push(reprCallbacks(callbacks));
    if (this._sourceTraceback !== null) info.push(`created ${firstLine(this._sourceTraceback)}`);
    return info;
  }

  [inspect.custom](): string {
    return `<${this.constructor.name} ${this._reprInfo().join(' ')}>`;
  }

  #alreadyDone(): InvalidStateError {
    return new InvalidStateError(`invalid state: ${inspect(this)} is already done`);
  }
}

const shortly = { depth: 0, maxStringLength: 60, maxArrayLength: 6 };

function reprCallbacks(callbacks: readonly Waiter[]): string {
  const first = callbacks[0].describe();
  if (callbacks.length === 1) return `cb=[${first}]`;
  const last = callbacks[callbacks.length - 1].describe();
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

function unfoldStack(exception: unknown): void {
  try {
    if (types.isNativeError(exception)) void exception.stack;
  } catch {
    // A stack of the caller's own making.
  }
}

function exceptionOf(exception: unknown): unknown {
  if (isInstance(exception, Error) || types.isNativeError(exception)) return exception;
  if (typeof exception === 'function' && exception.prototype instanceof Error) {
    return new (exception as new () => Error)();
  }
  if (exception === Error) return new Error();
  throw typeError(`an exception is required, not ${textOf(exception)}`);
}

/** The CancelledError for a cancel message; an error as the message (the reason of an AbortSignal) is its cause. */
export function cancelledError(message: unknown): CancelledError {
  if (message === undefined || message === null) return new CancelledError('');
  if (typeof message !== 'object') return new CancelledError(shortTextOf(message));
  return new CancelledError(messageOf(message), { cause: message });
}

function messageOf(reason: object): string {
  try {
    const { message } = reason as Error;
    if (typeof message === 'string') return message;
  } catch {
    // It cannot even be asked.
  }
  return textOf(reason, shortly);
}

/**
 * Whether `value` is a future: of this library, of another copy of it, or any object whose `Symbol.for('fdloop.future')`
 * is true. asyncio: isfuture.
 */
export function isFuture(value: unknown): value is Future {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[marker] === true;
}

/** Sets the result unless the future was cancelled. @internal */
export function _setResultUnlessCancelled<T>(future: Future<T>, result: T): void {
  if (!future.cancelled()) future.setResult(result);
}
