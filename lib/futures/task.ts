// task.ts: a future that runs a coroutine. asyncio: tasks.py, class Task. Each step runs inside a handle of the loop;
// microtasks are drained before the handle ends, so that an async function gets as far in one step as a Python
// coroutine would.

import type { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { isCancelled, isFatal, RuntimeError, typeError } from '../base/errors';
import { nameOf } from '../base/text';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { areTasksCarried, carryTasks, copyContext } from './context';
import {
  Coroutine,
  isAsyncFunction,
  isCoroutineLike,
  isGeneratorFunction,
  isGenerator,
  isPromiseLike,
  type CoroutineLike,
} from './coroutine';
import { enterTask, getRunningLoop, swapCurrentTask } from './current';
import {
  callSubject,
  Frame,
  GeneratorFrame,
  MisuseStep,
  misuseOf,
  ThenableFrame,
  type CoroutineGenerator,
} from './frame';
import { cancelledError, Future, isFuture } from './future';

export interface TaskOptions {
  /** Shown by `inspect` and in messages; "Task-N" if left out. */
  name?: string | undefined;
  /** Aborting it cancels the task with the reason as the message; aborted already, nothing of the coroutine runs. */
  signal?: AbortSignal | undefined;
  /** The asynchronous context that the task runs in a copy of; the present one if left out. */
  context?: AsyncResource | undefined;
  /**
   * Runs the first step inside the call, if the loop is running. asyncio: eager_start. What an async function does
   * after its first `await` follows in the same handle, but after the call.
   */
  eagerStart?: boolean | undefined;
}

let taskCounter = 0;

/** The first step of a function: calls it, and goes on with what it returned. */
class FunctionFrame extends Frame {
  constructor(
    task: Task,
    private readonly callee: (signal: AbortSignal) => unknown,
  ) {
    super(task);
  }

  resume(failed: boolean, error: unknown): void {
    const task = this.task;
    if (failed) {
      task._threw(error);
      return;
    }
    let result: unknown;
    try {
      if (isAsyncFunction(this.callee) && !task._loop._run.drains) {
        task._refuseAsync();
        return;
      }
      // Only a function that asks for the signal has one made.
      const args = (this.callee.length > 0 ? [task.signal] : []) as [AbortSignal];
      result = task._context.runInAsyncScope(this.callee, undefined, ...args);
    } catch (thrown) {
      task._threw(thrown);
      return;
    }
    task._follow(result);
  }
}

/** A coroutine that the loop runs beside others. asyncio: Task. */
export class Task<T = unknown> extends Future<T> {
  /** @internal */ _name: string;
  /** @internal */ _mustCancel = false;
  /** @internal */ _numCancelsRequested = 0;
  /** Where the coroutine is suspended: one frame, or several after `Promise.all`. @internal */
  _waiting: Frame[] = [];
  /** @internal */ _context: AsyncResource;

  readonly #coroutine: CoroutineLike<T>;
  #unlisten: (() => void) | null = null;
  #controller: AbortController | null = null;

  /**
   * Schedules the first step; nothing of the coroutine runs yet.
   * @throws TypeError if `coroutine` is not something that a task can run
   */
  constructor(coroutine: CoroutineLike<T>, loop?: BaseEventLoop | null, options: TaskOptions = {}) {
    super(loop);
    if (!isCoroutineLike(coroutine)) {
      throw typeError(`a coroutine or a function was expected, not ${inspect(coroutine, { depth: 0 })}`);
    }
    this._name = options.name === undefined ? `Task-${++taskCounter}` : String(options.name);
    this.#coroutine = coroutine;
    if (!areTasksCarried() && mayBeAsync(coroutine)) carryTasks();
    this._context = copyContext(this, options.context);
    const frame = this.#firstFrame(coroutine);
    if (options.signal !== undefined) this.#obey(options.signal);
    if (options.eagerStart === true && this._loop.isRunning()) this.#startEagerly(frame);
    else {
      this._loop.callSoon(callSubject, frame, null);
      // Differs from asyncio: the loop holds its tasks strongly, so that a task nobody refers to is not lost.
      this._loop._tasks.add(this);
    }
  }

  getName(): string {
    return this._name;
  }

  setName(name: string): void {
    this._name = String(name);
  }

  /** The asynchronous context of its steps. */
  getContext(): AsyncResource {
    return this._context;
  }

  /** What the task runs. */
  getCoro(): CoroutineLike<T> {
    return this.#coroutine;
  }

  /**
   * Asks the coroutine to end: it gets a CancelledError where it waits. It may catch it and go on. Where it waits for a
   * promise that is not the library's, it gets the error at its next wait for something that is.
   * @returns false if the task was already done
   */
  override cancel(message?: unknown): boolean {
    this._retrieve();
    if (this.done()) return false;
    this._numCancelsRequested += 1;
    this.#controller?.abort(cancelledError(message));
    // Every open wait is to end. One that was not cancelled (its wake-up is queued) gets its error from the mark.
    let delivered = this._waiting.length > 0;
    for (const frame of [...this._waiting]) {
      if (frame.future === null || !frame.future.cancel(message)) delivered = false;
    }
    if (delivered) return true;
    this._mustCancel = true;
    this._cancelMessage = message;
    return true;
  }

  /**
   * Aborts when the task is asked to end, with the CancelledError as its reason: for what is awaited and is not the
   * library's, such as `fetch(url, { signal })`. A coroutine function with a parameter is called with it.
   */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this._numCancelsRequested > 0) this.#controller.abort(cancelledError(this._cancelMessage));
    }
    return this.#controller.signal;
  }

  /** How many requests to cancel have not been taken back. */
  cancelling(): number {
    return this._numCancelsRequested;
  }

  /** Takes one request to cancel back. @returns how many are left */
  uncancel(): number {
    if (this._numCancelsRequested > 0) this._numCancelsRequested -= 1;
    return this._numCancelsRequested;
  }

  /** @throws RuntimeError always: only its coroutine ends a task */
  override setResult(_result: T): void {
    throw new RuntimeError('a task does not support setResult', 'ERR_TASK_RESULT');
  }

  /** @throws RuntimeError always: only its coroutine ends a task */
  override setException(_exception: unknown): void {
    throw new RuntimeError('a task does not support setException', 'ERR_TASK_RESULT');
  }

  /** One step: the coroutine goes on in `frame` until it waits again or ends. @internal */
  _step(frame: Frame, failed: boolean, value: unknown): void {
    const index = this._waiting.indexOf(frame);
    if (index >= 0) this._waiting.splice(index, 1);
    if (this.done()) {
      // A branch that nobody awaited outlived its task: it gets what it waited for, and no task is current.
      frame.resume(failed, value);
      return;
    }
    if (this._mustCancel) {
      if (!failed || !isCancelled(value)) value = this._makeCancelledError();
      failed = true;
      this._mustCancel = false;
    }
    // Left by the loop, once the promise jobs of the step are done too.
    enterTask(this._loop, this);
    frame.resume(failed, value);
  }

  /** The coroutine waits for `future` in `frame`; for the next iteration if there is no future. @internal */
  _block(future: Future | undefined, frame: Frame): void {
    if (future === undefined || future === null) {
      frame.future = null;
      this._waiting.push(frame);
      this._loop.callSoon(callSubject, frame, null);
      return;
    }
    const misuse = misuseOf(future, this);
    if (misuse !== null) {
      this._loop.callSoon(callSubject, new MisuseStep(frame), misuse);
      return;
    }
    frame.future = future;
    this._waiting.push(frame);
    try {
      if (future.done()) {
        this._loop.callSoon(callSubject, frame, future);
        return;
      }
      if (future instanceof Future) future._addFrame(frame);
      else (future as Future).addDoneCallback((done) => frame.call(done));
      if (this._mustCancel && future.cancel(this._cancelMessage)) this._mustCancel = false;
    } catch (error) {
      // Somebody else's future: who waits for it is told.
      this._waiting.splice(this._waiting.indexOf(frame), 1);
      this._loop.callSoon(callSubject, new MisuseStep(frame), error);
    }
  }

  /** `await future` in an async function of this task. @internal */
  _awaitThenable(future: Future, ok: (value: unknown) => void, fail: (reason: unknown) => void): void {
    this._block(future, new ThenableFrame(this, ok, fail));
  }

  /** Goes on with what a function returned: a generator to drive, something to wait for, or the result. @internal */
  _follow(result: unknown): void {
    let generator: CoroutineGenerator<unknown> | null = null;
    let isPromise: boolean;
    try {
      if (result instanceof Coroutine) generator = result._take();
      else if (isGenerator(result)) generator = result;
      else if (isFuture(result)) generator = result[Symbol.iterator]();
      isPromise = generator === null && isPromiseLike(result);
    } catch (error) {
      // Even to look at it failed: it ran already, or its getters throw.
      this._threw(error);
      return;
    }
    if (generator !== null) this._drive(generator);
    else if (isPromise) {
      // The outcome arrives by a microtask, in the same handle as the coroutine's last step.
      Promise.resolve(result as PromiseLike<unknown>).then(
        (value) => this._returned(value as T),
        (reason: unknown) => this._threw(reason),
      );
      if (!this._loop._run.drains) this._refuseAsync();
    } else this._returned(result as T);
  }

  /** @internal */
  _drive(generator: CoroutineGenerator<unknown>): void {
    this.#generatorFrame(generator).resume(false, undefined);
  }

  /** The coroutine returned. @internal */
  _returned(value: T): void {
    if (this.done()) return;
    if (this._mustCancel) {
      this._mustCancel = false;
      super.cancel(this._cancelMessage);
    } else super.setResult(value);
    this.#ended();
  }

  /** The coroutine threw. @internal */
  _threw(error: unknown): void {
    if (this.done()) return;
    if (isCancelled(error)) {
      this._cancelledError = error;
      super.cancel();
    } else {
      this._fail(error);
      if (isFatal(error)) this._loop._run.escape(error);
    }
    this.#ended();
  }

  /** This run of the loop cannot go on with an async function: it ends, and says what to do. @internal */
  _refuseAsync(): void {
    const error = new RuntimeError(
      'an async function cannot run in a synchronous run of the loop that was started from inside a promise job (after ' +
        'an await, or at the top level of an ES module): use the hosted verbs (await run(main), await ' +
        'loop.runUntilComplete(...)), start the synchronous run from a plain callback such as setImmediate, or write ' +
        'the coroutine as a generator function',
      'ERR_SYNC_RUN_IN_MICROTASK',
    );
    this._threw(error);
    this._retrieve();
    this._loop._run.escape(error);
  }

  /** @internal */
  override _remembered(): { className: string; name: string | null } {
    return { className: 'Task', name: this._name };
  }

  /** @internal */
  override _reprInfo(): string[] {
    const info = super._reprInfo();
    if (this._numCancelsRequested > 0 && !this.done()) info[0] = 'cancelling';
    const own = [`name='${this._name}'`, `coro=${coroutineName(this.#coroutine)}`];
    const waits = this._waiting.flatMap(({ future }) => (future === null ? [] : [shortName(future)]));
    if (waits.length > 0) own.push(`wait_for=${waits.join(', ')}`);
    info.splice(1, 0, ...own);
    return info;
  }

  /** asyncio: __eager_start. */
  #startEagerly(frame: Frame): void {
    const loop = this._loop;
    loop._tasks.add(this);
    const previous = swapCurrentTask(loop, null);
    try {
      this._step(frame, false, undefined);
    } finally {
      swapCurrentTask(loop, previous);
    }
  }

  #obey(signal: AbortSignal): void {
    if (typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') {
      throw typeError(`a signal is an AbortSignal, not ${inspect(signal, { depth: 0 })}`);
    }
    if (signal.aborted) {
      this.cancel(signal.reason);
      return;
    }
    const cancel = (): void => {
      this.cancel(signal.reason);
    };
    signal.addEventListener('abort', cancel, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', cancel);
  }

  #ended(): void {
    this._loop._tasks.delete(this);
    this.#unlisten?.();
    this.#unlisten = null;
  }

  #firstFrame(coroutine: CoroutineLike<T>): Frame {
    if (coroutine instanceof Coroutine) return this.#generatorFrame(coroutine._take());
    if (isGenerator(coroutine)) return this.#generatorFrame(coroutine);
    return new FunctionFrame(this, coroutine);
  }

  #generatorFrame(generator: CoroutineGenerator<unknown>): Frame {
    return new GeneratorFrame(
      this,
      generator,
      (value) => this._returned(value as T),
      (reason) => this._threw(reason),
    );
  }
}

