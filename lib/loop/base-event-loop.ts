// base-event-loop.ts: the verbs that schedule, the ready queue, and the iteration. asyncio: base_events.BaseEventLoop.
// Descriptors belong to selector-event-loop.ts, waiting to driver.ts; other subjects have objects of their own here:
//
//   _scheduled         scheduled-timers.ts     _run              run-state.ts
//   _exceptions        exception-handler.ts    _defaultExecutor  default-executor.ts
//
// One iteration (_runOnce):
//   1  drop cancelled timers from the head of the heap, or all of them when they are many
//   2  timeout: 0 if something is ready or the loop stops, else until the first timer
//   3  the driver selects; each ready descriptor queues its handle
//   4  timers that are due are queued
//   5  as many handles run as the queue held now; microtasks are drained after each

import { inspect } from 'node:util';

import { monotonicClock, type Clock } from '../base/clock';
import { MAXIMUM_SELECT_TIMEOUT, SLOW_CALLBACK_DURATION, type Seconds } from '../base/constants';
import { Deque } from '../base/deque';
import { NotImplementedError, RuntimeError, typeError, ValueError } from '../base/errors';
import { drainMicrotasks } from '../base/microtasks';
import type { CoroutineLike } from '../futures/coroutine';
import type { Awaitable } from '../futures/ensure-future';
import { Future } from '../futures/future';
import { Task, type TaskOptions } from '../futures/task';
import type { HostWatchMode } from '../native/types';
import { checkCallback, runTimed } from './debug';
import { DefaultExecutor } from './default-executor';
import { ExceptionReports, logException, type ExceptionContext, type ExceptionHandler } from './exception-handler';
import { Handle, TimerHandle } from './handle';
import type { LoopOptions } from './loop-options';
import type { ReadyList, SelectorLike } from './ready';
import { RunState } from './run-state';
import { runForever, runForeverSync, runUntilComplete, runUntilCompleteSync } from './runs';
import { ScheduledTimers } from './scheduled-timers';

export type TaskFactory = <T>(loop: BaseEventLoop, coroutine: CoroutineLike<T>, options: TaskOptions) => Future<T>;

/** The part of a loop that knows nothing of descriptors. asyncio: BaseEventLoop. */
export abstract class BaseEventLoop {
  /** @internal */ readonly _ready = new Deque<Handle>();
  /** @internal */ readonly _scheduled = new ScheduledTimers();
  /** @internal */ readonly _tasks = new Set<Task>();
  /** @internal */ _currentTask: Task | null = null;
  /** @internal */ _stopping = false;
  /** @internal */ _currentHandle: Handle | null = null;
  /** Seconds after which debug mode logs a callback as slow. */
  slowCallbackDuration: Seconds = SLOW_CALLBACK_DURATION;

  /** @internal */ abstract readonly _selector: SelectorLike | null;

  /** @internal */ readonly _hostWatch: HostWatchMode | undefined;
  /** @internal */ _clock: Clock;
  /** @internal */ _clockResolution: Seconds;
  /** @internal */ _closed = false;
  /** @internal */ _debug: boolean;
  /** @internal */ _taskFactory: TaskFactory | null = null;
  /** @internal */ readonly _run: RunState;
  /** @internal */ readonly _exceptions = new ExceptionReports(this);
  /** @internal */ readonly _defaultExecutor = new DefaultExecutor();

  constructor(options: LoopOptions = {}) {
    this._hostWatch = options.hostWatch;
    this._clock = options.clock ?? monotonicClock;
    this._clockResolution = this._clock.resolution;
    this._debug = (process.env.FDLOOP_DEBUG ?? '') !== '';
    this._run = new RunState(this, options.allowBlocking === true);
  }

  // Scheduling.

