// held.ts: a body that runs while something is held. asyncio: locks._ContextManagerMixin, `async with`.

import { RuntimeError } from '../base/errors';
import { awaitIn, runBody } from '../futures/body';
import { Coroutine, type CoroutineFunction } from '../futures/coroutine';
import { currentTask } from '../futures/current';
import type { Awaitable } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import type { Task } from '../futures/task';

/** The task in which we are. @throws RuntimeError (ERR_NO_TASK) */
export function thisTask(): Task {
  const task = currentTask();
  if (task === null) throw new RuntimeError('this is for use inside a task', 'ERR_NO_TASK');
  return task;
}

/** Runs `body` in the current task between `acquire` and `release`. What `acquire` gave is the body's argument. */
export function runHeld<T, H>(
  acquire: () => Awaitable<H>,
  body: CoroutineFunction<T, [H]>,
  release: () => void,
): Coroutine<T> {
  return new Coroutine(holding(acquire, body, release));
}

function* holding<T, H>(
  acquire: () => Awaitable<H>,
  body: CoroutineFunction<T, [H]>,
  release: () => void,
): CoroutineGenerator<T> {
  const task = thisTask();
  const held = yield* awaitIn(task, acquire());
  try {
    return yield* runBody<T>(task, () => body(held));
  } finally {
    release();
  }
}
