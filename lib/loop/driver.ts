// driver.ts: who waits. The loop itself never does: it says how long it could wait, and a driver decides how.
//
//            timeout                       ready
//   loop  ------------->  driver.select  --------->  loop: queue handles, due timers, run the batch
//
// sync      blocks in the selector, owns the thread until the loop is stopped
// hosted    has its own file: Node's loop waits, the driver only looks
// virtual   looks; when nothing is ready it moves a virtual clock to the next timer instead of waiting

import type { Seconds } from '../base/constants';
import { RuntimeError } from '../base/errors';
import type { BaseEventLoop } from './base-event-loop';
import type { ReadyList, SelectorLike } from './ready';
import { selectReady } from './ready';

export interface Driver {
  /** Phase 3 of an iteration: what is ready, after waiting up to `timeout` seconds (null: without limit). */
  select(selector: SelectorLike, timeout: Seconds | null): ReadyList;
  /** Something was queued while the loop was not in an iteration. */
  wake(): void;
  /** Whether the run keeps the process alive, where that is a question. */
  setReferenced?(referenced: boolean): void;
}

/** Runs a loop in the calling stack until it is stopped. */
export function runSynchronously(loop: BaseEventLoop): void {
  for (;;) {
    loop._runOnce();
    if (loop._stopping) return;
  }
}

/** Blocks the thread. */
export const blockingDriver: Driver = {
  select: selectReady,
  wake: () => undefined,
};

/**
 * A clock that only moves when it is told to. A loop with it jumps to its next timer instead of waiting:
 * `new SelectorEventLoop({ clock: new VirtualClock() })`.
 */
export class VirtualClock {
  readonly resolution: Seconds;
  #now: Seconds;

  /**
   * @param start what it shows at first
   * @param resolution the smallest difference that counts
   */
  constructor(start: Seconds = 0, resolution: Seconds = 1e-9) {
    this.#now = start;
    this.resolution = resolution;
  }

  now(): Seconds {
    return this.#now;
  }

  /** Moves it on. Timers that are due run in the next iteration. */
  advance(seconds: Seconds): void {
    this.#now += seconds;
  }
}

/** How long what was sent within this machine may be under way, in real time: Windows does not deliver it at once. */
const DELIVERY_TIME: Seconds = 0.2;

/** Waits in virtual time: hours pass at once. A wait that nothing could end throws instead of hanging. */
export class VirtualDriver implements Driver {
  constructor(
    private readonly clock: VirtualClock,
    private readonly loop: BaseEventLoop,
  ) {}

  select(selector: SelectorLike, timeout: Seconds | null): ReadyList {
    const ready = selectReady(selector, 0);
    if (timeout === 0 || ready.length > 0) return ready;
    // What other threads do takes real time, and none of the loop's.
    if (this.loop._hasOutsideWork()) return selectReady(selector, null);
    if (timeout === null) return this.#selectLate(selector);
    this.clock.advance(timeout);
    return ready;
  }

  #selectLate(selector: SelectorLike): ReadyList {
    const ready = selectReady(selector, DELIVERY_TIME);
    if (ready.length > 0) return ready;
    throw new RuntimeError('nothing is scheduled and nothing is ready: the loop would wait for ever', 'ERR_DEADLOCK');
  }

  wake(): void {
    // Runs in the calling stack: there is nobody to wake.
  }
}
