// deque.test.ts: the ring buffer against an array that does the same.

import { Deque } from '../../lib/base/deque';
import { Random } from '../support/random';

test('first in is first out, over many growths and turns of the ring', () => {
  const deque = new Deque<number>();
  let next = 0;
  let expected = 0;
  for (let round = 1; round < 200; round++) {
    for (let times = 0; times < round; times++) deque.push(next++);
    for (let times = 0; times < round - 1; times++) expect(deque.shift()).toBe(expected++);
  }
  expect(deque.length).toBe(next - expected);
  expect([...deque]).toEqual(Array.from({ length: next - expected }, (_, index) => expected + index));
});

test('an empty deque has nothing', () => {
  const deque = new Deque<number>();
  expect([deque.length, deque.shift(), deque.at(0)]).toEqual([0, undefined, undefined]);
  expect([...deque]).toEqual([]);
});

test('indexes count from the front, and there is nothing outside', () => {
  const deque = new Deque<string>();
  deque.push('b');
  deque.push('c');
  deque.unshift('a');
  expect([-1, 0, 1, 2, 3].map((index) => deque.at(index))).toEqual([undefined, 'a', 'b', 'c', undefined]);
});

test('undefined and null are items like others', () => {
  const deque = new Deque<unknown>();
  for (const item of [undefined, null, undefined]) deque.push(item);
  expect(deque.length).toBe(3);
  expect([...deque]).toEqual([undefined, null, undefined]);
  deque.shift();
  expect(deque.length).toBe(2);
});

test('what is pushed during an iteration comes in it', () => {
  const deque = new Deque<number>();
  deque.push(0);
  const seen: number[] = [];
  for (const item of deque) {
    seen.push(item);
    if (item < 30) deque.push(item + 1);
  }
  expect(seen).toHaveLength(31);
});

test('a deque holds nothing that was taken out or cleared', async () => {
  const deque = new Deque<object>();
  const refs: WeakRef<object>[] = [];
  const add = () => {
    const item = { large: new Uint8Array(8) };
    refs.push(new WeakRef(item));
    deque.push(item);
  };
  for (let times = 0; times < 10; times++) add();
  for (let times = 0; times < 5; times++) deque.shift();
  const { setFlagsFromString } = await import('node:v8');
  setFlagsFromString('--expose-gc');
  const { runInNewContext } = await import('node:vm');
  await new Promise((resolve) => setImmediate(resolve));
  (runInNewContext('gc') as () => void)();
  expect(refs.map((ref) => ref.deref() !== undefined)).toEqual([...Array(5).fill(false), ...Array(5).fill(true)]);
  deque.clear();
  expect([deque.length, deque.at(0)]).toEqual([0, undefined]);
  await new Promise((resolve) => setImmediate(resolve));
  (runInNewContext('gc') as () => void)();
  expect(refs.some((ref) => ref.deref() !== undefined)).toBe(false);
});

test('a deque does what an array does', () => {
  const random = new Random();
  const deque = new Deque<number>();
  let model: number[] = [];
  // 60,000 expectations would take seconds.
  const same = (actual: unknown, wanted: unknown) => {
    if (actual !== wanted) expect(actual).toBe(wanted);
  };
  const verbs = [
    () => (deque.push(random.below(1000)), model.push(deque.at(deque.length - 1) as number)),
    () => (deque.unshift(random.below(1000)), model.unshift(deque.at(0) as number)),
    () => same(deque.shift(), model.shift()),
  ];
  for (let step = 0; step < 20_000; step++) {
    // Sometimes more comes than goes, sometimes less.
    const growing = Math.floor(step / 500) % 2 === 0;
    verbs[random.below(100) < (growing ? 70 : 30) ? random.below(2) : 2]();
    if (random.below(2000) === 0) {
      deque.clear();
      model = [];
    }
    same(deque.length, model.length);
    const index = random.below(model.length + 2) - 1;
    same(deque.at(index), index < 0 ? undefined : model[index]);
    if (step % 1000 === 0) expect([...deque]).toEqual(model);
  }
});
