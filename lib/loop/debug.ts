// debug.ts: what debug mode adds to a loop. asyncio: BaseEventLoop._check_callback, and the timing in _run_once.

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import { logger } from '../base/log';
import { drainMicrotasks } from '../base/microtasks';
import type { BaseEventLoop } from './base-event-loop';
import type { Handle } from './handle';

/** @throws TypeError for what cannot be called: at once, and not only when the loop calls it */
export function checkCallback(callback: unknown, method: string): void {
  if (typeof callback !== 'function') {
    throw typeError(`${method} needs a function, not ${inspect(callback, { depth: 0 })}`);
  }
}

/** Runs a handle with its promise jobs, and logs one that took long. */
export function runTimed(loop: BaseEventLoop, handle: Handle): void {
  loop._currentHandle = handle;
  try {
    const start = loop.time();
    const described = handle._describe();
    handle._run();
    drainMicrotasks();
    const took = loop.time() - start;
    if (took >= loop.slowCallbackDuration) {
      logger.warning(`Executing ${described} took ${took.toFixed(3)} seconds`);
    }
  } finally {
    loop._currentHandle = null;
  }
}
