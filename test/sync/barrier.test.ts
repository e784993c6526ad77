// barrier.test.ts: a number of tasks that go on together.

import { inspect } from 'node:util';

import { BrokenBarrierError, RuntimeError, ValueError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { Barrier } from '../../lib/sync/barrier';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Barrier', (subject, program) => {
  const party = (barrier: Barrier, seen: unknown[]) =>
    program(function* () {
      try {
        seen.push(yield* aw(barrier.wait()));
      } catch (error) {
        seen.push((error as Error).name);
      }
    });
  const turns = (count: number) =>
    program(function* () {
      for (let turn = 0; turn < count; turn++) yield* aw(sleep(0));
    });

  test('SYNC-022: each party of a round gets a number of its own', async () => {
    const { loop } = subject.current;
    const barrier = new Barrier(3);
    const seen: unknown[] = [];
    const main = program(function* () {
      const tasks = [0, 1, 2, 3, 4, 5].map(() => loop.createTask(party(barrier, seen)));
      for (const task of tasks) yield* aw(task);
      return seen;
    });
    const numbers = (await subject.current.run(main)) as number[];
    expect(numbers.slice(0, 3).sort()).toEqual([0, 1, 2]);
    expect(numbers.slice(3).sort()).toEqual([0, 1, 2]);
  });

  test('SYNC-022: a barrier for one is passed without an iteration', async () => {
    const iteration = countIterations(subject.current.loop);
    const barrier = new Barrier(1);
    const main = program(function* () {
      const start = iteration.count;
      return [yield* aw(barrier.wait()), yield* aw(barrier.wait()), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([0, 0, 0]);
  });

  test('SYNC-023: abort fails those who wait and those who come; reset makes it whole', async () => {
    const { loop } = subject.current;
    const barrier = new Barrier(2);
    const seen: unknown[] = [];
    const main = program(function* () {
      const waiting = loop.createTask(party(barrier, seen));
      yield* aw(sleep(0));
      seen.push(inspect(barrier), barrier.nWaiting);
      yield* aw(barrier.abort());
      yield* aw(waiting);
      seen.push(barrier.broken, barrier.nWaiting, inspect(barrier));
      yield* aw(loop.createTask(party(barrier, seen)));
      yield* aw(barrier.reset());
      seen.push(barrier.broken);
      const both = [loop.createTask(party(barrier, seen)), loop.createTask(party(barrier, seen))];
      for (const task of both) yield* aw(task);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      '<Barrier [filling, waiters:1/2]>',
      1,
      'BrokenBarrierError',
      true,
      0,
      '<Barrier [broken]>',
      'BrokenBarrierError',
      false,
      1,
      0,
    ]);
  });

  test('SYNC-023: reset fails those who wait, and the next ones start a round', async () => {
    const { loop } = subject.current;
    const barrier = new Barrier(3);
    const seen: unknown[] = [];
    const main = program(function* () {
      const waiting = [loop.createTask(party(barrier, seen)), loop.createTask(party(barrier, seen))];
      yield* aw(sleep(0));
      yield* aw(barrier.reset());
      seen.push(inspect(barrier));
      for (const task of waiting) yield* aw(task);
      return [...seen, inspect(barrier)];
    });
    expect(await subject.current.run(main)).toEqual([
      '<Barrier [resetting, waiters:0/3]>',
      'BrokenBarrierError',
      'BrokenBarrierError',
      '<Barrier [filling, waiters:0/3]>',
    ]);
  });

  test('SYNC-024: while a round leaves, newcomers wait for the next', async () => {
    const { loop } = subject.current;
    const barrier = new Barrier(2);
    const seen: unknown[] = [];
    const main = program(function* () {
      const round = [loop.createTask(party(barrier, seen)), loop.createTask(party(barrier, seen))];
      yield* aw(sleep(0));
      const state = inspect(barrier);
      const late = loop.createTask(party(barrier, seen));
      for (const task of round) yield* aw(task);
      yield* aw(loop.createTask(turns(5)));
      const waiting = [state, late.done(), barrier.nWaiting];
      yield* aw(loop.createTask(party(barrier, seen)));
      yield* aw(late);
      return [...waiting, seen.length];
    });
    expect(await subject.current.run(main)).toEqual(['<Barrier [draining, waiters:0/2]>', false, 1, 4]);
  });

  test('SYNC-023: a party that is cancelled leaves, and the others wait on', async () => {
    const { loop } = subject.current;
    const barrier = new Barrier(2);
    const seen: unknown[] = [];
    const main = program(function* () {
      const first = loop.createTask(() => barrier.wait());
      yield* aw(sleep(0));
      first.cancel();
      yield* aw(sleep(0));
      yield* aw(sleep(0));
      const left = [first.cancelled(), barrier.nWaiting];
      const both = [loop.createTask(party(barrier, seen)), loop.createTask(party(barrier, seen))];
      for (const task of both) yield* aw(task);
      return [...left, ...seen.sort()];
    });
    expect(await subject.current.run(main)).toEqual([true, 0, 0, 1]);
  });

  test('SYNC-025: run waits first and gives its body the number', async () => {
    const barrier = new Barrier(1);
    const main = program(function* () {
      return yield* aw(barrier.run((index) => `party ${index}`));
    });
    expect(await subject.current.run(main)).toBe('party 0');
  });
});

test('SYNC-022: takes one party at least', () => {
  for (const parties of [0, -1]) expect(() => new Barrier(parties)).toThrow(ValueError);
  expect(() => new Barrier(1.5)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(new BrokenBarrierError('')).toBeInstanceOf(RuntimeError);
});
