// until-made.ts: how a verb waits for its transport.

import type { CoroutineGenerator } from '../futures/frame';
import type { Future } from '../futures/future';

/** Waits until the loop has told the protocol of `transport`, which is closed if nobody waits any more. */
export function* untilMade(waiter: Future<void>, transport: { close(): void }): CoroutineGenerator<void> {
  try {
    yield* waiter;
  } catch (error) {
    transport.close();
    throw error;
  }
}
