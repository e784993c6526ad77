// waker.ts: how other threads reach a loop. Each writes to the loop's self-pipe; when the loop has read it, it asks every
// outside source what happened. asyncio: call_soon_threadsafe, whose callback JavaScript cannot hand to another thread.
//
//   another thread:  wake(handle) ---- count + 1, one byte ---->  self-pipe
//   this thread:     _readFromSelf  ->  source.check()  ->  callSoon(callback, count)

import { inspect } from 'node:util';

import { typeError } from '../base/errors';
import { binding } from '../native/binding';
import { check } from '../native/check';
import type { BaseSelectorEventLoop } from './selector-event-loop';

/** Work that goes on outside of the loop's thread and reports through the self-pipe. @internal */
export interface OutsideSource {
  /** How many answers the loop may count on: while there are some, a virtual clock stands still. */
  readonly pending: number;
  /** The self-pipe was read: looks at what has happened. */
  check(): void;
  /** The loop was closed: nothing is reported any more. */
  close(): void;
}

/** What another thread needs to wake a loop. It can be posted to a worker, and copied. */
export interface WakerHandle {
  /** A descriptor that belongs to the waker: use it with `wake` only. */
  readonly fd: number;
  /** Two words of shared memory that guard the descriptor. */
  readonly state: Int32Array;
}

const STATE_LENGTH = 2;
const COUNT = 1;

/** The writing end of a loop's self-pipe once more, for other threads. @internal */
export function openWakeEnd(loop: BaseSelectorEventLoop): WakerHandle {
  loop._checkClosed();
  const state = new Int32Array(new SharedArrayBuffer(STATE_LENGTH * Int32Array.BYTES_PER_ELEMENT));
  const handle = { fd: check(binding.openWakeEnd(loop._wakeFd(), state), 'dup'), state };
  loop._wakeEnds.add(handle);
  return handle;
}

/** After this, `wake` answers false. May be called again. @internal */
export function closeWakeEnd(wakeEnds: Set<WakerHandle>, handle: WakerHandle): void {
  wakeEnds.delete(handle);
  binding.closeWakeEnd(handle.fd, handle.state);
}

/**
 * Makes the loop that a waker belongs to call its callback soon. May be called in any thread, and any number of times:
 * wakes that the loop has not seen yet are counted, none is lost.
 * @returns false if the waker was closed
 * @throws TypeError if it is no handle of a waker
 */
export function wake(handle: WakerHandle): boolean {
  if (!isHandle(handle)) throw typeError(`the handle of a waker is needed, not ${inspect(handle, { depth: 0 })}`);
  return check(binding.wake(handle.fd, handle.state), 'wake') === 1;
}

// A typed array of another realm is none of ours; so the tag is looked at and not the class.
function isHandle(value: unknown): value is WakerHandle {
  const handle = value as Partial<WakerHandle> | null | undefined;
  return (
    typeof handle?.fd === 'number' &&
    Object.prototype.toString.call(handle.state) === '[object Int32Array]' &&
    Object.prototype.toString.call(handle.state?.buffer) === '[object SharedArrayBuffer]' &&
    handle.state?.length === STATE_LENGTH
  );
}

/** Lets other threads call back into a loop: made by `loop.createWaker(callback)`. */
export class Waker {
  /** To be posted to another thread, which calls `wake(handle)`. */
  readonly handle: WakerHandle;
  /** @internal */ readonly pending = 0;
  readonly #loop: BaseSelectorEventLoop;
  readonly #callback: (count: number) => unknown;
  #closed = false;

  /** @internal */
  constructor(loop: BaseSelectorEventLoop, callback: (count: number) => unknown) {
    if (typeof callback !== 'function') throw typeError(`a waker needs a function, not ${inspect(callback)}`);
    this.handle = openWakeEnd(loop);
    this.#loop = loop;
    this.#callback = callback;
    loop._addOutsideSource(this);
  }

  /** Forgets the callback, also for wakes that were not reported yet. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeWakeEnd(this.#loop._wakeEnds, this.handle);
    this.#loop._removeOutsideSource(this);
  }

  closed(): boolean {
    return this.#closed;
  }

  /** @internal */
  check(): void {
    // Closing another source may have closed this one.
    if (this.#closed) return;
    const count = Atomics.exchange(this.handle.state, COUNT, 0) >>> 0;
    if (count > 0) this.#loop.callSoon(this.#report, count);
  }

  readonly #report = (count: number): unknown => (this.#closed ? undefined : this.#callback(count));

  [Symbol.dispose](): void {
    this.close();
  }

  [inspect.custom](): string {
    return `<Waker ${this.#closed ? 'closed' : `fd=${this.handle.fd}`}>`;
  }
}
