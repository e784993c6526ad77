// sleep.ts: waiting for time to pass. asyncio: tasks.sleep.

import { inspect } from 'node:util';

import type { Seconds } from '../base/constants';
import { typeError, ValueError } from '../base/errors';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { Coroutine } from './coroutine';
import { getRunningLoop } from './current';
import type { CoroutineGenerator } from './frame';
import { _setResultUnlessCancelled, Future } from './future';

/**
 * Waits for `delay` seconds, then gives `result`. Zero or less gives way for exactly one iteration of the loop.
 * asyncio: sleep.
 * @throws (when awaited) TypeError if the delay is no number, ValueError if it is NaN
 */
export function sleep<T = void>(delay: Seconds, result?: T, loop?: BaseEventLoop): Coroutine<T> {
  return new Coroutine(sleeping(delay, result as T, loop ?? null), loop ?? null);
}

function* sleeping<T>(delay: Seconds, result: T, given: BaseEventLoop | null): CoroutineGenerator<T> {
  checkDelay(delay);
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

/**
 * Differs from asyncio: 3.12 takes a NaN and may wait for ever; 3.13 refuses it in sleep, and we wherever we wait.
 * @throws TypeError if the delay is no number, ValueError if it is NaN
 */
export function checkDelay(delay: Seconds): void {
  if (typeof delay !== 'number') throw typeError(`a delay is a number of seconds, not ${inspect(delay)}`);
  if (Number.isNaN(delay)) throw new ValueError('a delay cannot be NaN');
}
