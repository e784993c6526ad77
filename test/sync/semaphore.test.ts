// semaphore.test.ts: so many holders at a time.

import { inspect } from 'node:util';

import { ValueError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { BoundedSemaphore, Semaphore } from '../../lib/sync/semaphore';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Semaphore', (subject, program) => {
  const taker = (semaphore: Semaphore, name: string, seen: string[]) =>
    program(function* () {
      yield* aw(semaphore.acquire());
      seen.push(name);
    });

  test('SYNC-016: permits are taken without an iteration until none is left; then it is locked', async () => {
    const iteration = countIterations(subject.current.loop);
    const semaphore = new Semaphore(2);
    const main = program(function* () {
      const start = iteration.count;
      const seen: unknown[] = [inspect(semaphore)];
      for (let turn = 0; turn < 2; turn++) seen.push(semaphore.locked(), yield* aw(semaphore.acquire()));
      return [...seen, semaphore.locked(), iteration.count - start, inspect(semaphore)];
    });
    expect(await subject.current.run(main)).toEqual([
      '<Semaphore [unlocked, value:2]>',
      ...[false, true, false, true, true, 0],
      '<Semaphore [locked]>',
    ]);
  });

  test('SYNC-017: a released permit is the waiter’s before he goes on', async () => {
    const { loop } = subject.current;
    const semaphore = new Semaphore(0);
    const seen: string[] = [];
    const main = program(function* () {
      const waiter = loop.createTask(taker(semaphore, 'waiter', seen));
      yield* aw(sleep(0));
      semaphore.release();
      const locked = semaphore.locked();
      const newcomer = loop.createTask(taker(semaphore, 'newcomer', seen));
      yield* aw(waiter);
      yield* aw(sleep(0));
      const state = [locked, newcomer.done(), inspect(semaphore)];
      semaphore.release();
      yield* aw(newcomer);
      return [...state, ...seen];
    });
    expect(await subject.current.run(main)).toEqual([
      true,
      false,
      '<Semaphore [locked, waiters:1]>',
      'waiter',
      'newcomer',
    ]);
  });

  test('SYNC-018: a newcomer queues behind those who wait, though permits are free', async () => {
    const { loop } = subject.current;
    const semaphore = new Semaphore(0);
    const seen: string[] = [];
    const main = program(function* () {
      const waiter = loop.createTask(taker(semaphore, 'waiter', seen));
      yield* aw(sleep(0));
      semaphore.release();
      semaphore.release();
      const locked = semaphore.locked();
      yield* aw(semaphore.acquire());
      seen.push('newcomer');
      yield* aw(waiter);
      return [locked, ...seen];
    });
    expect(await subject.current.run(main)).toEqual([true, 'waiter', 'newcomer']);
  });

  test('SYNC-019: a waiter that is cancelled after it got a permit gives it to the next', async () => {
    const { loop } = subject.current;
    const semaphore = new Semaphore(0);
    const seen: string[] = [];
    const main = program(function* () {
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(taker(semaphore, name, seen)));
      yield* aw(sleep(0));
      semaphore.release();
      first.cancel();
      yield* aw(second);
      return [first.cancelled(), ...seen, inspect(semaphore)];
    });
    expect(await subject.current.run(main)).toEqual([true, 'second', '<Semaphore [locked]>']);
  });

  test('SYNC-019: a waiter that is cancelled before it got one only leaves the line', async () => {
    const { loop } = subject.current;
    const semaphore = new Semaphore(0);
    const main = program(function* () {
      const waiter = loop.createTask(() => semaphore.acquire());
      yield* aw(sleep(0));
      waiter.cancel();
      yield* aw(sleep(0));
      const before = inspect(semaphore);
      semaphore.release();
      return [before, inspect(semaphore)];
    });
    expect(await subject.current.run(main)).toEqual(['<Semaphore [locked]>', '<Semaphore [unlocked, value:1]>']);
  });

  test('SYNC-020: whoever goes on and sees permits left wakes the next', async () => {
    const { loop } = subject.current;
    const semaphore = new Semaphore(0);
    const seen: string[] = [];
    const main = program(function* () {
      const [cancelled, ...others] = ['x', 'a', 'b'].map((name) => loop.createTask(taker(semaphore, name, seen)));
      yield* aw(sleep(0));
      // Two permits while the first in line is cancelled but has not gone yet, and the second has.
      cancelled.cancel();
      semaphore.release();
      semaphore.release();
      semaphore.release();
      for (const task of others) yield* aw(task);
      return [...seen, inspect(semaphore)];
    });
    expect(await subject.current.run(main)).toEqual(['a', 'b', '<Semaphore [unlocked, value:1]>']);
  });

  test('SYNC-025: run holds a permit around its body', async () => {
    const semaphore = new Semaphore(1);
    const body = program(function* () {
      yield* aw(sleep(0));
      return semaphore.locked();
    });
    const main = program(function* () {
      return [yield* aw(semaphore.run(body)), semaphore.locked()];
    });
    expect(await subject.current.run(main)).toEqual([true, false]);
  });

  test('SYNC-021: a bounded one gives back to where it began, and no further', async () => {
    const semaphore = new BoundedSemaphore(1);
    const main = program(function* () {
      yield* aw(semaphore.acquire());
      semaphore.release();
      try {
        semaphore.release();
      } catch (error) {
        return [error instanceof ValueError, (error as ValueError).code, inspect(semaphore)];
      }
    });
    expect(await subject.current.run(main)).toEqual([
      true,
      'ERR_RELEASED_TOO_OFTEN',
      '<BoundedSemaphore [unlocked, value:1]>',
    ]);
  });
});

test('SYNC-016: cannot begin with less than nothing', () => {
  expect(() => new Semaphore(-1)).toThrow(ValueError);
  expect(() => new BoundedSemaphore(-1)).toThrow(ValueError);
  for (const value of [0.5, NaN, '1']) {
    expect(() => new Semaphore(value as number)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  }
});
