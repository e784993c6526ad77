// context.ts: the asynchronous context, what `AsyncLocalStorage` carries. asyncio: contextvars. A copy is an AsyncResource
// and not `AsyncLocalStorage.snapshot()`, which costs a hundred times as much in Node 20.
//
// The context also carries the task whose code this is, so that an async function is still known after a foreign promise
// (fetch, fs), outside of any handle. But in Node up to 22 the first use of any AsyncLocalStorage makes each promise and each
// timer of the process dearer, others' included. So it is used from the first need on (`carryTasks`): when a task runs what
// may be an async function, or somebody awaits. Generators and callbacks run inside of handles only, where what the
// loop notes (`_currentTask`) is enough.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import type { Task } from './task';

// undefined: the context was made before the first need, or outside of any loop; null: in a callback, where no task is.
const taskContext = new AsyncLocalStorage<Task | null>();

let isCarried = false;

const manual = { requireManualDestroy: true };

function make(): AsyncResource {
  return new AsyncResource('FdloopContext', manual);
}

/** From now on contexts carry their task. May be called again. */
export function carryTasks(): void {
  isCarried = true;
}

/** Whether contexts carry their task already. */
export function areTasksCarried(): boolean {
  return isCarried;
}

/** The task that the present context carries; null in a callback, undefined where the context does not tell. */
export function carriedTask(): Task | null | undefined {
  return taskContext.getStore();
}

/**
 * A copy of the present context, or of the one given, in which `task` is the current task (null: none is, as in any
 * callback of the loop).
 */
export function copyContext(task: Task | null, given?: AsyncResource): AsyncResource {
  const copy = isCarried ? () => taskContext.run(task, make) : make;
  if (given === undefined) return copy();
  if (typeof (given as Partial<AsyncResource> | null)?.runInAsyncScope !== 'function') {
    throw typeError(`a context is an AsyncResource, not ${inspect(given, { depth: 0 })}`);
  }
  return given.runInAsyncScope(copy);
}

/** A copy of the present context for a callback of the loop: no task is current in it. */
export function captureContext(): AsyncResource {
  return !isCarried || taskContext.getStore() == null ? make() : taskContext.run(null, make);
}

/** Calls `body` in a step of `task`, where the context carries it. That of a task made before the first need does so from now on. */
export function runInTask<T>(task: Task, body: () => T): T {
  carryTasks();
  if (taskContext.getStore() === task) return body();
  task._context = copyContext(task, task._context);
  return taskContext.run(task, body);
}
