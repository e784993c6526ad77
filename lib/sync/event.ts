// event.ts: a flag that tasks wait for. asyncio: locks.Event.

import { Coroutine } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { LoopBound, waiterOf, Waiters } from './waiters';

/** A flag, down at first. asyncio: Event. */
export class Event extends LoopBound {
  #isSet = false;
  readonly #waiters = new Waiters();

  /** asyncio: is_set. */
  isSet(): boolean {
    return this.#isSet;
  }

  /** Raises the flag and wakes everybody who waits, even if it is lowered again before they go on. */
  set(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    this.#waiters.wake(Infinity);
  }

  /** Lowers the flag; nobody is woken. */
  clear(): void {
    this.#isSet = false;
  }

  /**
   * Waits until the flag is raised; goes on at once if it is.
   * @throws (when awaited) RuntimeError (ERR_DIFFERENT_LOOP), CancelledError
   */
  wait(): Coroutine<true> {
    return new Coroutine(this.#waiting());
  }

  *#waiting(): CoroutineGenerator<true> {
    if (!this.#isSet) yield* this.#waiters.wait(waiterOf(this));
    return true;
  }

  /** @internal */
  override _state(): string {
    return `${this.#isSet ? 'set' : 'unset'}${this.#waiters.suffix}`;
  }
}
