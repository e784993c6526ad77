// runs.ts: how a run begins and ends, hosted or synchronous. asyncio: run_forever, run_until_complete. What is true
// meanwhile is in run-state.ts.

import { isFatal, NotImplementedError, RuntimeError } from '../base/errors';
import { canDrainMicrotasks, hasDrain } from '../base/microtasks';
import { _getRunningLoop, _setRunningLoop } from '../base/running-loop';
import { ensureFuture, type Awaitable } from '../futures/ensure-future';
import { isFuture, type Future } from '../futures/future';
import type { BaseEventLoop } from './base-event-loop';
import { runSynchronously } from './driver';
import { HostedDriver } from './hosted-driver';

export function runForever(loop: BaseEventLoop): Promise<void> {
  checkMayRun(loop);
  if (!hasDrain) throw new NotImplementedError('this runtime cannot run promise jobs in a turn', 'ERR_NO_DRAIN');
  const driver = new HostedDriver(loop);
  loop._run.begin(driver, true);
  return driver.run().finally(() => endRun(loop));
}

export function runForeverSync(loop: BaseEventLoop): void {
  checkMayRun(loop);
  loop._run.checkMayBlock('runForeverSync()');
  loop._run.begin(loop._run.syncDriver, canDrainMicrotasks());
  _setRunningLoop(loop);
  try {
    runSynchronously(loop);
  } finally {
    _setRunningLoop(null);
    endRun(loop);
  }
}

export function runUntilComplete<T>(loop: BaseEventLoop, awaitable: Awaitable<T>): Promise<T> {
  checkMayRun(loop);
  const awaited = new AwaitedByRun(awaitable, loop);
  const fail = (error: unknown): never => {
    awaited.runFailed();
    awaited.runEnded();
    throw error;
  };
  let run: Promise<void>;
  try {
    run = loop.runForever();
  } catch (error) {
    // It did not even begin.
    return fail(error);
  }
  return run.then(() => {
    awaited.runEnded();
    return awaited.result();
  }, fail);
}

export function runUntilCompleteSync<T>(loop: BaseEventLoop, awaitable: Awaitable<T>): T {
  checkMayRun(loop);
  loop._run.checkMayBlock('runUntilCompleteSync()');
  const awaited = new AwaitedByRun(awaitable, loop);
  try {
    loop.runForeverSync();
  } catch (error) {
    awaited.runFailed();
    throw error;
  } finally {
    awaited.runEnded();
  }
  return awaited.result();
}

// asyncio: _check_closed, _check_running.
function checkMayRun(loop: BaseEventLoop): void {
  loop._checkClosed();
  if (loop.isRunning()) throw new RuntimeError('This event loop is already running', 'ERR_LOOP_RUNNING');
  if (_getRunningLoop() !== null) {
    throw new RuntimeError('Cannot run the event loop while another loop is running', 'ERR_LOOP_RUNNING');
  }
}

function endRun(loop: BaseEventLoop): void {
  loop._stopping = false;
  loop._run.end();
}

/** What a run waits for. It stops its loop when it is done. */
class AwaitedByRun<T> {
  readonly #future: Future<T>;
  readonly #isNew: boolean;

  constructor(awaitable: Awaitable<T>, loop: BaseEventLoop) {
    this.#isNew = !isFuture(awaitable);
    this.#future = ensureFuture(awaitable, loop);
    this.#future.addDoneCallback(stopItsLoop);
  }

  /** The run's own exception is about to be thrown: the task's is no news. */
  runFailed(): void {
    const future = this.#future;
    if (this.#isNew && future.done() && !future.cancelled()) future.exception();
  }

  runEnded(): void {
    this.#future.removeDoneCallback(stopItsLoop);
  }

  result(): T {
    if (!this.#future.done()) {
      throw new RuntimeError('Event loop stopped before the future completed', 'ERR_LOOP_STOPPED');
    }
    return this.#future.result();
  }
}

/** Ends the run whose future is done, unless the run has ended by that very exception already. */
function stopItsLoop(future: Future): void {
  if (!future.cancelled() && future._failed && isFatal(future._exception)) return;
  future._loop.stop();
}
