// executor.ts: results of other threads in the loop. asyncio: run_in_executor, to_thread, the default executor. The threads
// are the business of thread-pool.ts.
//
//   runInExecutor -> pool -> worker: runs the function, posts the result, wakes the loop through its self-pipe
//   self-pipe read -> pool takes what was posted -> the future of the loop is done

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { typeError } from '../base/errors';
import { Coroutine, isPromiseLike } from '../futures/coroutine';
import { getRunningLoop } from '../futures/current';
import { wrapPromise } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from './selector-event-loop';
import type { ExecutorFunction, ModuleFunction } from './sendable';
import { ThreadPoolExecutor } from './thread-pool';
import { closeWakeEnd, openWakeEnd, type OutsideSource, type WakerHandle } from './waker';

/** Anything that runs functions: `submit` is called on the loop's thread, its result is awaited by the loop. */
export interface Executor {
  submit(fn: ExecutorFunction<never[], unknown>, ...args: unknown[]): PromiseLike<unknown>;
}

/** The calls that one loop waits for. */
class LoopCalls implements OutsideSource {
  readonly waker: WakerHandle;
  readonly #wakeEnds: Set<WakerHandle>;
  readonly #calls = new Map<Future, ThreadPoolExecutor>();

  constructor(loop: BaseSelectorEventLoop) {
    this.waker = openWakeEnd(loop);
    this.#wakeEnds = loop._wakeEnds;
    loop._addOutsideSource(this);
  }

  add(future: Future, pool: ThreadPoolExecutor): void {
    this.#calls.set(future, pool);
  }

  delete(future: Future): void {
    this.#calls.delete(future);
  }

  get pending(): number {
    return [...this.#calls.keys()].filter((future) => !future.done()).length;
  }

  check(): void {
    Atomics.store(this.waker.state, 1, 0);
    for (const pool of new Set(this.#calls.values())) pool._poll();
  }

  close(): void {
    closeWakeEnd(this.#wakeEnds, this.waker);
    this.#calls.clear();
  }
}

const callsByLoop = new WeakMap<BaseSelectorEventLoop, LoopCalls>();

function callsOf(loop: BaseSelectorEventLoop): LoopCalls {
  let calls = callsByLoop.get(loop);
  if (calls === undefined) {
    calls = new LoopCalls(loop);
    callsByLoop.set(loop, calls);
  }
  return calls;
}

/** asyncio: run_in_executor. */
export function runInExecutor(
  loop: BaseSelectorEventLoop,
  executor: Executor | null,
  fn: unknown,
  args: unknown[],
): Future {
  loop._checkClosed();
  let chosen = executor;
  if (chosen === null) {
    chosen = loop._defaultExecutor.take();
  }
  if (chosen instanceof ThreadPoolExecutor) return callOnThread(loop, chosen, fn, args);
  if (typeof chosen?.submit !== 'function') {
    throw typeError(`an executor has a method submit, or is null for the default one, not ${inspect(chosen)}`);
  }
  const submitted = chosen.submit(fn as ModuleFunction, ...args);
  if (!isPromiseLike(submitted)) throw typeError(`submit() gave no promise but ${inspect(submitted, { depth: 0 })}`);
  const future = wrapPromise(submitted, loop);
  const { cancel } = submitted as { cancel?: () => unknown };
  if (typeof cancel === 'function') {
    future.addDoneCallback(() => (future.cancelled() ? cancel.call(submitted) : undefined));
  }
  return future;
}

// asyncio: futures._chain_future.
function callOnThread(loop: BaseSelectorEventLoop, pool: ThreadPoolExecutor, fn: unknown, args: unknown[]): Future {
  const calls = callsOf(loop);
  const submission = pool._submit(calls.waker, fn, args);
  const future = new Future(loop);
  calls.add(future, pool);
  submission._whenDone((failed, value) => {
    calls.delete(future);
    if (loop.isClosed() || future.done()) return;
    if (submission.cancelled()) future.cancel();
    else if (failed) future._fail(value);
    else future.setResult(value);
  });
  future.addDoneCallback(() => {
    if (future.cancelled()) submission.cancel();
  });
  return future;
}

/** asyncio: set_default_executor. */
export function setDefaultExecutor(loop: BaseSelectorEventLoop, executor: ThreadPoolExecutor): void {
  if (!(executor instanceof ThreadPoolExecutor)) {
    throw typeError(`the default executor must be a ThreadPoolExecutor, not ${inspect(executor, { depth: 0 })}`);
  }
  loop._defaultExecutor.pool = executor;
}

/** asyncio: shutdown_default_executor. */
export function* shutdownDefaultExecutor(
  loop: BaseSelectorEventLoop,
  timeout: Seconds | null,
): CoroutineGenerator<void> {
  loop._defaultExecutor.isShutDown = true;
  const executor = loop._defaultExecutor.pool;
  if (executor === null) return;
  const isOver = new Future<boolean>(loop);
  const finish = (ended: boolean): void => {
    if (!loop.isClosed() && !isOver.done()) isOver.setResult(ended);
  };
  // Differs from asyncio: in 3.12 the time limit does not limit this wait; it does from 3.13 on (LOOP-081).
  const timer = timeout === null ? null : loop.callLater(timeout, finish, false);
  const calls = callsOf(loop);
  calls.add(isOver, executor);
  try {
    // Node tells of the end of a thread only where its own loop turns; elsewhere the end of its work must do.
    if (loop._run.isHosted) void executor.shutdown().then(() => finish(true));
    else executor._onceDrained(calls.waker, () => finish(true));
    if (yield* isOver) {
      void executor.shutdown({ wait: false });
      return;
    }
    process.emitWarning(`the executor has not ended within ${timeout} seconds`, 'RuntimeWarning');
    void executor.shutdown({ wait: false });
  } finally {
    timer?.cancel();
    calls.delete(isOver);
  }
}

/**
 * Runs `fn(...args)` on a thread of the running loop's default executor; see `ExecutorFunction` for what it may be. The
 * asynchronous context does not go with it: JavaScript has it on one thread only. asyncio: to_thread.
 */
export function toThread<A extends unknown[], R>(fn: ExecutorFunction<A, R>, ...args: A): Coroutine<Awaited<R>> {
  function* calling(): CoroutineGenerator<Awaited<R>> {
    const loop = getRunningLoop() as BaseSelectorEventLoop;
    return (yield* runInExecutor(loop, null, fn, args)) as Awaited<R>;
  }
  return new Coroutine(calling());
}
