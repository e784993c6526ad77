// priority-queue.ts: a queue that gives the smallest item. asyncio: queues.PriorityQueue.

import { Heap } from '../base/heap';
import { Queue, type QueueStore } from './queue';

/** Whether one item comes out before another. */
export type Less<T> = (a: T, b: T) => boolean;

/** Python's order: `<`, and for arrays, as for its tuples, that of the first elements that differ. */
function isLess(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return (a as number) < (b as number);
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    if (isLess(a[index], b[index])) return true;
    if (isLess(b[index], a[index])) return false;
  }
  return a.length < b.length;
}

class HeapStore<T> extends Heap<T> implements QueueStore<T> {
  shift(): T | undefined {
    return this.pop();
  }
}

/** Gives the smallest item first; among equal ones the order is that of Python's heaps. asyncio: PriorityQueue. */
export class PriorityQueue<T> extends Queue<T> {
  /**
   * @param maxsize as of a `Queue`
   * @param less the order of items; if left out, that of `<`, and for arrays that of the first elements that differ
   */
  constructor(maxsize = 0, less: Less<T> = isLess) {
    super(maxsize, new HeapStore<T>(less));
  }
}
