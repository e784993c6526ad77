// runner.ts: from a main function to its result, with a loop of its own that leaves nothing behind. asyncio: runners.py.
//
//   created --first use--> initialized --close--> closed

import type { AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { THREAD_JOIN_TIMEOUT, type Seconds } from './base/constants';
import { isCancelled, KeyboardInterrupt, RuntimeError, ValueError } from './base/errors';
import { checkOptions, type OptionNames } from './base/options';
import { SIGINT } from './base/signal-number';
import { SelectorEventLoop } from './event-loop';
import { copyContext } from './futures/context';
import { isCoroutineLike, type CoroutineLike } from './futures/coroutine';
import { isInsideLoop } from './futures/current';
import type { Awaitable } from './futures/ensure-future';
import { gather } from './futures/gather';
import { allTasks, type Task } from './futures/task';
import { hasSignals, type SignalHandlers } from './loop/signals';

export interface RunOptions {
  /** Debug mode of the loop; its own default (FDLOOP_DEBUG) if left out. */
  debug?: boolean | undefined;
  /** Makes the loop; a SelectorEventLoop with the best selector if left out. */
  loopFactory?: (() => SelectorEventLoop) | undefined;
  /** Lets a synchronous run keep the thread in Electron's main process and renderers, which refuse it otherwise. */
  allowBlocking?: boolean | undefined;
}

const names: OptionNames<RunOptions> = { debug: true, loopFactory: true, allowBlocking: true };

export interface RunnerRunOptions {
  /** The asynchronous context of the main task; that of the runner's first use if left out. */
  context?: AsyncResource | undefined;
}

/**
 * Runs several main functions, one after the other, on one loop. asyncio: Runner. The verbs are there twice: `run` and
 * `close` are hosted (Node goes on meanwhile), `runSync` and `closeSync` keep the thread.
 *
 * While a run is on in the main thread, and nobody else listens for SIGINT, the first Ctrl-C cancels the main task, and a
 * second one ends the run at once with KeyboardInterrupt. A handler of the loop's own for SIGINT (`addSignalHandler`) takes
 * the place of this while it is there. Differs from asyncio: a callback that does not return is not interrupted, only what
 * comes after it. On Windows a synchronous run does not hear Ctrl-C, which ends the process there.
 */
export class Runner {
  readonly #options: RunOptions;
  #state: 'created' | 'initialized' | 'closed' = 'created';
  #loop: SelectorEventLoop | null = null;
  #context: AsyncResource | null = null;

  /** Makes nothing yet. @throws TypeError for an option that there is not */
  constructor(options: RunOptions = {}) {
    checkOptions('a runner', options, names);
    this.#options = options;
  }

  /** The loop, made at the first use of the runner. asyncio: get_loop. @throws RuntimeError (ERR_RUNNER_CLOSED) */
  getLoop(): SelectorEventLoop {
    if (this.#state === 'closed') throw new RuntimeError('Runner is closed', 'ERR_RUNNER_CLOSED');
    if (this.#loop === null) {
      const { loopFactory, debug, allowBlocking } = this.#options;
      const loop = loopFactory === undefined ? new SelectorEventLoop({ allowBlocking }) : loopFactory();
      if (debug !== undefined) loop.setDebug(debug);
      this.#context = copyContext(null);
      this.#loop = loop;
      this.#state = 'initialized';
    }
    return this.#loop;
  }

  /**
   * Runs `main` as a task, hosted.
   * @returns a promise of what `main` gives; rejected with what it throws, or KeyboardInterrupt after a Ctrl-C
   * @throws ValueError for what is no coroutine, RuntimeError if a loop is running here (ERR_LOOP_RUNNING) or the runner
   * is closed (ERR_RUNNER_CLOSED)
   */
  run<T>(main: CoroutineLike<T>, options: RunnerRunOptions = {}): Promise<T> {
    return runHosted(this.#createMain(main, options));
  }

  /**
   * Runs `main` as a task, in the calling stack.
   * @throws what `main` throws, or KeyboardInterrupt after a Ctrl-C, and as `run`; RuntimeError (ERR_SYNC_RUN_IN_MICROTASK)
   * when called from inside a promise job for an async function, RuntimeError (ERR_BLOCKING_REFUSED) in Electron's main
   * process and renderers, unless `allowBlocking`
   */
  runSync<T>(main: CoroutineLike<T>, options: RunnerRunOptions = {}): T {
    const task = this.#createMain(main, options, 'runSync()');
    const interrupts = new Interrupts(task);
    if (hasSignals) interrupts.listenInLoop();
    try {
      return task._loop.runUntilCompleteSync(task);
    } catch (error) {
      throw interrupts.outcome(error);
    } finally {
      interrupts.close();
    }
  }

  /**
   * Cancels the tasks that are left over and waits for them, shuts the executor down, and closes the loop. May be
   * called again, and does nothing to a runner that was never used.
   */
  async close(): Promise<void> {
    const loop = this.#retire();
    if (loop === null) return;
    try {
      const leftover = cancelAll(loop);
      if (leftover.length > 0) await loop.runUntilComplete(gather(leftover, { returnExceptions: true }));
      report(loop, leftover);
      const shutdown = executorShutdown(loop);
      if (shutdown !== null) await loop.runUntilComplete(shutdown);
    } finally {
      loop.close();
    }
  }

  /** As `close`, in the calling stack. */
  closeSync(): void {
    const loop = this.#retire();
    if (loop === null) return;
    try {
      const leftover = cancelAll(loop);
      if (leftover.length > 0) loop.runUntilCompleteSync(gather(leftover, { returnExceptions: true }));
      report(loop, leftover);
      const shutdown = executorShutdown(loop);
      if (shutdown !== null) loop.runUntilCompleteSync(shutdown);
    } finally {
      loop.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.dispose](): void {
    this.closeSync();
  }

  [inspect.custom](): string {
    return `<Runner ${this.#state}>`;
  }

  #createMain<T>(main: CoroutineLike<T>, options: RunnerRunOptions, blockingVerb?: string): Task<T> {
    if (!isCoroutineLike(main)) {
      throw new ValueError(`a coroutine or a function was expected, not ${inspect(main, { depth: 0 })}`);
    }
    if (isInsideLoop()) {
      throw new RuntimeError('run() cannot be called from a running event loop', 'ERR_LOOP_RUNNING');
    }
    const loop = this.getLoop();
    // Before there is a task that nobody would run.
    if (blockingVerb !== undefined) loop._run.checkMayBlock(blockingVerb);
    return loop.createTask(main, { context: options.context ?? (this.#context as AsyncResource) });
  }

  /** @returns the loop if it is to be closed */
  #retire(): SelectorEventLoop | null {
    // asyncio: closing a runner that was not used leaves it as it is.
    if (this.#state !== 'initialized') return null;
    if (isInsideLoop()) {
      throw new RuntimeError('a runner cannot be closed from a running event loop', 'ERR_LOOP_RUNNING');
    }
    this.#state = 'closed';
    return this.#loop;
  }
}

/**
 * Runs `main` on a new loop, hosted: Node's own timers, files and servers go on. Tasks that are left over are cancelled,
 * and the loop is closed. For Ctrl-C see `Runner`. asyncio: run.
 * @returns a promise of what `main` gives
 * @throws RuntimeError (ERR_LOOP_RUNNING) from inside a running loop, ValueError for what cannot be run
 */
export function run<T>(main: CoroutineLike<T>, options: RunOptions = {}): Promise<T> {
  const runner = new Runner(options);
  let result: Promise<T>;
  try {
    result = runner.run(main);
  } catch (error) {
    // Nothing runs yet: the loop, if there is one, can go at once.
    runner.closeSync();
    throw error;
  }
  return result.finally(() => runner.close());
}

/**
 * As `run`, in the calling stack: it owns the thread until `main` is done. Listeners of `process.on` are not called
 * meanwhile; `loop.addSignalHandler` is heard, and Ctrl-C as `Runner` says. asyncio: run.
 * @throws what `main` throws, and as `run`; RuntimeError (ERR_SYNC_RUN_IN_MICROTASK) when called from inside a promise job
 * for an async function, RuntimeError (ERR_BLOCKING_REFUSED) as `Runner.runSync`
 */
export function runSync<T>(main: CoroutineLike<T>, options: RunOptions = {}): T {
  const runner = new Runner(options);
  try {
    return runner.runSync(main);
  } finally {
    runner.closeSync();
  }
}

async function runHosted<T>(main: Task<T>): Promise<T> {
  const interrupts = new Interrupts(main);
  interrupts.listenInNode();
  try {
    return await main._loop.runUntilComplete(main);
  } catch (error) {
    throw interrupts.outcome(error);
  } finally {
    interrupts.close();
  }
}

/** Ctrl-C during a run of a main task. asyncio: Runner._on_sigint, and its part of Runner.run. */
class Interrupts {
  readonly #main: Task;
  readonly #signals: SignalHandlers;
  // Whoever listens already has plans of their own.
  readonly #mayListen = isMainThread && process.listenerCount('SIGINT') === 0;
  #count = 0;

  constructor(main: Task) {
    this.#main = main;
    this.#signals = (main._loop as SelectorEventLoop)._signals;
  }

  /** Node's own loop goes on, and tells between two turns. */
  listenInNode(): void {
    if (this.#mayListen) process.on('SIGINT', this.#onSignal);
  }

  /** Node's own loop stands still: the signal comes through the self-pipe. */
  listenInLoop(): void {
    if (this.#mayListen) this.#signals.setInterrupt(this.#onInterrupt);
  }

  close(): void {
    process.removeListener('SIGINT', this.#onSignal);
    if (!this.#main._loop.isClosed()) this.#signals.setInterrupt(null);
  }

  /** What the run throws in the place of `error`. */
  outcome(error: unknown): unknown {
    const isOurs = isCancelled(error) && this.#count > 0;
    return isOurs && this.#main.uncancel() === 0 ? new KeyboardInterrupt() : error;
  }

  readonly #onSignal = (): void => {
    if (!this.#signals.has(SIGINT)) this.#onInterrupt();
  };

  readonly #onInterrupt = (): void => {
    this.#count += 1;
    if (this.#count === 1 && !this.#main.done()) this.#main.cancel();
    else this.#main._loop._run.escape(new KeyboardInterrupt());
  };
}

function cancelAll(loop: SelectorEventLoop): Task[] {
  const tasks = [...allTasks(loop)];
  for (const task of tasks) task.cancel();
  return tasks;
}

/** Tells of the leftover tasks that did not end by the cancellation. */
function report(loop: SelectorEventLoop, tasks: readonly Task[]): void {
  for (const task of tasks) {
    if (task.cancelled() || !task._failed) continue;
    loop.callExceptionHandler({
      message: 'unhandled exception during run() shutdown',
      exception: task.exception(),
      task,
    });
  }
}

function executorShutdown(loop: SelectorEventLoop): Awaitable<unknown> | null {
  const { shutdownDefaultExecutor } = loop as { shutdownDefaultExecutor?: (timeout: Seconds) => Awaitable<unknown> };
  return shutdownDefaultExecutor === undefined ? null : shutdownDefaultExecutor.call(loop, THREAD_JOIN_TIMEOUT);
}
