// queue.test.ts: items that go from tasks to tasks.

import { inspect } from 'node:util';

import { QueueEmpty, QueueFull, QueueShutDown, ValueError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { PriorityQueue } from '../../lib/sync/priority-queue';
import { LifoQueue, Queue } from '../../lib/sync/queue';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Queue', (subject, program) => {
  const getter = (queue: Queue<unknown>, name: string, seen: unknown[]) =>
    program(function* () {
      try {
        seen.push([name, yield* aw(queue.get())]);
      } catch (error) {
        seen.push([name, (error as Error).name]);
      }
    });
  const putter = (queue: Queue<unknown>, item: unknown, seen: unknown[]) =>
    program(function* () {
      try {
        yield* aw(queue.put(item));
        seen.push(['put', item]);
      } catch (error) {
        seen.push([item, (error as Error).name]);
      }
    });

  test('SYNC-027: put and get cost no iteration while there is room and there are items', async () => {
    const iteration = countIterations(subject.current.loop);
    const queue = new Queue<string>(2);
    const main = program(function* () {
      const start = iteration.count;
      yield* aw(queue.put('a'));
      yield* aw(queue.put('b'));
      const seen: unknown[] = [queue.full(), queue.qsize(), yield* aw(queue.get()), yield* aw(queue.get())];
      return [...seen, queue.empty(), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([true, 2, 'a', 'b', true, 0]);
  });

  test('SYNC-029: each put wakes one getter, first come first served', async () => {
    const { loop } = subject.current;
    const queue = new Queue<number>();
    const seen: unknown[] = [];
    const main = program(function* () {
      const tasks = ['a', 'b', 'c'].map((name) => loop.createTask(getter(queue, name, seen)));
      yield* aw(sleep(0));
      seen.push(inspect(queue));
      queue.putNowait(1);
      queue.putNowait(2);
      yield* aw(sleep(0));
      seen.push(tasks.map((task) => task.done()));
      queue.putNowait(3);
      yield* aw(tasks[2]);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      '<Queue [maxsize:0, getters:3]>',
      ['a', 1],
      ['b', 2],
      [true, true, false],
      ['c', 3],
    ]);
  });

  test('SYNC-029: each get wakes one putter, and a woken getter whose item was taken waits again', async () => {
    const { loop } = subject.current;
    const queue = new Queue<string>(1);
    const seen: unknown[] = [];
    const main = program(function* () {
      queue.putNowait('x');
      const putters = ['y', 'z'].map((item) => loop.createTask(putter(queue, item, seen)));
      yield* aw(sleep(0));
      seen.push(queue.getNowait());
      yield* aw(sleep(0));
      seen.push(putters.map((task) => task.done()));
      seen.push(yield* aw(queue.get()), yield* aw(queue.get()));
      const waiting = loop.createTask(getter(queue, 'waiting', seen));
      yield* aw(sleep(0));
      queue.putNowait('w');
      seen.push(queue.getNowait());
      yield* aw(sleep(0));
      seen.push(waiting.done());
      queue.putNowait('v');
      yield* aw(waiting);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      'x',
      ['put', 'y'],
      [true, false],
      ['put', 'z'],
      'y',
      'z',
      'w',
      false,
      ['waiting', 'v'],
    ]);
  });

  test('SYNC-030: a getter that is cancelled after it was woken wakes the next', async () => {
    const { loop } = subject.current;
    const queue = new Queue<string>();
    const seen: unknown[] = [];
    const main = program(function* () {
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(getter(queue, name, seen)));
      yield* aw(sleep(0));
      queue.putNowait('item');
      first.cancel();
      yield* aw(second);
      return [...seen, inspect(queue)];
    });
    expect(await subject.current.run(main)).toEqual([
      ['first', 'CancelledError'],
      ['second', 'item'],
      '<Queue [maxsize:0, tasks:1]>',
    ]);
  });

  test('SYNC-030: a putter that is cancelled after it was woken wakes the next; one that was not only leaves', async () => {
    const { loop } = subject.current;
    const queue = new Queue<string>(1);
    const seen: unknown[] = [];
    const main = program(function* () {
      queue.putNowait('x');
      const [first, second, third] = ['a', 'b', 'c'].map((item) => loop.createTask(putter(queue, item, seen)));
      yield* aw(sleep(0));
      second.cancel();
      queue.getNowait();
      first.cancel();
      yield* aw(third);
      return [...seen, inspect(queue)];
    });
    expect(await subject.current.run(main)).toEqual([
      ['b', 'CancelledError'],
      ['a', 'CancelledError'],
      ['put', 'c'],
      "<Queue [maxsize:1, items:[ 'c' ], tasks:2]>",
    ]);
  });

  test('SYNC-031: join waits until all work is done, and not at all where there is none', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const queue = new Queue<number>();
    const main = program(function* () {
      const start = iteration.count;
      yield* aw(queue.join());
      const none = iteration.count - start;
      queue.putNowait(1);
      queue.putNowait(2);
      const joiner = loop.createTask(() => queue.join());
      const seen: unknown[] = [none];
      for (let item = 0; item < 2; item++) {
        queue.getNowait();
        yield* aw(sleep(0));
        seen.push(joiner.done());
        queue.taskDone();
      }
      yield* aw(joiner);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([0, false, false]);
  });

  test('SYNC-033: after shutdown puts fail at once, and gets when the queue is empty', async () => {
    const { loop } = subject.current;
    const [empty, full] = [new Queue<string>(1), new Queue<string>(1)];
    const seen: unknown[] = [];
    const main = program(function* () {
      full.putNowait('x');
      const tasks = [loop.createTask(getter(empty, 'getter', seen)), loop.createTask(putter(full, 'putter', seen))];
      yield* aw(sleep(0));
      empty.shutdown();
      full.shutdown();
      for (const task of tasks) yield* aw(task);
      seen.push(yield* aw(full.get()));
      for (const act of [() => full.getNowait(), () => full.putNowait('y')]) {
        try {
          act();
        } catch (error) {
          seen.push(error instanceof QueueShutDown);
        }
      }
      return [...seen, inspect(full)];
    });
    expect(await subject.current.run(main)).toEqual([
      ['getter', 'QueueShutDown'],
      ['putter', 'QueueShutDown'],
      'x',
      true,
      true,
      '<Queue [maxsize:1, tasks:1, shut down]>',
    ]);
  });

  test('SYNC-033: an immediate shutdown empties the queue and ends join', async () => {
    const { loop } = subject.current;
    const queue = new Queue<string>();
    const main = program(function* () {
      queue.putNowait('a');
      queue.putNowait('b');
      const joiner = loop.createTask(() => queue.join());
      yield* aw(sleep(0));
      queue.shutdown({ immediate: true });
      yield* aw(joiner);
      return [queue.empty(), inspect(queue)];
    });
    expect(await subject.current.run(main)).toEqual([true, '<Queue [maxsize:0, shut down]>']);
  });

  test('SYNC-029: a burst of items finds its getters in order', async () => {
    const { loop } = subject.current;
    const queue = new Queue<number>();
    const seen: unknown[] = [];
    const main = program(function* () {
      const tasks = Array.from({ length: 200 }, (_, index) => loop.createTask(getter(queue, String(index), seen)));
      yield* aw(sleep(0));
      for (let item = 0; item < 200; item++) queue.putNowait(item);
      for (const task of tasks) yield* aw(task);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual(Array.from({ length: 200 }, (_, index) => [String(index), index]));
  });
});

test('SYNC-026: without a limit it is never full', () => {
  for (const maxsize of [undefined, 0, -1]) {
    const queue = new Queue<number>(maxsize);
    for (let item = 0; item < 100; item++) queue.putNowait(item);
    expect([queue.full(), queue.qsize(), queue.maxsize]).toEqual([false, 100, maxsize ?? 0]);
  }
  expect(() => new Queue('1' as unknown as number)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

test('SYNC-028: what would have to wait fails in the calls that do not', () => {
  const queue = new Queue<string>(1);
  expect(() => queue.getNowait()).toThrow(QueueEmpty);
  queue.putNowait('a');
  expect(() => queue.putNowait('b')).toThrow(QueueFull);
  expect(queue.getNowait()).toBe('a');
});

test('SYNC-031: taskDone is called no more often than items were put in', () => {
  const queue = new Queue<string>();
  queue.putNowait('a');
  queue.taskDone();
  expect(() => queue.taskDone()).toThrow(ValueError);
  expect(() => queue.taskDone()).toThrow(expect.objectContaining({ code: 'ERR_NO_UNFINISHED_TASK' }));
});

describe('other orders', () => {
  const drained = <T>(queue: Queue<T>, items: readonly T[]) => {
    for (const item of items) queue.putNowait(item);
    return items.map(() => queue.getNowait());
  };

  test('SYNC-032: a LifoQueue gives the newest', () => {
    const queue = new LifoQueue<string>();
    expect(drained(queue, ['a', 'b', 'c'])).toEqual(['c', 'b', 'a']);
    queue.putNowait('x');
    expect(inspect(queue)).toBe("<LifoQueue [maxsize:0, items:[ 'x' ], tasks:4]>");
  });

  test('SYNC-032: a PriorityQueue gives the smallest, of arrays as Python does of tuples', () => {
    expect(drained(new PriorityQueue<number>(), [10, 9, -1, 3])).toEqual([-1, 3, 9, 10]);
    const items = [[2, 'a'], [1, 'b'], [1, 'a', 0], [1, 'a'], [10]];
    expect(drained(new PriorityQueue(), items)).toEqual([[1, 'a'], [1, 'a', 0], [1, 'b'], [2, 'a'], [10]]);
  });

  test('a PriorityQueue takes an order of its own, and is full as any queue', () => {
    const queue = new PriorityQueue<string>(3, (a, b) => a.length < b.length);
    expect(drained(queue, ['ccc', 'a', 'bb'])).toEqual(['a', 'bb', 'ccc']);
    for (const item of ['a', 'b', 'c']) queue.putNowait(item);
    expect(() => queue.putNowait('d')).toThrow(QueueFull);
  });

  test('equal items of a PriorityQueue come out as those of Python’s heaps', () => {
    // What CPython gives for the same items, of which none is less than another.
    const queue = new PriorityQueue<[number, string]>(0, (a, b) => a[0] < b[0]);
    expect(
      drained(
        queue,
        [...'abcdefg'].map((name): [number, string] => [1, name]),
      ).map(([, name]) => name),
    ).toEqual([...'acfgebd']);
  });
});