/** Whether a coroutine may go on outside of the task's steps; any function can return a promise. */
function mayBeAsync(coroutine: CoroutineLike<unknown>): boolean {
  return typeof coroutine === 'function' && !isGeneratorFunction(coroutine);
}

function coroutineName(coroutine: unknown): string {
  if (typeof coroutine === 'function') return `${nameOf(coroutine)}()`;
  return coroutine instanceof Coroutine ? inspect(coroutine) : '<generator>';
}

function shortName(future: Future): string {
  const name = future instanceof Task ? ` name='${future.getName()}'` : '';
  return `<${future.constructor.name} ${future.done() ? 'done' : 'pending'}${name}>`;
}

/**
 * Runs a coroutine beside the others on the running loop; nothing of it runs now. asyncio: create_task.
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP), and as `loop.createTask`
 */
export function createTask<T>(coroutine: CoroutineLike<T>, options: TaskOptions = {}): Task<T> {
  return getRunningLoop().createTask(coroutine, options);
}

/**
 * The tasks of a loop that are not done. asyncio: all_tasks.
 * @param loop the running one if left out
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP) if none is given and none is running
 */
export function allTasks(loop: BaseEventLoop | null = null): Set<Task> {
  return new Set((loop ?? getRunningLoop())._tasks);
}
