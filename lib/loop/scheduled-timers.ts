// scheduled-timers.ts: the timers of a loop, from their scheduling until they are due or dropped. asyncio:
// BaseEventLoop._scheduled, and the timer phases of _run_once.

import { MIN_CANCELLED_TIMER_HANDLES_FRACTION, MIN_SCHEDULED_TIMER_HANDLES, type Seconds } from '../base/constants';
import type { Deque } from '../base/deque';
import { TimerHeap } from '../base/timer-heap';
import type { Handle, TimerHandle } from './handle';

export class ScheduledTimers {
  readonly #heap = new TimerHeap<TimerHandle>();
  /** Cancelled timers that are still in the heap. asyncio: _timer_cancelled_count, with its drift (LOOP-030). */
  cancelledCount = 0;

  get length(): number {
    return this.#heap.length;
  }

  /** The first timer, cancelled or not. */
  peek(): TimerHandle | undefined {
    return this.#heap.peek();
  }

  add(timer: TimerHandle): void {
    this.#heap.push(timer);
    timer._scheduled = true;
  }

  /** Drops cancelled timers: all of them when they are many, else those at the head. */
  dropCancelled(): void {
    const heap = this.#heap;
    const total = heap.length;
    if (total > MIN_SCHEDULED_TIMER_HANDLES && this.cancelledCount / total > MIN_CANCELLED_TIMER_HANDLES_FRACTION) {
      heap.filter(isWanted);
      this.cancelledCount = 0;
      return;
    }
    for (let first = heap.peek(); first !== undefined && first._cancelled; first = heap.peek()) {
      this.cancelledCount -= 1;
      heap.pop();
      first._scheduled = false;
    }
  }

  /** Queues the timers with a deadline before `end`. */
  queueDue(end: Seconds, ready: Deque<Handle>): void {
    const heap = this.#heap;
    for (let first = heap.peek(); first !== undefined && first._when < end; first = heap.peek()) {
      heap.pop();
      first._scheduled = false;
      ready.push(first);
    }
  }

  clear(): void {
    this.#heap.clear();
  }

  [Symbol.iterator](): IterableIterator<TimerHandle> {
    return this.#heap[Symbol.iterator]();
  }
}

/** Whether a timer stays in the heap. */
function isWanted(timer: TimerHandle): boolean {
  if (!timer._cancelled) return true;
  timer._scheduled = false;
  return false;
}
