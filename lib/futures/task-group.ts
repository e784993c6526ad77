// task-group.ts: tasks that end before the block that made them does, all of them or none. asyncio: taskgroups.py.

import { inspect } from 'node:util';

import { ExceptionGroup, isCancelled, isFatal, RuntimeError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { checkBody, runBody, takeBackCancel } from './body';
import { closeCoroutine, Coroutine, type CoroutineFunction, type CoroutineLike } from './coroutine';
import { currentTask } from './current';
import type { CoroutineGenerator } from './frame';
import { Future } from './future';
import type { Task, TaskOptions } from './task';

/** Tasks made in the body of `run`, all of which are done when `run` is. asyncio: TaskGroup. */
export class TaskGroup {
  /** @internal */ _entered = false;
  /** @internal */ _exiting = false;
  /** @internal */ _aborting = false;
  /** @internal */ _loop: BaseEventLoop | null = null;
  /** @internal */ _parentTask: Task | null = null;
  /** @internal */ _parentCancelRequested = false;
  /** @internal */ readonly _tasks = new Set<Task>();
  /** @internal */ _errors: unknown[] = [];
  /** An error of the fatal pair; it is thrown alone. @internal */
  _baseError: { error: unknown } | null = null;
  /** @internal */ _onCompletedFut: Future<void> | null = null;

  /**
   * Runs `body` in the current task, then waits for every task of the group. The first failure, of a task or of the
   * body, cancels all the others, and the body too if it is still running.
   * @returns what `body` gives
   * @throws (when awaited) ExceptionGroup of all failures that are no cancellations; CancelledError if the task was
   * cancelled from outside; RuntimeError if run twice, or outside of a task
   */
  run<T>(body: CoroutineFunction<T, [TaskGroup]>): Coroutine<T> {
    return new Coroutine(this._run(body));
  }

  /**
   * Runs a coroutine as a task of the group. asyncio: create_task.
   * @throws RuntimeError (ERR_TASK_GROUP_STATE) before and after `run`, and when the group is already ending by an
   * error; as `loop.createTask`
   */
  createTask<T>(coroutine: CoroutineLike<T>, options: TaskOptions = {}): Task<T> {
    const refusal = this._refusal();
    if (refusal !== null) {
      // Differs from asyncio: 3.12 leaves the coroutine as it is; 3.13 closes it, as we do.
      closeCoroutine(coroutine);
      throw new RuntimeError(`the task group ${refusal}`, 'ERR_TASK_GROUP_STATE');
    }
    const task = (this._loop as BaseEventLoop).createTask(coroutine, options);
    // One that was started eagerly may be done; its outcome counts all the same.
    this._tasks.add(task);
    if (task.done()) this._onTaskDone(task);
    else task.addDoneCallback(() => this._onTaskDone(task));
    return task;
  }

  /** @internal */
  _refusal(): string | null {
    if (!this._entered) return 'has not been entered';
    if (this._exiting && this._tasks.size === 0) return 'is finished';
    if (this._aborting) return 'is shutting down';
    return null;
  }

  /** @internal */
  *_run<T>(body: CoroutineFunction<T, [TaskGroup]>): CoroutineGenerator<T> {
    checkBody(body);
    const task = this._enter();
    let outcome: { error: unknown } | { result: T };
    try {
      outcome = { result: yield* runBody<T>(task, body, () => body(this)) };
    } catch (error) {
      outcome = { error };
    }
    yield* this._exit(task, 'error' in outcome ? outcome : null);
    return (outcome as { result: T }).result;
  }

  /** asyncio: __aenter__. @internal */
  _enter(): Task {
    if (this._entered) throw new RuntimeError('a task group is entered only once', 'ERR_TASK_GROUP_STATE');
    const task = currentTask();
    if (task === null) throw new RuntimeError('a task group needs a parent task', 'ERR_NO_TASK');
    this._entered = true;
    this._loop = task._loop;
    this._parentTask = task;
    return task;
  }

  /** asyncio: __aexit__. Throws unless the body and all tasks ended well. @internal */
  *_exit(parent: Task, failure: { error: unknown } | null): CoroutineGenerator<void> {
    this._exiting = true;
    let cancellation = failure !== null && isCancelled(failure.error) ? failure : null;
    if (failure !== null) {
      if (isFatal(failure.error)) this._baseError ??= failure;
      if (!this._aborting) this._abort();
    }

    while (this._tasks.size > 0) {
      this._onCompletedFut ??= new Future<void>(parent._loop);
      try {
        yield* this._onCompletedFut;
      } catch (error) {
        // Only a cancellation gets here, and the tasks are waited for whatever comes.
        if (!this._aborting) {
          cancellation = { error };
          this._abort();
        }
      }
      this._onCompletedFut = null;
    }

    if (this._baseError !== null) throw this._baseError.error;
    // Differs from asyncio: 3.12 takes its own cancellation back before it waits for the tasks, and loses one from
    // outside that comes with an error; this is what 3.13 does.
    if (this._parentCancelRequested && takeBackCancel(parent, 0).left === 0) cancellation = null;
    if (cancellation !== null && this._errors.length === 0) throw cancellation.error;
    if (failure !== null && !isCancelled(failure.error)) this._errors.push(failure.error);
    if (this._errors.length === 0) return;
    if (parent.cancelling() > 0) {
      // The group of errors goes first; the request from outside comes back at the next await.
      parent.uncancel();
      parent.cancel();
    }
    throw new ExceptionGroup('unhandled errors in a task group', this._errors);
  }

  /** @internal */
  _abort(): void {
    this._aborting = true;
    for (const task of this._tasks) if (!task.done()) task.cancel();
  }

  /** @internal */
  _onTaskDone(task: Task): void {
    this._tasks.delete(task);
    const waiter = this._onCompletedFut;
    if (waiter !== null && this._tasks.size === 0 && !waiter.done()) waiter.setResult(undefined);
    if (task.cancelled() || !task._failed) return;

    const error = task.exception();
    this._errors.push(error);
    if (isFatal(error)) this._baseError ??= { error };
    const parent = this._parentTask as Task;
    if (parent.done()) {
      (this._loop as BaseEventLoop).callExceptionHandler({
        message: `Task ${inspect(task)} has failed, but its parent task ${inspect(parent)} is already done`,
        exception: error,
        task,
      });
      return;
    }
    if (!this._aborting && !this._parentCancelRequested) {
      this._abort();
      this._parentCancelRequested = true;
      parent.cancel();
    }
  }

  [inspect.custom](): string {
    const info = ['TaskGroup'];
    if (this._tasks.size > 0) info.push(`tasks=${this._tasks.size}`);
    if (this._errors.length > 0) info.push(`errors=${this._errors.length}`);
    if (this._aborting) info.push('cancelling');
    else if (this._entered) info.push('entered');
    return `<${info.join(' ')}>`;
  }
}

/**
 * `new TaskGroup().run(body)`. asyncio: `async with TaskGroup() as group`.
 * @throws (when awaited) as `TaskGroup.run`
 */
export function taskGroup<T>(body: CoroutineFunction<T, [TaskGroup]>): Coroutine<T> {
  return new TaskGroup().run(body);
}
