// lock.ts: one holder at a time. asyncio: locks.Lock.

import { isCancelled, RuntimeError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { Holdable } from './held';
import { waiterOf, Waiters } from './waiters';

/**
 * A mutual exclusion between tasks of one loop; whoever waits longest gets it next. It belongs to nobody in particular: any
 * task may release it. asyncio: Lock.
 */
export class Lock extends Holdable {
  #locked = false;
  readonly #waiters = new Waiters();

  /** Whether somebody holds it. */
  locked(): boolean {
    return this.#locked;
  }

  /**
   * Takes the lock, at once if it is free and nobody is in line.
   * @throws (when awaited) RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  override acquire(): Coroutine<true> {
    return new Coroutine(this.#acquiring());
  }

  *#acquiring(): CoroutineGenerator<true> {
    if (this.#locked || this.#waiters.hasLive()) {
      try {
        yield* this.#waiters.wait(waiterOf(this));
      } catch (error) {
        // It may have been our turn: then it is the next one's.
        if (isCancelled(error) && !this.#locked) this.#wakeFirst();
        throw error;
      }
    }
    this.#locked = true;
    return true;
  }

  /** Lets go of the lock; the first in line has its turn. @throws RuntimeError (ERR_NOT_LOCKED) if nobody holds it */
  override release(): void {
    if (!this.#locked) throw new RuntimeError('the lock is not acquired', 'ERR_NOT_LOCKED');
    this.#locked = false;
    this.#wakeFirst();
  }

  // One that is done already will look for itself when it goes on, and wake the next if it was cancelled.
  #wakeFirst(): void {
    const first = this.#waiters.first();
    if (first !== undefined && !first.done()) first.setResult(undefined);
  }

  /** @internal */
  override _state(): string {
    return `${this.#locked ? 'locked' : 'unlocked'}${this.#waiters.suffix}`;
  }
}
