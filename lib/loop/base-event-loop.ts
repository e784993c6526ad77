// base-event-loop.ts: the ready queue, the timers, the iteration, and the states of a run. asyncio:
// base_events.BaseEventLoop. Descriptors belong to selector-event-loop.ts, waiting to driver.ts.
//
// One iteration (_runOnce):
//   1  drop cancelled timers from the head of the heap, or all of them when they are many
//   2  timeout: 0 if something is ready or the loop stops, else until the first timer
//   3  the driver selects; each ready descriptor queues its handle
//   4  timers that are due are queued
//   5  as many handles run as the queue held now; microtasks are drained after each

import type { AsyncResource } from 'node:async_hooks';
import { threadId } from 'node:worker_threads';
import { inspect } from 'node:util';

import { checkMayBlock } from '../base/blocking';
import { monotonicClock, type Clock } from '../base/clock';
import {
  MAXIMUM_SELECT_TIMEOUT,
  MIN_CANCELLED_TIMER_HANDLES_FRACTION,
  MIN_SCHEDULED_TIMER_HANDLES,
  SLOW_CALLBACK_DURATION,
  type Seconds,
} from '../base/constants';
import { Deque } from '../base/deque';
import { isFatal, NotImplementedError, RuntimeError, typeError } from '../base/errors';
import { TimerHeap } from '../base/heap';
import { logger } from '../base/log';
import { canDrainMicrotasks, drainMicrotasks, hasDrain } from '../base/microtasks';
import { _getRunningLoop, _setRunningLoop } from '../base/running-loop';
import type { CoroutineLike } from '../futures/coroutine';
import { ensureFuture, type Awaitable } from '../futures/ensure-future';
import { Future, isFuture } from '../futures/future';
import { Task, type TaskOptions } from '../futures/task';
import type { HostWatchMode } from '../native/types';
import { blockingDriver, runSynchronously, VirtualClock, VirtualDriver, type Driver } from './driver';
import { Handle, TimerHandle } from './handle';
import { HostedDriver } from './hosted-driver';
import type { ReadyList, SelectorLike } from './ready';
import type { ThreadPoolExecutor } from './thread-pool';

/** What the exception handler is told. `message` is always there. */
export interface ExceptionContext {
  message?: string;
  exception?: unknown;
  future?: unknown;
  task?: unknown;
  handle?: unknown;
  protocol?: unknown;
  transport?: unknown;
  socket?: unknown;
  sourceTraceback?: string;
  [key: string]: unknown;
}

export type ExceptionHandler = (loop: BaseEventLoop, context: ExceptionContext) => unknown;

export type TaskFactory = <T>(loop: BaseEventLoop, coroutine: CoroutineLike<T>, options: TaskOptions) => Future<T>;

export interface LoopOptions {
  /** The clock of the loop: a VirtualClock makes synchronous runs jump from timer to timer instead of waiting. */
  clock?: Clock;
  /**
   * Lets synchronous runs keep the thread in Electron's main process and renderers, which refuse it otherwise: the windows
   * stand still meanwhile.
   */
  allowBlocking?: boolean | undefined;
  /**
   * How hosted runs hear that a descriptor is ready. 'nested': Node's own loop watches the selector's descriptor.
   * 'thread': a thread waits on the selector and wakes Node, a few microseconds later. Left out, it is 'nested' wherever
   * that can be had: not on Windows, not in Bun and Deno, and not for a selector without a descriptor (poll, select).
   */
  hostWatch?: HostWatchMode | undefined;
}

/** The part of a loop that knows nothing of descriptors. asyncio: BaseEventLoop. */
export abstract class BaseEventLoop {
  /** @internal */ readonly _ready = new Deque<Handle>();
  /** @internal */ readonly _scheduled = new TimerHeap<TimerHandle>();
  /** @internal */ readonly _tasks = new Set<Task>();
  /** @internal */ _currentTask: Task | null = null;
  /** @internal */ _stopping = false;
  /** @internal */ _timerCancelledCount = 0;
  /** @internal */ _currentHandle: Handle | null = null;
  /** Seconds after which debug mode logs a callback as slow. */
  slowCallbackDuration: Seconds = SLOW_CALLBACK_DURATION;

