// current.ts: which task is running. The asynchronous context says so wherever an async function or a generator of a
// task runs, and also after a foreign promise (fetch, fs), outside of any handle. What the loop notes for the length of
// a step is for what has lost its context.

import { RuntimeError } from '../base/errors';
import { _getCurrentLoop, _getRunningLoop } from '../base/running-loop';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { carriedTask, carryTasks } from './context';
import type { Task } from './task';

/**
 * The loop that is running here. asyncio: get_running_loop.
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP) if none is
 */
export function getRunningLoop(): BaseEventLoop {
  const loop = runningLoop();
  if (loop === null) throw new RuntimeError('no running event loop', 'ERR_NO_RUNNING_LOOP');
  return loop;
}

function runningLoop(): BaseEventLoop | null {
  const carried = carriedTask();
  // Code of a task may go on in the turn of another loop, after a promise that was settled there.
  if (carried != null && !carried.done()) return carried._loop;
  return _getRunningLoop() ?? carried?._loop ?? null;
}

/**
 * The running loop, or else the one that was set. It is also the loop of what is made without one: a future, the task of
 * `ensureFuture`, a `StreamReader`. asyncio: get_event_loop.
 * @throws RuntimeError (ERR_NO_EVENT_LOOP) if there is neither: none is made behind your back
 */
export function getEventLoop(): BaseEventLoop {
  const loop = runningLoop() ?? _getCurrentLoop();
  if (loop === null) throw new RuntimeError('no event loop is running, and none was set', 'ERR_NO_EVENT_LOOP');
  return loop;
}

/**
 * The task whose step is running, or null. asyncio: current_task.
 * @param loop the running one if left out
 * @throws RuntimeError (ERR_NO_RUNNING_LOOP) if none is given and none is running
 */
export function currentTask(loop: BaseEventLoop | null = null): Task | null {
  const carried = carriedTask();
  const chosen = loop ?? getRunningLoop();
  if (carried === undefined) return chosen._currentTask;
  return carried !== null && carried._loop === chosen && !carried.done() ? carried : null;
}

/** Whether a loop is running here: this is one of its callbacks, or the code of one of its tasks. */
export function isInsideLoop(): boolean {
  return _getRunningLoop() !== null || taskHere() !== null;
}

/** The task that an `await` here suspends, of whatever loop. @internal */
export function awaitingTask(): Task | null {
  carryTasks();
  return taskHere();
}

function taskHere(): Task | null {
  const carried = carriedTask();
  if (carried === undefined) return _getRunningLoop()?._currentTask ?? null;
  return carried !== null && !carried.done() ? carried : null;
}

/** Notes that a step of `task` begins. asyncio: _enter_task. @throws RuntimeError if another task is in a step @internal */
export function enterTask(loop: BaseEventLoop, task: Task): void {
  const current = loop._currentTask;
  if (current !== null && current !== task) {
    throw new RuntimeError(
      `cannot enter task ${task._name} while task ${current._name} is being executed`,
      'ERR_TASK_RUNNING',
    );
  }
  loop._currentTask = task;
}

/** Makes `task` the current one within another's step. asyncio: _swap_current_task. @returns the one it was @internal */
export function swapCurrentTask(loop: BaseEventLoop, task: Task | null): Task | null {
  const previous = loop._currentTask;
  loop._currentTask = task;
  return previous;
}