  /**
   * Calls `callback(...args)` in the next iteration. asyncio: call_soon.
   * @throws RuntimeError (ERR_LOOP_CLOSED); in debug mode TypeError if it is no function
   */
  callSoon<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    if (this._closed) this._checkClosed();
    if (this._debug) checkCallback(callback, 'callSoon');
    const handle = new Handle(callback, args, this);
    this._ready.push(handle);
    if (this._run.isIdle) this._run.driver.wake();
    return handle;
  }

  /**
   * As `callSoon`, and wakes a loop that waits. asyncio: call_soon_threadsafe.
   * @throws RuntimeError (ERR_LOOP_CLOSED)
   */
  callSoonThreadsafe<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    this._checkClosed();
    if (this._debug) checkCallback(callback, 'callSoonThreadsafe');
    const handle = new Handle(callback, args, this);
    this._ready.push(handle);
    this._writeToSelf();
    if (this._run.isIdle) this._run.driver.wake();
    return handle;
  }

  /**
   * Calls `callback(...args)` after `delay` seconds. asyncio: call_later.
   * @throws TypeError if the delay is no number, ValueError if it is NaN, RuntimeError (ERR_LOOP_CLOSED)
   */
  callLater<A extends unknown[]>(delay: Seconds, callback: (...args: A) => unknown, ...args: A): TimerHandle {
    if (typeof delay !== 'number') throw typeError(`delay must be a number of seconds, not ${inspect(delay)}`);
    return this.#schedule(this.time() + delay, callback, args);
  }

  /**
   * Calls `callback(...args)` at `when` on the loop's clock. asyncio: call_at.
   * @throws TypeError if the time is no number, ValueError if it is NaN, RuntimeError (ERR_LOOP_CLOSED)
   */
  callAt<A extends unknown[]>(when: Seconds, callback: (...args: A) => unknown, ...args: A): TimerHandle {
    if (typeof when !== 'number') throw typeError(`when must be a time in seconds, not ${inspect(when)}`);
    return this.#schedule(when, callback, args);
  }

  #schedule<A extends unknown[]>(when: Seconds, callback: (...args: A) => unknown, args: A): TimerHandle {
    if (this._closed) this._checkClosed();
    // Differs from asyncio: a time that compares with no other would put the heap out of order (LOOP-017).
    if (Number.isNaN(when)) throw new ValueError('a delay or a time cannot be NaN');
    if (this._debug) checkCallback(callback, 'callAt');
    const timer = new TimerHandle(when, callback, args, this);
    this._scheduled.add(timer);
    if (this._run.isIdle) this._run.driver.wake();
    return timer;
  }

  /** The loop's clock, in seconds. asyncio: time. */
  time(): Seconds {
    return this._clock.now();
  }

  // Futures and tasks.

  /** A future of this loop. asyncio: create_future. */
  createFuture<T = unknown>(): Future<T> {
    return new Future<T>(this);
  }

  /**
   * Runs a coroutine beside the others; its first step is queued, nothing of it runs now. asyncio: create_task.
   * @throws RuntimeError (ERR_LOOP_CLOSED), TypeError for what a task cannot run (a promise runs already)
   */
  createTask<T>(coroutine: CoroutineLike<T>, options: TaskOptions = {}): Task<T> {
    this._checkClosed();
    if (this._taskFactory === null) return new Task<T>(coroutine, this, options);
    const task = this._taskFactory(this, coroutine, options) as Task<T>;
    // A factory need not care for the name.
    if (options.name !== undefined) (task as Partial<Task<T>>).setName?.(options.name);
    return task;
  }

  /** @param factory makes the tasks of `createTask`, which then gives them their names; null for the standard ones */
  setTaskFactory(factory: TaskFactory | null): void {
    if (factory !== null && typeof factory !== 'function') throw typeError('a task factory is a function or null');
    this._taskFactory = factory;
  }

  getTaskFactory(): TaskFactory | null {
    return this._taskFactory;
  }

  // Runs.

  /**
   * Runs hosted, beside Node's own loop, until `stop()`. asyncio: run_forever.
   * @returns a promise of the end of the run; rejected with an error of the fatal pair or of the selector
   * @throws RuntimeError if the loop is closed (ERR_LOOP_CLOSED) or running, or another one runs here (ERR_LOOP_RUNNING)
   */
  runForever(): Promise<void> {
    return runForever(this);
  }

  /**
   * Runs hosted until `awaitable` is done. asyncio: run_until_complete.
   * @returns a promise of its result
   * @throws as `runForever`; the promise is rejected with the awaitable's exception, or RuntimeError (ERR_LOOP_STOPPED)
   */
  runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    return runUntilComplete(this, awaitable);
  }

  /**
   * Runs in the calling stack until `stop()`; Node's own loop stands still meanwhile. asyncio: run_forever.
   * @throws as `runForever`; RuntimeError (ERR_BLOCKING_REFUSED) in Electron's main process and renderers, unless the loop
   * was made with `allowBlocking`
   */
  runForeverSync(): void {
    runForeverSync(this);
  }

  /**
   * Runs in the calling stack until `awaitable` is done. asyncio: run_until_complete.
   * @throws the awaitable's exception; RuntimeError (ERR_SYNC_RUN_IN_MICROTASK) when called from inside a promise job for
   * an async function: nothing could continue it, or as `runForeverSync`; otherwise as `runUntilComplete`
   */
  runUntilCompleteSync<T>(awaitable: Awaitable<T>): T {
    return runUntilCompleteSync(this, awaitable);
  }

  /** Ends the run after the current iteration. asyncio: stop. */
  stop(): void {
    this._stopping = true;
    if (this._run.isIdle) this._run.driver.wake();
  }

  isRunning(): boolean {
    return this._run.threadId !== null;
  }

  /** Lets hosted runs of this loop keep the process alive, as they do at first. May be called at any time, and again. */
  ref(): this {
    this._run.setReferenced(true);
    return this;
  }

  /**
   * Hosted runs no longer keep the process alive: it ends when nothing else does, though the run has not, and its promise is
   * never settled. What the loop uses outside of itself, such as a thread pool, keeps its own count.
   */
  unref(): this {
    this._run.setReferenced(false);
    return this;
  }

  hasRef(): boolean {
    return this._run.isReferenced;
  }

  isClosed(): boolean {
    return this._closed;
  }

  /**
   * Forgets all that is scheduled. May be called again. asyncio: close.
   * @throws RuntimeError (ERR_LOOP_RUNNING) while the loop runs
   */
  close(): void {
    if (this.isRunning()) throw new RuntimeError('cannot close a running event loop', 'ERR_LOOP_RUNNING');
    if (this._closed) return;
    this._closed = true;
    this._ready.clear();
    this._scheduled.clear();
    this._defaultExecutor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Errors and debug mode.

  getExceptionHandler(): ExceptionHandler | null {
    return this._exceptions.handler;
  }

  /**
   * @param handler called with the loop and a context; null for the default one, which logs. asyncio: set_exception_handler
   * @throws TypeError for anything else
   */
  setExceptionHandler(handler: ExceptionHandler | null): void {
    this._exceptions.handler = handler;
  }

  /** Logs one error: the message, then the other keys in order. asyncio: default_exception_handler. */
  defaultExceptionHandler(context: ExceptionContext): void {
    logException(context, this._currentHandle);
  }

  /** Reports what went wrong where nobody awaits. asyncio: call_exception_handler. */
  callExceptionHandler(context: ExceptionContext): void {
    this._exceptions.report(context);
  }

  getDebug(): boolean {
    return this._debug;
  }

  setDebug(enabled: boolean): void {
    this._debug = enabled;
  }

  // What only a loop with descriptors can do.

  /** Wakes a selector that waits. @internal */
  _writeToSelf(): void {
    throw new NotImplementedError('_writeToSelf is the business of a loop with a selector');
  }

  /** Queues the handles of ready descriptors. @internal */
  _processEvents(_ready: ReadyList): void {
    throw new NotImplementedError('_processEvents is the business of a loop with a selector');
  }

  // The iteration.

  /** @internal */
  _runOnce(): void {
    const timeout = this._nextTimeout();
    const ready = this._run.driver.select(this._selector as SelectorLike, timeout);
    this._processEvents(ready);
    this._queueDueTimers();
    this._runReady();
  }

  /** Phases 1 and 2. @returns seconds; 0 not to wait, null to wait without limit @internal */
  _nextTimeout(): Seconds | null {
    this._scheduled.dropCancelled();
    if (this._ready.length > 0 || this._stopping) return 0;
    const first = this._scheduled.peek();
    if (first === undefined) return null;
    return Math.min(Math.max(0, first._when - this.time()), MAXIMUM_SELECT_TIMEOUT);
  }

  /** Phase 4. @internal */
  _queueDueTimers(): void {
    if (this._scheduled.length > 0) this._scheduled.queueDue(this.time() + this._clockResolution, this._ready);
  }

  /** Phase 5: this is the only place where callbacks are called. @internal */
  _runReady(): void {
    const ready = this._ready;
    for (let count = ready.length; count > 0; count--) {
      const handle = ready.shift() as Handle;
      if (handle._cancelled) continue;
      try {
        if (this._debug) runTimed(this, handle);
        else handle._run();
        drainMicrotasks();
      } finally {
        this._currentTask = null;
      }
      this._run.checkEscaping();
    }
  }

  /** Queues a handle of the selector or of a signal. @internal */
  _addCallback(handle: Handle): void {
    if (!handle._cancelled) this._ready.push(handle);
  }

  /** @internal */
  _timerHandleCancelled(timer: TimerHandle): void {
    if (timer._scheduled) this._scheduled.cancelledCount += 1;
  }

  /** Whether an answer is on its way from outside: another thread, a lookup. @internal */
  _hasOutsideWork(): boolean {
    return false;
  }

  /** @internal */
  _checkClosed(): void {
    if (this._closed) throw new RuntimeError('Event loop is closed', 'ERR_LOOP_CLOSED');
  }

  [inspect.custom](): string {
    const states = `running=${this.isRunning()} closed=${this._closed} debug=${this._debug}`;
    return `<${this.constructor.name} ${states}>`;
  }
}
