// context.ts: the asynchronous context, what `AsyncLocalStorage` carries. asyncio: contextvars. A copy is an AsyncResource
// and not `AsyncLocalStorage.snapshot()`, which costs a hundred times as much in Node 20.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

import type { Task } from './task';

/** The task whose code this is: it travels with promises, timers and copies of the context. @internal */
export const taskContext = new AsyncLocalStorage<Task | null>();

const manual = { requireManualDestroy: true };

function make(): AsyncResource {
  return new AsyncResource('FdloopContext', manual);
}

/**
 * A copy of the present context, or of the one given, in which `task` is the current task (null: none is, as in any
 * callback of the loop).
 */
export function copyContext(task: Task | null, given?: AsyncResource): AsyncResource {
  if (given === undefined) return taskContext.run(task, make);
  return given.runInAsyncScope(() => taskContext.run(task, make));
}

/** A copy of the present context for a callback of the loop: no task is current in it. */
export function captureContext(): AsyncResource {
  return taskContext.getStore() == null ? make() : taskContext.run(null, make);
}
