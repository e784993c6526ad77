// heap.ts: a binary heap. Equal items come out in CPython's order, which programs can observe (LOOP-020): a pop lets the
// hole sink to a leaf along the smaller children, the right one when equal, and only then lifts the moved item, always
// comparing with a strict less-than.

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#lift(item, this.#items.length);
  }

  /** Takes the smallest item out. */
  pop(): T | undefined {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return last;
    const first = items[0];
    this.#sink(last);
    return first;
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  // Moves later parents down until `item` fits.
  #lift(item: T, index: number): void {
    const items = this.#items;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (!this.#isLess(item, parent)) break;
      items[index] = parent;
      index = above;
    }
    items[index] = item;
  }

  #sink(item: T): void {
    const items = this.#items;
    const end = items.length;
    let hole = 0;
    for (let child = 2 * hole + 1; child < end; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < end && !this.#isLess(items[child], items[right])) child = right;
      items[hole] = items[child];
      hole = child;
    }
    this.#lift(item, hole);
  }
}
