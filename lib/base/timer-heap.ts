// timer-heap.ts: the heap of things with a deadline, the earliest first. It is as heap.ts tells, with the same order among equal
// deadlines (LOOP-020); but the deadlines lie side by side in an array of their own, because a look at one behind its item
// is a miss of the processor's cache, for each level of a large heap.

export interface Scheduled {
  readonly _when: number;
}

const SMALLEST = 64;

export class TimerHeap<T extends Scheduled> {
  #items: T[] = [];
  /** The deadlines of the items, in the same places; there is room for more. */
  #whens = new Float64Array(SMALLEST);

  get length(): number {
    return this.#items.length;
  }

  /** The earliest item, left in place. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const place = this.#items.length;
    if (place === this.#whens.length) this.#resize(2 * place);
    this.#lift(item, item._when, place, 0);
  }

  pop(): T | undefined {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return last;
    const first = items[0];
    this.#sink(last, this.#whens[items.length], 0);
    this.#shrink();
    return first;
  }

  /** Keeps only the items that `keep` accepts; all are asked, from the first to the last as they lie. */
  filter(keep: (item: T) => boolean): void {
    const items = this.#items;
    const whens = this.#whens;
    let kept = 0;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      if (!keep(item)) continue;
      whens[kept] = whens[index];
      items[kept++] = item;
    }
    items.length = kept;
    for (let index = (kept >> 1) - 1; index >= 0; index--) this.#sink(items[index], whens[index], index);
    this.#shrink();
  }

  clear(): void {
    this.#items = [];
    this.#whens = new Float64Array(SMALLEST);
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  // Moves later parents down until `item` fits; never above `top`.
  #lift(item: T, when: number, index: number, top: number): void {
    const items = this.#items;
    const whens = this.#whens;
    while (index > top) {
      const above = (index - 1) >> 1;
      if (!(when < whens[above])) break;
      items[index] = items[above];
      whens[index] = whens[above];
      index = above;
    }
    items[index] = item;
    whens[index] = when;
  }

  #sink(item: T, when: number, top: number): void {
    const items = this.#items;
    const whens = this.#whens;
    const end = items.length;
    let hole = top;
    for (let child = 2 * hole + 1; child < end; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < end && !(whens[child] < whens[right])) child = right;
      items[hole] = items[child];
      whens[hole] = whens[child];
      hole = child;
    }
    this.#lift(item, when, hole, top);
  }

  #shrink(): void {
    const room = this.#whens.length;
    if (room > SMALLEST && 4 * this.#items.length < room) this.#resize(room >> 1);
  }

  #resize(room: number): void {
    const whens = new Float64Array(room);
    whens.set(this.#whens.subarray(0, this.#items.length));
    this.#whens = whens;
  }
}