  /** @internal */ abstract readonly _selector: SelectorLike | null;

  /** @internal */ readonly _hostWatch: HostWatchMode | undefined;
  /** @internal */ _clock: Clock;
  /** @internal */ _clockResolution: Seconds;
  /** @internal */ _closed = false;
  /** @internal */ _threadId: number | null = null;
  /** @internal */ _debug: boolean;
  /** @internal */ _exceptionHandler: ExceptionHandler | null = null;
  /** @internal */ _taskFactory: TaskFactory | null = null;
  /** Made when it is needed. @internal */ _defaultExecutor: ThreadPoolExecutor | null = null;
  /** @internal */ _executorShutdownCalled = false;

  readonly #syncDriver: Driver;
  readonly #allowBlocking: boolean;
  #driver: Driver = blockingDriver;
  // Hosted and between two turns: whoever queues something must wake the driver.
  #idle = false;
  #drains = true;
  #referenced = true;
  #escaping: { error: unknown } | null = null;

  constructor(options: LoopOptions = {}) {
    this._hostWatch = options.hostWatch;
    this._clock = options.clock ?? monotonicClock;
    this._clockResolution = this._clock.resolution;
    this._debug = (process.env.FDLOOP_DEBUG ?? '') !== '';
    // A virtual clock jumps where others wait.
    this.#allowBlocking = options.allowBlocking === true || this._clock instanceof VirtualClock;
    this.#syncDriver = this._clock instanceof VirtualClock ? new VirtualDriver(this._clock, this) : blockingDriver;
  }

  // Scheduling.

  /**
   * Calls `callback(...args)` in the next iteration. asyncio: call_soon.
   * @throws RuntimeError (ERR_LOOP_CLOSED); in debug mode TypeError if it is no function
   */
  callSoon<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    if (this._closed) this._checkClosed();
    if (this._debug) this.#checkCallback(callback, 'callSoon');
    const handle = new Handle(callback, args, this);
    this._ready.push(handle);
    if (this.#idle) this.#driver.wake();
    return handle;
  }

  /**
   * As `callSoon`, and wakes a loop that waits. asyncio: call_soon_threadsafe.
   * @throws RuntimeError (ERR_LOOP_CLOSED)
   */
  callSoonThreadsafe<A extends unknown[]>(callback: (...args: A) => unknown, ...args: A): Handle {
    this._checkClosed();
    if (this._debug) this.#checkCallback(callback, 'callSoonThreadsafe');
    const handle = new Handle(callback, args, this);
    this._ready.push(handle);
    this._writeToSelf();
    if (this.#idle) this.#driver.wake();
    return handle;
  }

  /**
   * Calls `callback(...args)` after `delay` seconds. asyncio: call_later.
   * @throws TypeError if the delay is no number, RuntimeError (ERR_LOOP_CLOSED)
   */
  callLater<A extends unknown[]>(delay: Seconds, callback: (...args: A) => unknown, ...args: A): TimerHandle {
    if (typeof delay !== 'number') throw typeError(`delay must be a number of seconds, not ${inspect(delay)}`);
    return this.#schedule(this.time() + delay, callback, args);
  }

  /**
   * Calls `callback(...args)` at `when` on the loop's clock. asyncio: call_at.
   * @throws TypeError if the time is no number, RuntimeError (ERR_LOOP_CLOSED)
   */
  callAt<A extends unknown[]>(when: Seconds, callback: (...args: A) => unknown, ...args: A): TimerHandle {
    if (typeof when !== 'number') throw typeError(`when must be a time in seconds, not ${inspect(when)}`);
    return this.#schedule(when, callback, args);
  }

  #schedule<A extends unknown[]>(when: Seconds, callback: (...args: A) => unknown, args: A): TimerHandle {
    if (this._closed) this._checkClosed();
    if (this._debug) this.#checkCallback(callback, 'callAt');
    const timer = new TimerHandle(when, callback, args, this);
    this._scheduled.push(timer);
    timer._scheduled = true;
    if (this.#idle) this.#driver.wake();
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
    return this._taskFactory(this, coroutine, options) as Task<T>;
  }

  /** @param factory makes the tasks of `createTask`; null for the standard ones */
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
    this._checkClosed();
    this._checkRunning();
    if (!hasDrain) throw new NotImplementedError('this runtime cannot run promise jobs in a turn', 'ERR_NO_DRAIN');
    const driver = new HostedDriver(this);
    this.#beginRun(driver, true);
    return driver.run().finally(() => this.#endRun());
  }

  /**
   * Runs hosted until `awaitable` is done. asyncio: run_until_complete.
   * @returns a promise of its result
   * @throws as `runForever`; the promise is rejected with the awaitable's exception, or RuntimeError (ERR_LOOP_STOPPED)
   */
  runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    this._checkClosed();
    this._checkRunning();
    const run = this.#prepareRun(awaitable);
    return this.runForever().then(
      () => {
        run.finished();
        return run.result();
      },
      (error: unknown) => {
        run.failed();
        run.finished();
        throw error;
      },
    );
  }

