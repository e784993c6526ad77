// runner.ts: from a main function to its result, with a loop of its own that leaves nothing behind. asyncio: runners.py.

import { inspect } from 'node:util';

import { RuntimeError, ValueError } from './base/errors';
import { _getRunningLoop } from './base/running-loop';
import { SelectorEventLoop } from './event-loop';
import { Future } from './futures/future';
import { isCoroutineLike, type CoroutineLike } from './futures/coroutine';
import { allTasks, type Task } from './futures/task';
import type { CoroutineGenerator } from './futures/frame';

export interface RunOptions {
  /** Debug mode of the loop; its own default (FDLOOP_DEBUG) if left out. */
  debug?: boolean;
  /** Makes the loop; a SelectorEventLoop with the best selector if left out. */
  loopFactory?: () => SelectorEventLoop;
}

function prepare<T>(main: CoroutineLike<T>, options: RunOptions): { loop: SelectorEventLoop; task: Task<T> } {
  if (_getRunningLoop() !== null) {
    throw new RuntimeError('run() cannot be called from a running event loop', 'ERR_LOOP_RUNNING');
  }
  if (!isCoroutineLike(main)) {
    throw new ValueError(`a coroutine or a function was expected, not ${inspect(main, { depth: 0 })}`);
  }
  const loop = options.loopFactory === undefined ? new SelectorEventLoop() : options.loopFactory();
  if (options.debug !== undefined) loop.setDebug(options.debug);
  return { loop, task: loop.createTask(main) };
}

/**
 * Runs `main` on a new loop, hosted: Node's own timers, files and servers go on. Tasks that are left over are cancelled,
 * and the loop is closed. asyncio: run.
 * @returns a promise of what `main` gives
 * @throws RuntimeError (ERR_LOOP_RUNNING) from inside a running loop, ValueError for what cannot be run
 */
export function run<T>(main: CoroutineLike<T>, options: RunOptions = {}): Promise<T> {
  const { loop, task } = prepare(main, options);
  return runHosted(loop, task);
}

async function runHosted<T>(loop: SelectorEventLoop, task: Task<T>): Promise<T> {
  try {
    return await loop.runUntilComplete(task);
  } finally {
    try {
      await loop.runUntilComplete(cancelLeftovers(loop));
    } finally {
      loop.close();
    }
  }
}

/**
 * As `run`, in the calling stack: it owns the thread until `main` is done. asyncio: run.
 * @throws what `main` throws, and as `run`; RuntimeError (ERR_SYNC_RUN_IN_MICROTASK) when called from inside a promise job
 * for an async function
 */
export function runSync<T>(main: CoroutineLike<T>, options: RunOptions = {}): T {
  const { loop, task } = prepare(main, options);
  try {
    return loop.runUntilCompleteSync(task);
  } finally {
    try {
      loop.runUntilCompleteSync(cancelLeftovers(loop));
    } finally {
      loop.close();
    }
  }
}

/** Cancels every task, waits for all of them, and reports those that ended with an exception of their own. */
function* cancelLeftovers(loop: SelectorEventLoop): CoroutineGenerator<void> {
  const tasks = [...allTasks(loop)].filter((task) => task !== loop._currentTask);
  for (const task of tasks) task.cancel();
  for (const task of tasks) yield* ended(loop, task);
  for (const task of tasks) {
    if (task.cancelled() || task.exception() === null) continue;
    loop.callExceptionHandler({
      message: 'unhandled exception during run() shutdown',
      exception: task.exception(),
      task,
    });
  }
}

function* ended(loop: SelectorEventLoop, task: Task): CoroutineGenerator<void> {
  const waiter = new Future<void>(loop);
  task.addDoneCallback(() => waiter.setResult(undefined));
  yield* waiter;
}
