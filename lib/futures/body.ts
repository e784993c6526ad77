// body.ts: running a piece of a task's coroutine that the caller gave as a function or as an awaitable: in the same task
// and without an iteration of the loop, as `async with` and a nested `await` do in Python.

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import { runInTask } from './context';
import {
  Coroutine,
  isAsyncFunction,
  isCoroutineLike,
  isGenerator,
  isGeneratorFunction,
  isPromiseLike,
} from './coroutine';
import { ensureFuture, type Awaitable } from './ensure-future';
import { SameStep, type CoroutineGenerator } from './frame';
import { isFuture, type Awaited } from './future';
import type { Task } from './task';

/** @throws TypeError for what is no function, such as a promise or a coroutine: it has to be called inside */
export function checkBody(body: unknown): void {
  if (typeof body === 'function') return;
  throw typeError(`a body is a function, such as async () => { ... }, not ${inspect(body, { depth: 0 })}`);
}

/**
 * Calls `body` and goes on with what it returned, until that is done.
 * @param call how it is called; with the task's signal, if it asks for it, if left out
 */
export function* runBody<T>(
  task: Task,
  body: (...args: never[]) => unknown,
  call: () => unknown = () => callBody(task, body),
): CoroutineGenerator<T> {
  if (isAsyncFunction(body) && !task._loop._run.drains) task._refuseAsync();
  const result = isGeneratorFunction(body) ? call() : runInTask(task, call);
  if (result instanceof Coroutine || isFuture(result) || isGenerator(result)) {
    return yield* result as Iterable<Awaited, unknown, unknown> as CoroutineGenerator<T>;
  }
  if (!isPromiseLike(result)) return result as T;
  if (!task._loop._run.drains) task._refuseAsync();
  // A generator may yield only what the loop can wait for, as far as users know: this is between us and the frame.
  return (yield new SameStep(result) as unknown as Awaited) as T;
}

function callBody(task: Task, body: (...args: never[]) => unknown): unknown {
  return body.length > 0 ? (body as (signal: AbortSignal) => unknown)(task.signal) : body();
}

/** `await awaitable` for whatever the library takes as an awaitable. A promise can be cancelled, being wrapped. */
export function* awaitIn<T>(task: Task, awaitable: Awaitable<T>): CoroutineGenerator<T> {
  if (isFuture(awaitable) || !isCoroutineLike(awaitable)) {
    return yield* ensureFuture(awaitable, isFuture(awaitable) ? null : task._loop);
  }
  if (typeof awaitable === 'function') return yield* runBody<T>(task, awaitable);
  return yield* awaitable as Iterable<Awaited, T, unknown> as CoroutineGenerator<T>;
}

/**
 * Takes back a cancellation that the library itself asked `task` for. One that could not be delivered, because the task
 * was waiting for a promise that is not the library's, is forgotten, lest it hits the next await.
 * @param others how many requests there were before
 * @returns how many there are left, and whether this one was never delivered
 */
export function takeBackCancel(task: Task, others: number): { left: number; undelivered: boolean } {
  const left = task.uncancel();
  const undelivered = task._mustCancel && left <= others;
  if (undelivered) task._mustCancel = false;
  return { left, undelivered };
}