  /**
   * Runs in the calling stack until `stop()`; Node's own loop stands still meanwhile. asyncio: run_forever.
   * @throws as `runForever`; RuntimeError (ERR_BLOCKING_REFUSED) in Electron's main process and renderers, unless the loop
   * was made with `allowBlocking`
   */
  runForeverSync(): void {
    this._checkClosed();
    this._checkRunning();
    this._checkMayBlock('runForeverSync()');
    this.#beginRun(this.#syncDriver, canDrainMicrotasks());
    _setRunningLoop(this);
    try {
      runSynchronously(this);
    } finally {
      _setRunningLoop(null);
      this.#endRun();
    }
  }

  /**
   * Runs in the calling stack until `awaitable` is done. asyncio: run_until_complete.
   * @throws the awaitable's exception; RuntimeError (ERR_SYNC_RUN_IN_MICROTASK) when called from inside a promise job for
   * an async function: nothing could continue it, or as `runForeverSync`; otherwise as `runUntilComplete`
   */
  runUntilCompleteSync<T>(awaitable: Awaitable<T>): T {
    this._checkClosed();
    this._checkRunning();
    this._checkMayBlock('runUntilCompleteSync()');
    const run = this.#prepareRun(awaitable);
    try {
      this.runForeverSync();
    } catch (error) {
      run.failed();
      throw error;
    } finally {
      run.finished();
    }
    return run.result();
  }

