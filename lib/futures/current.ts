// current.ts: which task is running. A step of a task runs inside a handle, and the loop notes the task there. A
// continuation after a foreign promise (fetch, fs) runs outside of any handle: there only the asynchronous context
// knows, so each async function is called inside one that carries its task.

import { AsyncLocalStorage } from 'node:async_hooks';

import { RuntimeError } from '../base/errors';
import { _getRunningLoop } from '../base/running-loop';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { Task } from './task';

/** @internal */
export const taskContext = new AsyncLocalStorage<Task>();

/**
 * The loop that is running here. asyncio: get_running_loop.
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP) if none is
 */
export function getRunningLoop(): BaseEventLoop {
  const loop = _getRunningLoop() ?? taskContext.getStore()?._loop;
  if (loop === undefined) throw new RuntimeError('no running event loop', 'ERR_NO_RUNNING_LOOP');
  return loop;
}

/**
 * The task whose step is running, or null. asyncio: current_task.
 * @param loop the running one if left out
 */
export function currentTask(loop: BaseEventLoop | null = null): Task | null {
  return awaitingTask(loop ?? getRunningLoop());
}

/** @internal */
export function awaitingTask(loop: BaseEventLoop): Task | null {
  const carried = taskContext.getStore();
  if (carried !== undefined && carried._loop === loop && !carried.done()) return carried;
  return loop._currentTask;
}
