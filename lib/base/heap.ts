// heap.ts: a binary heap. Equal items come out in CPython's order, which programs can observe (LOOP-020): a pop lets the
// hole sink to a leaf along the smaller children, the right one when equal, and only then lifts the moved item, always
// comparing with a strict less-than.

export abstract class Heap<T> {
  #items: T[] = [];

  get length(): number {
    return this.#items.length;
  }

  /** @internal */
  protected abstract _isLess(a: T, b: T): boolean;

  /** The smallest item, left in place. */
  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    this.#lift(item, this.#items.length);
  }

  pop(): T | undefined {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return last;
    const first = items[0];
    this.#sink(last, 0);
    return first;
  }

  /** Keeps only the items that `keep` accepts; all are asked, from the first to the last as they lie. */
  filter(keep: (item: T) => boolean): void {
    const items = this.#items;
    let kept = 0;
    for (let index = 0; index < items.length; index++) {
      const item = items[index];
      if (keep(item)) items[kept++] = item;
    }
    items.length = kept;
    for (let index = (kept >> 1) - 1; index >= 0; index--) this.#sink(items[index], index);
  }

  clear(): void {
    this.#items = [];
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#items.values();
  }

  // Moves later parents down until `item` fits; never above `top`.
  #lift(item: T, index: number, top = 0): void {
    const items = this.#items;
    while (index > top) {
      const above = (index - 1) >> 1;
      const parent = items[above];
      if (!this._isLess(item, parent)) break;
      items[index] = parent;
      index = above;
    }
    items[index] = item;
  }

  #sink(item: T, top: number): void {
    const items = this.#items;
    const end = items.length;
    let hole = top;
    for (let child = 2 * hole + 1; child < end; child = 2 * hole + 1) {
      const right = child + 1;
      if (right < end && !this._isLess(items[child], items[right])) child = right;
      items[hole] = items[child];
      hole = child;
    }
    this.#lift(item, hole, top);
  }
}