  /** Ends the run after the current iteration. asyncio: stop. */
  stop(): void {
    this._stopping = true;
    if (this.#idle) this.#driver.wake();
  }

  isRunning(): boolean {
    return this._threadId !== null;
  }

  /** Lets hosted runs of this loop keep the process alive, as they do at first. May be called at any time, and again. */
  ref(): this {
    return this.#setReferenced(true);
  }

  /**
   * Hosted runs no longer keep the process alive: it ends when nothing else does, though the run has not, and its promise is
   * never settled. What the loop uses outside of itself, such as a thread pool, keeps its own count.
   */
  unref(): this {
    return this.#setReferenced(false);
  }

  hasRef(): boolean {
    return this.#referenced;
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
    this._executorShutdownCalled = true;
    const executor = this._defaultExecutor;
    this._defaultExecutor = null;
    void executor?.shutdown({ wait: false });
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // Errors and debug mode.

  getExceptionHandler(): ExceptionHandler | null {
    return this._exceptionHandler;
  }

  /** @param handler called with the loop and a context; null for the default one, which logs. asyncio: set_exception_handler */
  setExceptionHandler(handler: ExceptionHandler | null): void {
    if (handler !== null && typeof handler !== 'function') {
      throw typeError(`an exception handler is a function or null, not ${inspect(handler)}`);
    }
    this._exceptionHandler = handler;
  }

  /** Logs one error: the message, then the other keys in order. asyncio: default_exception_handler. */
  defaultExceptionHandler(context: ExceptionContext): void {
    const shown: ExceptionContext = { ...context };
    if (
      shown.sourceTraceback === undefined &&
      this._currentHandle !== null &&
      this._currentHandle._sourceTraceback !== null
    ) {
      shown.handleTraceback = this._currentHandle._sourceTraceback;
    }
    const message = shown.message === undefined || shown.message === '' ? noMessage : shown.message;
    const lines = Object.keys(shown)
      .filter((key) => key !== 'message' && key !== 'exception')
      .sort()
      .map((key) => {
        const value = shown[key];
        return `${key}: ${typeof value === 'string' ? value : inspect(value, { depth: 1 })}`;
      });
    logger.error([message, ...lines].join('\n'), shown.exception);
  }

  /** Reports what went wrong where nobody awaits. asyncio: call_exception_handler. */
  callExceptionHandler(context: ExceptionContext): void {
    const handler = this._exceptionHandler;
    if (handler === null) {
      this.#callDefaultHandler(context);
      return;
    }
    const subject = (context.task ?? context.future ?? context.handle) as { getContext?(): AsyncResource | null };
    const carried = subject?.getContext?.() ?? null;
    try {
      if (carried === null) handler(this, context);
      else carried.runInAsyncScope(handler, undefined, this, context);
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#callDefaultHandler({ message: 'Unhandled error in exception handler', exception: error, context });
    }
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
    const ready = this.#driver.select(this._selector as SelectorLike, timeout);
    this._processEvents(ready);
    this._queueDueTimers();
    this._runReady();
  }

  /** Phases 1 and 2. @returns seconds; 0 not to wait, null to wait without limit @internal */
  _nextTimeout(): Seconds | null {
    this.#dropCancelledTimers();
    if (this._ready.length > 0 || this._stopping) return 0;
    const first = this._scheduled.peek();
    if (first === undefined) return null;
    return Math.min(Math.max(0, first._when - this.time()), MAXIMUM_SELECT_TIMEOUT);
  }

  /** Phase 4. @internal */
  _queueDueTimers(): void {
    const scheduled = this._scheduled;
    if (scheduled.length === 0) return;
    const end = this.time() + this._clockResolution;
    for (let first = scheduled.peek(); first !== undefined && first._when < end; first = scheduled.peek()) {
      scheduled.pop();
      first._scheduled = false;
      this._ready.push(first);
    }
  }

  /** Phase 5: this is the only place where callbacks are called. @internal */
  _runReady(): void {
    const ready = this._ready;
    for (let count = ready.length; count > 0; count--) {
      const handle = ready.shift() as Handle;
      if (handle._cancelled) continue;
      try {
        if (this._debug) this.#runTimed(handle);
        else handle._run();
        drainMicrotasks();
      } finally {
        this._currentTask = null;
      }
      if (this.#escaping !== null) this.#throwEscaping();
    }
  }

  /** Queues a handle of the selector or of a signal. @internal */
  _addCallback(handle: Handle): void {
    if (!handle._cancelled) this._ready.push(handle);
  }

  /** @internal */
  _timerHandleCancelled(timer: TimerHandle): void {
    if (timer._scheduled) this._timerCancelledCount += 1;
  }

  /** An error that must end the run was thrown where it could not go up the stack by itself. @internal */
  _escape(error: unknown): void {
    this.#escaping ??= { error };
    if (this.#idle) this.#driver.wake();
  }

  /** Whether promise jobs can be drained in this run. @internal */
  _canDrain(): boolean {
    return this.#drains;
  }

  /** Whether Node's own loop goes on while this one runs. @internal */
  _isHosted(): boolean {
    return this.#driver instanceof HostedDriver;
  }

  /** Whether an answer is on its way from outside: another thread, a lookup. @internal */
  _hasOutsideWork(): boolean {
    return false;
  }

  /** A hosted turn begins or ends. @internal */
  _setInTurn(inTurn: boolean): void {
    this.#idle = !inTurn;
    _setRunningLoop(inTurn ? this : null);
    if (inTurn && this.#escaping !== null) this.#throwEscaping();
  }

  /** @internal */
  _checkClosed(): void {
    if (this._closed) throw new RuntimeError('Event loop is closed', 'ERR_LOOP_CLOSED');
  }

  /** @internal */
  _checkDefaultExecutor(): void {
    if (this._executorShutdownCalled) {
      throw new RuntimeError('The default executor was shut down', 'ERR_EXECUTOR_SHUTDOWN');
    }
  }

  /** @internal */
  _checkRunning(): void {
    if (this.isRunning()) throw new RuntimeError('This event loop is already running', 'ERR_LOOP_RUNNING');
    if (_getRunningLoop() !== null) {
      throw new RuntimeError('Cannot run the event loop while another loop is running', 'ERR_LOOP_RUNNING');
    }
  }

  [inspect.custom](): string {
    const states = `running=${this.isRunning()} closed=${this._closed} debug=${this._debug}`;
    return `<${this.constructor.name} ${states}>`;
  }

  /** @internal */
  _checkMayBlock(verb: string): void {
    checkMayBlock(verb, this.#allowBlocking);
  }

  #setReferenced(referenced: boolean): this {
    if (referenced !== this.#referenced) {
      this.#referenced = referenced;
      this.#driver.setReferenced?.(referenced);
    }
    return this;
  }

  #beginRun(driver: Driver, drains: boolean): void {
    this.#driver = driver;
    this.#drains = drains;
    this._threadId = threadId;
  }

  #endRun(): void {
    this._stopping = false;
    this._threadId = null;
    this.#idle = false;
    this.#escaping = null;
    this.#driver = blockingDriver;
  }

  #prepareRun<T>(awaitable: Awaitable<T>): { failed(): void; finished(): void; result(): T } {
    const isNew = !isFuture(awaitable);
    const future = ensureFuture(awaitable, this);
    future.addDoneCallback(stopItsLoop);
    return {
      // The run's own exception is about to be thrown: the task's is no news.
      failed: () => {
        if (isNew && future.done() && !future.cancelled()) future.exception();
      },
      finished: () => future.removeDoneCallback(stopItsLoop),
      result: () => {
        if (!future.done()) {
          throw new RuntimeError('Event loop stopped before the future completed', 'ERR_LOOP_STOPPED');
        }
        return future.result();
      },
    };
  }

  #dropCancelledTimers(): void {
    const scheduled = this._scheduled;
    const total = scheduled.length;
    if (
      total > MIN_SCHEDULED_TIMER_HANDLES &&
      this._timerCancelledCount / total > MIN_CANCELLED_TIMER_HANDLES_FRACTION
    ) {
      scheduled.filter(isWanted);
      this._timerCancelledCount = 0;
      return;
    }
    for (let first = scheduled.peek(); first !== undefined && first._cancelled; first = scheduled.peek()) {
      this._timerCancelledCount -= 1;
      scheduled.pop();
      first._scheduled = false;
    }
  }

  #runTimed(handle: Handle): void {
    this._currentHandle = handle;
    try {
      const start = this.time();
      const described = handle._describe();
      handle._run();
      drainMicrotasks();
      const took = this.time() - start;
      if (took >= this.slowCallbackDuration) {
        logger.warning(`Executing ${described} took ${took.toFixed(3)} seconds`);
      }
    } finally {
      this._currentHandle = null;
    }
  }

  #throwEscaping(): never {
    const { error } = this.#escaping as { error: unknown };
    this.#escaping = null;
    throw error;
  }

  #callDefaultHandler(context: ExceptionContext): void {
    try {
      this.defaultExceptionHandler(context);
    } catch (error) {
      if (isFatal(error)) throw error;
      logger.error('Exception in default exception handler', error);
    }
  }

  #checkCallback(callback: unknown, method: string): void {
    if (typeof callback !== 'function') {
      throw typeError(`${method} needs a function, not ${inspect(callback, { depth: 0 })}`);
    }
  }
}

/** Whether a timer stays in the heap. */
function isWanted(timer: TimerHandle): boolean {
  if (!timer._cancelled) return true;
  timer._scheduled = false;
  return false;
}

const noMessage = 'Unhandled exception in event loop';

/** Ends the run whose future is done, unless the run has ended by that very exception already. */
function stopItsLoop(future: Future): void {
  if (!future.cancelled() && future._failed && isFatal(future._exception)) return;
  future._loop.stop();
}
