// eager.ts: tasks whose first step runs inside createTask. asyncio: tasks.create_eager_task_factory.

import type { BaseEventLoop, TaskFactory } from '../loop/base-event-loop';
import type { CoroutineLike } from './coroutine';
import { Task, type TaskOptions } from './task';

/** Makes a task, with the arguments of the constructor of `Task`. */
export type TaskConstructor = <T>(coroutine: CoroutineLike<T>, loop: BaseEventLoop, options: TaskOptions) => Task<T>;

/**
 * A task factory that starts its tasks eagerly. asyncio: create_eager_task_factory.
 * @param customTaskConstructor called with `eagerStart: true` among the options
 */
export function createEagerTaskFactory(customTaskConstructor: TaskConstructor): TaskFactory {
  return (loop, coroutine, options) => customTaskConstructor(coroutine, loop, { ...options, eagerStart: true });
}

/**
 * For `loop.setTaskFactory`: the first step of a task runs inside `createTask`, and one that ends without waiting is
 * done when the call returns, if it is a generator or a plain function. asyncio: eager_task_factory.
 */
export const eagerTaskFactory: TaskFactory = createEagerTaskFactory(
  (coroutine, loop, options) => new Task(coroutine, loop, options),
);
