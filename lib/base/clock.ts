// clock.ts: where loops get their time. A clock is handed to a loop, so that tests can hand in another one.

// The global of this name is looked up behind a getter each time.
import { performance } from 'node:perf_hooks';

import type { Seconds } from './constants';

/** A clock that never goes backwards. */
export interface Clock {
  /** Seconds since some fixed moment. */
  now(): Seconds;
  /** The smallest difference that it can show. */
  readonly resolution: Seconds;
}

/** The system's monotonic clock. asyncio: time.monotonic. */
export const monotonicClock: Clock = {
  now: () => performance.now() / 1000,
  resolution: 1e-9,
};
