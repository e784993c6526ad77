// held.ts: a body that runs while something is held. asyncio: locks._ContextManagerMixin, `async with`.

import { RuntimeError } from '../base/errors';
import { awaitIn, checkBody, runBody } from '../futures/body';
import { Coroutine, type CoroutineFunction } from '../futures/coroutine';
import { currentTask } from '../futures/current';
import type { Awaitable } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import type { Task } from '../futures/task';
import { LoopBound } from './waiters';

/** What is acquired and released. */
export interface Held<H> {
  acquire(): Awaitable<H>;
  release(): void;
}

/** The task in which we are. @throws RuntimeError (ERR_NO_TASK) */
export function thisTask(): Task {
  const task = currentTask();
  if (task === null) throw new RuntimeError('this is for use inside a task', 'ERR_NO_TASK');
  return task;
}

/**
 * Runs `body` in the current task while `what` is held.
 * @param call how it is called, with what `acquire` gave
 */
export function runHeld<T, H>(
  what: Held<H>,
  body: (...args: never[]) => unknown,
  call: (held: H) => unknown,
): Coroutine<T> {
  return new Coroutine(holding<T, H>(what, body, call));
}

function* holding<T, H>(
  what: Held<H>,
  body: (...args: never[]) => unknown,
  call: (held: H) => unknown,
): CoroutineGenerator<T> {
  checkBody(body);
  const task = thisTask();
  const held = yield* awaitIn(task, what.acquire());
  try {
    return yield* runBody<T>(task, body, () => call(held));
  } finally {
    what.release();
  }
}

/** A primitive that a body can hold while it runs. */
export abstract class Holdable extends LoopBound implements Held<unknown> {
  abstract acquire(): Awaitable<unknown>;
  abstract release(): void;

  /** Runs `body` in the current task while holding this. asyncio: `async with`. @returns what `body` gives */
  run<T>(body: CoroutineFunction<T>): Coroutine<T> {
    return runHeld(this, body, () => body());
  }
}
