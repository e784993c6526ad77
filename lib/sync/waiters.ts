// waiters.ts: who waits for a primitive of this folder, first come first served, and on which loop.

import { inspect } from 'node:util';

import { RuntimeError } from '../base/errors';
import { getRunningLoop } from '../futures/current';
import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';

/**
 * A primitive belongs to the loop in which somebody first had to wait for it. asyncio: mixins._LoopBoundMixin.
 */
export abstract class LoopBound {
  #loop: BaseEventLoop | null = null;

  /** @throws RuntimeError (ERR_DIFFERENT_LOOP) when another loop is running than the one of the first wait @internal */
  _boundLoop(): BaseEventLoop {
    const loop = getRunningLoop();
    this.#loop ??= loop;
    if (loop !== this.#loop) {
      throw new RuntimeError(`${inspect(this)} is bound to a different event loop`, 'ERR_DIFFERENT_LOOP');
    }
    return loop;
  }

  /** What `inspect` shows between the brackets. @internal */
  abstract _state(): string;

  [inspect.custom](): string {
    return `<${this.constructor.name} [${this._state()}]>`;
  }
}

/** The futures of those who wait, oldest first. A waiter takes itself off when it goes on, not when it is woken. */
export class Waiters {
  readonly #futures = new Set<Future<void>>();

  get size(): number {
    return this.#futures.size;
  }

  /** `, waiters:2`, or nothing. */
  get suffix(): string {
    return this.size === 0 ? '' : `, waiters:${this.size}`;
  }

  /** Whether anybody waits who was not cancelled. */
  hasLive(): boolean {
    for (const future of this.#futures) if (!future.cancelled()) return true;
    return false;
  }

  /** The oldest, whether it was woken or not. */
  first(): Future<void> | undefined {
    return this.#futures.values().next().value;
  }

  /** Waits in line until woken. The future tells a caller that catches a cancellation whether it had been woken before. */
  *wait(future: Future<void>): CoroutineGenerator<void> {
    this.#futures.add(future);
    try {
      yield* future;
    } finally {
      this.#futures.delete(future);
    }
  }

  /** Wakes the first `count` of those who were neither woken nor cancelled. @returns how many there were */
  wake(count: number): number {
    let woken = 0;
    for (const future of this.#futures) {
      if (woken >= count) break;
      if (future.done()) continue;
      future.setResult(undefined);
      woken += 1;
    }
    return woken;
  }

  /** Wakes the first who was neither woken nor cancelled, and takes all up to him out of the line. */
  next(): void {
    for (const future of this.#futures) {
      this.#futures.delete(future);
      if (future.done()) continue;
      future.setResult(undefined);
      return;
    }
  }
}

/** A waiter of `owner`'s, on the loop that it is bound to. */
export function waiterOf(owner: LoopBound): Future<void> {
  return new Future<void>(owner._boundLoop());
}
