// condition.test.ts: waiting, with a lock in hand, for news.

import { inspect } from 'node:util';

import { sleep } from '../../lib/futures/sleep';
import { Condition } from '../../lib/sync/condition';
import { Lock } from '../../lib/sync/lock';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Condition', (subject, program) => {
  const waiter = (condition: Condition, name: string, seen: unknown[]) =>
    program(function* () {
      yield* aw(
        condition.run(
          program(function* () {
            const result = yield* aw(condition.wait());
            seen.push([name, result, condition.locked()]);
          }),
        ),
      );
    });
  const notifying = (condition: Condition, count?: number) =>
    condition.run(() => (count === undefined ? condition.notifyAll() : condition.notify(count)));

  test('SYNC-010: without the lock there is no waiting and no notifying', async () => {
    const condition = new Condition();
    const main = program(function* () {
      try {
        yield* aw(condition.wait());
      } catch (error) {
        return (error as { code: string }).code;
      }
    });
    expect(await subject.current.run(main)).toBe('ERR_NOT_LOCKED');
    for (const act of [() => condition.notify(), () => condition.notifyAll()]) {
      expect(act).toThrow(expect.objectContaining({ name: 'RuntimeError', code: 'ERR_NOT_LOCKED' }));
    }
  });

  test('SYNC-011: wait lets go of the lock and has it again afterwards', async () => {
    const { loop } = subject.current;
    const condition = new Condition();
    const seen: unknown[] = [];
    const main = program(function* () {
      const task = loop.createTask(waiter(condition, 'a', seen));
      yield* aw(sleep(0));
      seen.push(condition.locked(), inspect(condition));
      yield* aw(notifying(condition, 1));
      yield* aw(task);
      return [...seen, condition.locked()];
    });
    expect(await subject.current.run(main)).toEqual([
      false,
      '<Condition [unlocked, waiters:1]>',
      ['a', true, true],
      false,
    ]);
  });

  test('SYNC-011: a wait that is cancelled, however often, ends with the lock in hand', async () => {
    const { loop } = subject.current;
    const condition = new Condition();
    const seen: unknown[] = [];
    const cancelled = program(function* () {
      yield* aw(condition.acquire() as ReturnType<Lock['acquire']>);
      try {
        yield* aw(condition.wait());
      } catch (error) {
        seen.push((error as Error).name, condition.locked());
        condition.release();
      }
    });
    const main = program(function* () {
      const task = loop.createTask(cancelled);
      yield* aw(sleep(0));
      yield* aw(condition.acquire() as ReturnType<Lock['acquire']>);
      task.cancel();
      yield* aw(sleep(0));
      yield* aw(sleep(0));
      task.cancel();
      yield* aw(sleep(0));
      yield* aw(sleep(0));
      seen.push(task.done());
      condition.release();
      yield* aw(task);
      return [...seen, condition.locked()];
    });
    expect(await subject.current.run(main)).toEqual([false, 'CancelledError', true, false]);
  });

  test('SYNC-012: as in 3.12, a notification that met a cancelled wait is not passed on', async () => {
    const { loop } = subject.current;
    const condition = new Condition();
    const seen: unknown[] = [];
    const main = program(function* () {
      const [first, second] = ['first', 'second'].map((name) => loop.createTask(waiter(condition, name, seen)));
      yield* aw(sleep(0));
      yield* aw(notifying(condition, 1));
      first.cancel();
      for (let turn = 0; turn < 5; turn++) yield* aw(sleep(0));
      const left = [first.cancelled(), second.done()];
      yield* aw(notifying(condition));
      yield* aw(second);
      return [...left, ...seen];
    });
    expect(await subject.current.run(main)).toEqual([true, false, ['second', true, true]]);
  });

  test('SYNC-013: notify wakes as many as it says, oldest first; they go on when they get the lock', async () => {
    const { loop } = subject.current;
    const condition = new Condition();
    const seen: unknown[] = [];
    const main = program(function* () {
      const tasks = ['a', 'b', 'c', 'd'].map((name) => loop.createTask(waiter(condition, name, seen)));
      yield* aw(sleep(0));
      tasks[0].cancel();
      yield* aw(
        condition.run(
          program(function* () {
            condition.notify(2);
            for (let turn = 0; turn < 3; turn++) yield* aw(sleep(0));
            seen.push('still held');
          }),
        ),
      );
      for (let turn = 0; turn < 5; turn++) yield* aw(sleep(0));
      seen.push(tasks.map((task) => task.done()));
      yield* aw(notifying(condition));
      yield* aw(tasks[3]);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      'still held',
      ['b', true, true],
      ['c', true, true],
      [true, true, true, false],
      ['d', true, true],
    ]);
  });

  test('SYNC-014: waitFor asks first, asks again after each notification, and gives what it was told', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const condition = new Condition();
    let value: string | null = 'there';
    let asked = 0;
    const predicate = () => {
      asked += 1;
      return value;
    };
    const main = program(function* () {
      const start = iteration.count;
      const first = yield* aw(condition.run(() => condition.waitFor(predicate)));
      const at: unknown[] = [first, asked, iteration.count - start];
      value = null;
      const task = loop.createTask(() => condition.run(() => condition.waitFor(predicate)));
      yield* aw(sleep(0));
      yield* aw(notifying(condition));
      for (let turn = 0; turn < 3; turn++) yield* aw(sleep(0));
      at.push(task.done(), asked);
      value = 'later';
      yield* aw(notifying(condition));
      return [...at, yield* aw(task), asked];
    });
    expect(await subject.current.run(main)).toEqual(['there', 1, 0, false, 3, 'later', 4]);
  });

  test('SYNC-015: two conditions share a lock, and any object with its methods will do', async () => {
    const { loop } = subject.current;
    const lock = new Lock();
    const foreign = {
      locked: () => lock.locked(),
      acquire: program(function* () {
        return yield* aw(lock.acquire());
      }),
      release: () => lock.release(),
    };
    const [one, other] = [new Condition(lock), new Condition({ ...foreign, acquire: () => foreign.acquire })];
    const seen: unknown[] = [];
    const main = program(function* () {
      const tasks = [loop.createTask(waiter(one, 'one', seen)), loop.createTask(waiter(other, 'other', seen))];
      yield* aw(sleep(0));
      yield* aw(lock.acquire());
      seen.push([one.locked(), other.locked()]);
      one.notify();
      other.notify();
      lock.release();
      for (const task of tasks) yield* aw(task);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      [true, true],
      ['one', true, true],
      ['other', true, true],
    ]);
  });
});
