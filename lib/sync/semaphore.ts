// semaphore.ts: so many holders at a time. asyncio: locks.Semaphore, BoundedSemaphore.

import { inspect } from 'node:util';

import { isCancelled, typeError, ValueError } from '../base/errors';
import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { Holdable } from './held';
import { waiterOf, Waiters } from './waiters';

/** A number of permits; whoever waits longest gets the next one. asyncio: Semaphore. */
export class Semaphore extends Holdable {
  /** Permits that are free. @internal */
  _value: number;
  readonly #waiters = new Waiters();

  /**
   * @param value how many permits there are at first
   * @throws TypeError for what is no whole number, ValueError for less than 0
   */
  constructor(value = 1) {
    super();
    if (!Number.isSafeInteger(value)) throw typeError(`a number of permits is whole, not ${inspect(value)}`);
    if (value < 0) throw new ValueError(`a semaphore cannot begin with ${value} permits`);
    this._value = value;
  }

  /** Whether `acquire` would have to wait: no permit is free, or somebody is in line. */
  locked(): boolean {
    return this._value === 0 || this.#waiters.hasLive();
  }

  /**
   * Takes a permit, at once if one is free and nobody is in line.
   * @throws (when awaited) RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  override acquire(): Coroutine<true> {
    return new Coroutine(this.#acquiring());
  }

  *#acquiring(): CoroutineGenerator<true> {
    if (!this.locked()) {
      this._value -= 1;
      return true;
    }
    const waiter = waiterOf(this);
    try {
      yield* this.#waiters.wait(waiter);
    } catch (error) {
      // The permit that we had been given already is somebody else's.
      if (isCancelled(error) && !waiter.cancelled()) this.#giveBack();
      throw error;
    }
    if (this._value > 0) this.#wakeNext();
    return true;
  }

  /** Gives a permit back, or adds one; the first in line gets it. */
  override release(): void {
    this.#giveBack();
  }

  #giveBack(): void {
    this._value += 1;
    this.#wakeNext();
  }

  // Whoever is woken has the permit already, so that no newcomer takes it before the waiter goes on.
  #wakeNext(): void {
    this._value -= this.#waiters.wake(1);
  }

  /** @internal */
  override _state(): string {
    return `${this.locked() ? 'locked' : `unlocked, value:${this._value}`}${this.#waiters.suffix}`;
  }
}

/** A semaphore that never has more permits than at first. asyncio: BoundedSemaphore. */
export class BoundedSemaphore extends Semaphore {
  readonly #bound: number;

  constructor(value = 1) {
    super(value);
    this.#bound = value;
  }

  /** Gives a permit back. @throws ValueError (ERR_RELEASED_TOO_OFTEN) if all are there */
  override release(): void {
    if (this._value >= this.#bound) {
      throw new ValueError('the semaphore was released more often than acquired', 'ERR_RELEASED_TOO_OFTEN');
    }
    super.release();
  }
}
