// condition.ts: waiting, with a lock in hand, for news from another holder of it. asyncio: locks.Condition.

import { CancelledError, isCancelled, RuntimeError } from '../base/errors';
import { awaitIn } from '../futures/body';
import { Coroutine } from '../futures/coroutine';
import type { Awaitable } from '../futures/ensure-future';
import type { CoroutineGenerator } from '../futures/frame';
import { Holdable, thisTask } from './held';
import { Lock } from './lock';
import { waiterOf, Waiters } from './waiters';

/** What a condition needs of its lock. */
export interface LockLike {
  locked(): boolean;
  acquire(): Awaitable<unknown>;
  release(): void;
}

/** A lock with a line of tasks that wait until a holder of the lock notifies them. asyncio: Condition. */
export class Condition extends Holdable {
  readonly #lock: LockLike;
  readonly #waiters = new Waiters();

  /** @param lock a lock that several conditions may share; one of its own if left out */
  constructor(lock: LockLike = new Lock()) {
    super();
    this.#lock = lock;
  }

  /** Whether somebody holds the lock. */
  locked(): boolean {
    return this.#lock.locked();
  }

  /** Takes the lock, as `Lock.acquire`. */
  override acquire(): Awaitable<unknown> {
    return this.#lock.acquire();
  }

  /** Lets go of the lock, as `Lock.release`. */
  override release(): void {
    this.#lock.release();
  }

  /**
   * Lets go of the lock, waits until notified, and takes the lock again: also when cancelled, however often, so that it is
   * always held afterwards.
   * @throws (when awaited) RuntimeError (ERR_NOT_LOCKED) without the lock, RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  wait(): Coroutine<true> {
    return new Coroutine(this.#waiting());
  }

  *#waiting(): CoroutineGenerator<true> {
    this.#checkLocked('wait');
    this.release();
    try {
      yield* this.#waiters.wait(waiterOf(this));
      return true;
    } finally {
      yield* this.#takeBack();
    }
  }

  *#takeBack(): CoroutineGenerator<void> {
    let cancelled = false;
    for (;;) {
      try {
        yield* awaitIn(thisTask(), this.acquire());
        break;
      } catch (error) {
        if (!isCancelled(error)) throw error;
        cancelled = true;
      }
    }
    if (cancelled) throw new CancelledError();
  }

  /**
   * Waits, as `wait`, until `predicate()` gives something true; asks first. asyncio: wait_for.
   * @returns what `predicate` gave
   */
  waitFor<T>(predicate: () => T): Coroutine<T> {
    return new Coroutine(this.#waitingFor(predicate));
  }

  *#waitingFor<T>(predicate: () => T): CoroutineGenerator<T> {
    let result = predicate();
    while (!result) {
      yield* this.#waiting();
      result = predicate();
    }
    return result;
  }

  /**
   * Wakes up to `count` of those who wait, oldest first. They go on when they get the lock, which this does not let go.
   * @throws RuntimeError (ERR_NOT_LOCKED) without the lock
   */
  notify(count = 1): void {
    this.#checkLocked('notify');
    this.#waiters.wake(count);
  }

  /** Wakes all who wait. asyncio: notify_all. @throws RuntimeError (ERR_NOT_LOCKED) without the lock */
  notifyAll(): void {
    this.notify(Infinity);
  }

  #checkLocked(verb: string): void {
    if (!this.locked()) throw new RuntimeError(`cannot ${verb} without the lock`, 'ERR_NOT_LOCKED');
  }

  /** @internal */
  override _state(): string {
    return `${this.locked() ? 'locked' : 'unlocked'}${this.#waiters.suffix}`;
  }
}
