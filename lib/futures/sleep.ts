// sleep.ts: waiting for time to pass. asyncio: tasks.sleep.

import type { Seconds } from '../base/constants';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { Coroutine } from './coroutine';
import { getRunningLoop } from './current';
import type { CoroutineGenerator } from './frame';
import { _setResultUnlessCancelled, Future } from './future';

/**
 * Waits for `delay` seconds, then gives `result`. Zero or less gives way for exactly one iteration of the loop.
 * asyncio: sleep.
 */
export function sleep<T = void>(delay: Seconds, result?: T, loop?: BaseEventLoop): Coroutine<T> {
  return new Coroutine(sleeping(delay, result as T, loop ?? null), loop ?? null);
}

function* sleeping<T>(delay: Seconds, result: T, given: BaseEventLoop | null): CoroutineGenerator<T> {
  if (delay <= 0) {
    yield;
    return result;
  }
  const loop = given ?? getRunningLoop();
  const future = new Future<T>(loop);
  const timer = loop.callLater(delay, _setResultUnlessCancelled, future, result);
  try {
    return yield* future;
  } finally {
    timer.cancel();
  }
}
