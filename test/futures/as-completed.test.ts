// as-completed.test.ts: results in the order in which they come.

import { TimeoutError } from '../../lib/base/errors';
import { asCompleted } from '../../lib/futures/as-completed';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { allTasks } from '../../lib/futures/task';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('asCompleted', (subject, program) => {
  test('RUN-044: each item gives the next result that comes', async () => {
    const { loop } = subject.current;
    const futures = [1, 2, 3].map(() => new Future<number>(loop));
    const order = [2, 0, 1];
    const main = program(function* () {
      const seen: number[] = [];
      order.forEach((index) => futures[index].setResult(index));
      for (const next of asCompleted(futures)) seen.push(yield* aw(next));
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([0, 1, 2]);
    const later = [1, 2, 3].map(() => new Future<number>(loop));
    const waiting = program(function* () {
      const seen: unknown[] = [];
      order.forEach((index) => loop.callSoon(() => later[index].setResult(index)));
      for (const next of asCompleted(later)) seen.push(yield* aw(next));
      return seen;
    });
    expect(await subject.current.run(waiting)).toEqual(order);
  });

  test('RUN-044: a failure is thrown by the item whose turn it is', async () => {
    const { loop } = subject.current;
    const [failing, fine] = [new Future<number>(loop), new Future<number>(loop)];
    failing.setException(new Error('boom'));
    fine.setResult(1);
    const main = program(function* () {
      const seen: unknown[] = [];
      for (const next of asCompleted([failing, fine])) {
        try {
          seen.push(yield* aw(next));
        } catch (error) {
          seen.push(String(error));
        }
      }
      return seen;
    });
    expect(await subject.current.run(main)).toEqual(['Error: boom', 1]);
  });

  test('RUN-044: a coroutine’s result comes three iterations after the first item was taken', async () => {
    const iteration = countIterations(subject.current.loop);
    const child = program(function* () {
      return 'value';
    });
    const main = program(function* () {
      const start = iteration.count;
      const [next] = asCompleted([child]);
      return [yield* aw(next), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['value', 3]);
  });
});

describe('asCompleted', () => {
  const subject = useLoop('virtual');

  test('RUN-043: nothing starts and nothing is checked before the first item is taken', async () => {
    const { loop } = subject.current;
    expect(() => asCompleted(sleep(1) as never)).not.toThrow();
    expect(() => asCompleted(sleep(1) as never).next()).toThrow(TypeError);
    expect(() => asCompleted([sleep(1)]).next()).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
    const counts = await subject.current.run(() => {
      const before = allTasks().size;
      const items = asCompleted([sleep(1), sleep(2)]);
      const made = allTasks().size;
      items.next();
      return [made - before, allTasks().size - before];
    });
    expect(counts).toEqual([0, 2]);
    for (const task of allTasks(loop)) task.cancel();
    await subject.current.runOnce();
  });

  test('RUN-044: when the time is up the items that are left throw TimeoutError, and nothing is cancelled', async () => {
    const { loop } = subject.current;
    const tasks = [loop.createTask(() => sleep(1, 'first')), loop.createTask(() => sleep(60, 'late'))];
    const pending = new Future<string>(loop);
    const seen = await subject.current.run(async () => {
      const outcomes: unknown[] = [];
      for (const next of asCompleted([...tasks, pending], { timeout: 5 })) {
        outcomes.push(await next.then(undefined, (error) => error instanceof TimeoutError));
      }
      return [...outcomes, loop.time()];
    });
    expect(seen).toEqual(['first', true, true, 1005]);
    expect([tasks[1].done(), pending.done(), pending._callbacks?.length]).toEqual([false, false, 0]);
    expect(await subject.current.run(tasks[1])).toBe('late');
  });

  test('RUN-044: the timer is gone when all have come', async () => {
    await subject.current.run(async () => {
      for (const next of asCompleted([sleep(1)], { timeout: 60 })) await next;
    });
    await subject.current.runOnce();
    expect(subject.current.loop._scheduled.length).toBe(0);
    expect(subject.current.loop.time()).toBe(1001);
  });

  test('RUN-044: one future in several places counts once; a function is called for each', async () => {
    const { loop } = subject.current;
    const future = new Future<string>(loop);
    future.setResult('future');
    let calls = 0;
    const count = () => ++calls;
    const results = await subject.current.run(async () => {
      const seen: unknown[] = [];
      for (const next of asCompleted([future, count, future, count])) seen.push(await next);
      return seen;
    });
    expect(results).toEqual(['future', 1, 2]);
    expect(await subject.current.run(() => [...asCompleted([])])).toEqual([]);
  });

  test('items may be awaited in any order, and one that is cancelled leaves its turn to the next', async () => {
    const { loop } = subject.current;
    const futures = [new Future<number>(loop), new Future<number>(loop)];
    const seen = await subject.current.run(async () => {
      const [first, second] = asCompleted(futures);
      const loser = loop.createTask(first);
      const winner = loop.createTask(second);
      await sleep(0);
      futures[0].setResult(7);
      await sleep(0);
      loser.cancel();
      return [await winner, loser.cancelled()];
    });
    expect(seen).toEqual([7, true]);
  });

  test('an item that is cancelled while it waits leaves the others in their order', async () => {
    const { loop } = subject.current;
    const futures = [1, 2, 3, 4].map(() => new Future<number>(loop));
    const seen: unknown[] = [];
    await subject.current.run(async () => {
      const tasks = [...asCompleted(futures)].map((item, index) =>
        loop.createTask(async () => seen.push(['first', 'second', 'third', 'fourth'][index], await item)),
      );
      await sleep(0);
      // It ends in the iteration in which the first result comes, and before who is to take it.
      loop.callSoon(() => tasks[1].cancel());
      for (const [index, future] of futures.slice(0, 3).entries()) {
        future.setResult(index);
        for (let round = 0; round < 4; round++) await sleep(0);
      }
      tasks[3].cancel();
    });
    expect(seen).toEqual(['first', 0, 'third', 1, 'fourth', 2]);
  });
});
