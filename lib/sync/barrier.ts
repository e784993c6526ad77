// barrier.ts: a number of tasks that go on together. asyncio: locks.Barrier.
//
//            the last one comes                the last one leaves
//   filling ---------------------> draining ----------------------+
//      ^ +---- reset() -----> resetting -- the last one leaves ---+
//      +----------------------------------------------------------+
//   abort(): broken, until reset()

import { inspect } from 'node:util';

import { BrokenBarrierError, typeError, ValueError } from '../base/errors';
import type { Coroutine, CoroutineFunction } from '../futures/coroutine';
import type { CoroutineGenerator } from '../futures/frame';
import { Condition } from './condition';
import { runHeld } from './held';

type BarrierState = 'filling' | 'draining' | 'resetting' | 'broken';

/** A place where tasks wait until as many have come as there are parties; again and again. asyncio: Barrier. */
export class Barrier {
  /** How many tasks it takes. */
  readonly parties: number;
  // Notified whenever the state changes.
  readonly #condition = new Condition();
  #state: BarrierState = 'filling';
  #inside = 0;

  /** @throws TypeError for what is no whole number, ValueError for less than 1 */
  constructor(parties: number) {
    if (!Number.isSafeInteger(parties)) throw typeError(`a number of parties is whole, not ${inspect(parties)}`);
    if (parties < 1) throw new ValueError('a barrier has at least one party');
    this.parties = parties;
  }

  /** How many tasks wait for the others. asyncio: n_waiting. */
  get nWaiting(): number {
    return this.#state === 'filling' ? this.#inside : 0;
  }

  /** Whether it was aborted, and not reset since. */
  get broken(): boolean {
    return this.#state === 'broken';
  }

  /**
   * Waits until all parties have come. While those of the round before leave, newcomers wait.
   * @returns a number that no other party of the round gets, from 0 to `parties - 1`
   * @throws (when awaited) BrokenBarrierError if the barrier is broken, or is broken or reset meanwhile; CancelledError
   */
  wait(): Coroutine<number> {
    return this.#condition.run(this.#passing.bind(this));
  }

  *#passing(): CoroutineGenerator<number> {
    yield* this.#condition.waitFor(() => this.#state === 'filling' || this.#state === 'broken');
    if (this.#state === 'broken') throw new BrokenBarrierError('the barrier is broken');
    try {
      const index = this.#inside;
      this.#inside += 1;
      if (this.#inside === this.parties) this.#change('draining');
      else yield* this.#untilFull();
      return index;
    } finally {
      this.#inside -= 1;
      this.#leave();
    }
  }

  *#untilFull(): CoroutineGenerator<void> {
    yield* this.#condition.waitFor(() => this.#state !== 'filling');
    if (this.#state !== 'draining') throw new BrokenBarrierError('the barrier was aborted or reset');
  }

  #leave(): void {
    if (this.#inside > 0) return;
    this.#change(this.#state === 'broken' ? 'broken' : 'filling');
  }

  #change(state: BarrierState): void {
    this.#state = state;
    this.#condition.notifyAll();
  }

  /** Makes it empty and whole again; who waits there gets a BrokenBarrierError. */
  reset(): Coroutine<void> {
    return this.#condition.run(this.#resetting.bind(this));
  }

  *#resetting(): CoroutineGenerator<void> {
    this.#change(this.#inside > 0 ? 'resetting' : 'filling');
  }

  /** Breaks it: who waits there, and whoever comes before a `reset`, gets a BrokenBarrierError. */
  abort(): Coroutine<void> {
    return this.#condition.run(this.#breaking.bind(this));
  }

  *#breaking(): CoroutineGenerator<void> {
    this.#change('broken');
  }

  /** Runs `body` in the current task once all have come, with the number that `wait` gives. asyncio: `async with barrier`. */
  run<T>(body: CoroutineFunction<T, [number]>): Coroutine<T> {
    return runHeld({ acquire: () => this.wait(), release: () => undefined }, body, body);
  }

  [inspect.custom](): string {
    const waiting = this.broken ? '' : `, waiters:${this.nWaiting}/${this.parties}`;
    return `<${this.constructor.name} [${this.#state}${waiting}]>`;
  }
}
