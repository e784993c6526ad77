// lock.test.ts: one holder at a time.

import { inspect } from 'node:util';

import { RuntimeError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { Lock } from '../../lib/sync/lock';
import { newEventLoop } from '../../lib/event-loop';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Lock', (subject, program) => {
  /** Takes the lock, says so, and lets go an iteration later. */
  const holder = (lock: Lock, name: string, seen: string[]) =>
    program(function* () {
      yield* aw(lock.acquire());
      seen.push(name);
      yield* aw(sleep(0));
      lock.release();
    });

  test('SYNC-002: a free lock is taken without an iteration', async () => {
    const iteration = countIterations(subject.current.loop);
    const lock = new Lock();
    const main = program(function* () {
      const start = iteration.count;
      const before = lock.locked();
      const result = yield* aw(lock.acquire());
      return [before, result, lock.locked(), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([false, true, true, 0]);
  });

  test('SYNC-002: a free lock is taken past a waiter that was cancelled', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const main = program(function* () {
      yield* aw(lock.acquire());
      const waiter = loop.createTask(() => lock.acquire());
      yield* aw(sleep(0));
      waiter.cancel();
      lock.release();
      yield* aw(lock.acquire());
      return [lock.locked(), waiter.done()];
    });
    expect(await subject.current.run(main)).toEqual([true, false]);
  });

  test('SYNC-003: waiters are served in the order in which they came', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const seen: string[] = [];
    const main = program(function* () {
      const tasks = ['a', 'b', 'c', 'd'].map((name) => loop.createTask(holder(lock, name, seen)));
      for (const task of tasks) yield* aw(task);
      return [...seen, lock.locked()];
    });
    expect(await subject.current.run(main)).toEqual(['a', 'b', 'c', 'd', false]);
  });

  test('SYNC-004: release wakes the first waiter and no other', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const main = program(function* () {
      yield* aw(lock.acquire());
      const [one, other] = [loop.createTask(() => lock.acquire()), loop.createTask(() => lock.acquire())];
      yield* aw(sleep(0));
      lock.release();
      yield* aw(sleep(0));
      const seen = [one.done(), other.done(), lock.locked()];
      lock.release();
      yield* aw(other);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([true, false, true]);
  });

  test('SYNC-005: a lock on its way to a waiter looks free, but a newcomer queues', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const seen: string[] = [];
    const main = program(function* () {
      yield* aw(lock.acquire());
      const waiter = loop.createTask(holder(lock, 'waiter', seen));
      yield* aw(sleep(0));
      lock.release();
      const looked = lock.locked();
      yield* aw(lock.acquire());
      seen.push('newcomer');
      yield* aw(waiter);
      return [looked, ...seen];
    });
    expect(await subject.current.run(main)).toEqual([false, 'waiter', 'newcomer']);
  });

  test('SYNC-006: a waiter that is cancelled after it was woken hands the lock on', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const seen: string[] = [];
    const main = program(function* () {
      yield* aw(lock.acquire());
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(holder(lock, name, seen)));
      yield* aw(sleep(0));
      lock.release();
      first.cancel();
      yield* aw(second);
      return [first.cancelled(), ...seen, inspect(lock)];
    });
    expect(await subject.current.run(main)).toEqual([true, 'second', '<Lock [unlocked]>']);
  });

  test('SYNC-006: a waiter that is cancelled while somebody holds the lock only leaves the line', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const seen: string[] = [];
    const main = program(function* () {
      yield* aw(lock.acquire());
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(holder(lock, name, seen)));
      yield* aw(sleep(0));
      first.cancel();
      yield* aw(sleep(0));
      seen.push(inspect(lock));
      lock.release();
      yield* aw(second);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual(['<Lock [locked, waiters:1]>', 'second']);
  });

  test('SYNC-007: release meets a waiter that is cancelled but still in line', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const seen: string[] = [];
    const main = program(function* () {
      yield* aw(lock.acquire());
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(holder(lock, name, seen)));
      yield* aw(sleep(0));
      first.cancel();
      lock.release();
      yield* aw(second);
      return [first.cancelled(), ...seen, lock.locked()];
    });
    expect(await subject.current.run(main)).toEqual([true, 'second', false]);
  });

  test('SYNC-025: run holds the lock around its body, and lets go when that fails', async () => {
    const lock = new Lock();
    const body = program(function* () {
      yield* aw(sleep(0));
      return lock.locked();
    });
    const failing = program(function* () {
      yield* aw(sleep(0));
      throw new Error('the body fails');
    });
    const main = program(function* () {
      const inside = yield* aw(lock.run(body));
      const after = lock.locked();
      try {
        yield* aw(lock.run(failing));
      } catch (error) {
        return [inside, after, (error as Error).message, lock.locked()];
      }
    });
    expect(await subject.current.run(main)).toEqual([true, false, 'the body fails', false]);
  });

  test('SYNC-001: is bound by the first real wait, and refused to another loop from then on', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const main = program(function* () {
      yield* aw(lock.acquire());
      const waiter = loop.createTask(() => lock.acquire());
      yield* aw(sleep(0));
      lock.release();
      yield* aw(waiter);
    });
    // Used by this loop, but never waited for.
    const other = newEventLoop();
    await other.runUntilComplete(() => lock.run(() => undefined));
    await subject.current.run(main);
    try {
      await expect(other.runUntilComplete(() => lock.acquire())).rejects.toMatchObject({
        code: 'ERR_DIFFERENT_LOOP',
        message: expect.stringContaining('<Lock [locked]> is bound to a different event loop'),
      });
    } finally {
      other.close();
    }
  });
});

test('SYNC-004: to release a lock that nobody holds is an error', () => {
  const lock = new Lock();
  expect(() => lock.release()).toThrow(RuntimeError);
  expect(() => lock.release()).toThrow(expect.objectContaining({ code: 'ERR_NOT_LOCKED' }));
});

test('SYNC-035: a lock shows its state', () => {
  expect(inspect(new Lock())).toBe('<Lock [unlocked]>');
});
