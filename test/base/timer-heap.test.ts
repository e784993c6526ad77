// timer-heap.test.ts: the timers' heap, whose order among equals is part of the contract.

import { TimerHeap } from '../../lib/base/timer-heap';
import { Random } from '../support/random';

interface Item {
  readonly _when: number;
  readonly id: number;
}

function drain(heap: TimerHeap<Item>): Item[] {
  const items: Item[] = [];
  for (let item = heap.pop(); item !== undefined; item = heap.pop()) items.push(item);
  return items;
}

/** A heap as a list with the rules written out: the model. */
class Model {
  constructor(public list: Item[] = []) {}

  before(a: number, b: number): boolean {
    return this.list[a]._when < this.list[b]._when;
  }

  swap(a: number, b: number): void {
    [this.list[a], this.list[b]] = [this.list[b], this.list[a]];
  }

  /** Up, as long as it is strictly before its parent, but not above `top`. */
  up(index: number, top: number): void {
    while (index > top && this.before(index, (index - 1) >> 1)) {
      this.swap(index, (index - 1) >> 1);
      index = (index - 1) >> 1;
    }
  }

  /** Down to a leaf along the children that come first, the right one among equals; then up again. */
  down(top: number): void {
    let index = top;
    for (let left = 2 * index + 1; left < this.list.length; left = 2 * index + 1) {
      const child = left + 1 < this.list.length && !this.before(left, left + 1) ? left + 1 : left;
      this.swap(index, child);
      index = child;
    }
    this.up(index, top);
  }

  push(item: Item): void {
    this.list.push(item);
    this.up(this.list.length - 1, 0);
  }

  pop(): Item | undefined {
    if (this.list.length === 0) return undefined;
    this.swap(0, this.list.length - 1);
    const first = this.list.pop();
    if (this.list.length > 0) this.down(0);
    return first;
  }

  keep(wanted: (item: Item) => boolean): void {
    this.list = this.list.filter(wanted);
    for (let index = (this.list.length >> 1) - 1; index >= 0; index--) this.down(index);
  }
}

test.each([
  [1, [0]],
  [2, [0, 1]],
  [3, [0, 1, 2]],
  [4, [0, 2, 1, 3]],
  [5, [0, 2, 4, 1, 3]],
  [6, [0, 2, 5, 4, 1, 3]],
  [8, [0, 2, 6, 5, 7, 4, 1, 3]],
  [10, [0, 2, 6, 9, 8, 5, 7, 4, 1, 3]],
  // Further ones, from CPython's heapq.
  [7, [0, 2, 5, 6, 4, 1, 3]],
  [9, [0, 2, 6, 8, 5, 7, 4, 1, 3]],
])('LOOP-020: %d equal timers come out in the order of the heap', (count, order) => {
  const heap = new TimerHeap<Item>();
  for (let id = 0; id < count; id++) heap.push({ _when: 5, id });
  expect(drain(heap).map(({ id }) => id)).toEqual(order);
});

test('the earliest item comes first, and can be looked at before', () => {
  const heap = new TimerHeap<Item>();
  expect([heap.length, heap.peek(), heap.pop()]).toEqual([0, undefined, undefined]);
  [3, 1, 2, 0.5, Infinity, -1].forEach((when, id) => heap.push({ _when: when, id }));
  expect(heap.peek()?._when).toBe(-1);
  expect(heap.length).toBe(6);
  expect(drain(heap).map(({ _when }) => _when)).toEqual([-1, 0.5, 1, 2, 3, Infinity]);
  expect(heap.length).toBe(0);
});

test('filter asks about each item once, and keeps the wanted ones in order', () => {
  const heap = new TimerHeap<Item>();
  for (let id = 0; id < 20; id++) heap.push({ _when: (id * 7) % 20, id });
  const asked: number[] = [];
  heap.filter(({ _when }) => {
    asked.push(_when);
    return _when % 3 === 0;
  });
  expect(asked.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, when) => when));
  expect([...heap].map(({ _when }) => _when).sort((a, b) => a - b)).toEqual([0, 3, 6, 9, 12, 15, 18]);
  expect(drain(heap).map(({ _when }) => _when)).toEqual([0, 3, 6, 9, 12, 15, 18]);
});

test('a cleared heap is empty', () => {
  const heap = new TimerHeap<Item>();
  heap.push({ _when: 1, id: 0 });
  heap.clear();
  expect([heap.length, heap.peek(), [...heap]]).toEqual([0, undefined, []]);
});

test('LOOP-020: the order among equals is that of the model, whatever is pushed, popped and purged', () => {
  const random = new Random();
  const heap = new TimerHeap<Item>();
  const model = new Model();
  for (let id = 0; id < 20_000; id++) {
    const dice = random.below(100);
    if (dice < 55) {
      const item = { _when: random.below(12), id };
      heap.push(item);
      model.push(item);
    } else if (dice < 99) {
      if (heap.pop() !== model.pop()) throw new Error(`step ${id}: another item`);
    } else {
      const bit = random.below(3);
      heap.filter((item) => item.id % 3 !== bit);
      model.keep((item) => item.id % 3 !== bit);
    }
    if (heap.length !== model.list.length) throw new Error(`step ${id}: another length`);
    if (id % 500 === 0) expect([...heap]).toEqual(model.list);
  }
  expect(drain(heap)).toEqual([...Array(model.list.length)].map(() => model.pop()));
});
