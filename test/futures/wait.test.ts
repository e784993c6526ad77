// wait.test.ts: waiting for some of several futures.

import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { FIRST_COMPLETED, FIRST_EXCEPTION, wait, type ReturnWhen } from '../../lib/futures/wait';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('wait', (subject, program) => {
  test('RUN-031: gives the sets of those that are done and of those that are not', async () => {
    const { loop } = subject.current;
    const [first, failed, pending] = [new Future(loop), new Future(loop), new Future(loop)];
    first.setResult(1);
    failed.setException(new Error('stays inside'));
    const main = program(function* () {
      return yield* aw(wait([first, failed, pending, first], { timeout: 0.001 }));
    });
    expect(await subject.current.run(main)).toEqual({ done: new Set([first, failed]), pending: new Set([pending]) });
    expect(pending.done()).toBe(false);
    failed.exception();
  });

  test('RUN-033: futures that are done already cost two iterations', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const future = new Future<number>(loop);
    future.setResult(1);
    const main = program(function* () {
      const start = iteration.count;
      yield* aw(wait([future]));
      return iteration.count - start;
    });
    expect(await subject.current.run(main)).toBe(2);
  });

  test('RUN-034: cancelling it leaves the futures running, and no callback on them', async () => {
    const { loop } = subject.current;
    const futures = [new Future(loop), new Future(loop)];
    const task = loop.createTask(
      program(function* () {
        yield* aw(wait(futures, { timeout: 60 }));
      }),
    );
    await subject.current.runOnce();
    expect(futures.map((future) => future._callbacks?.length)).toEqual([1, 1]);
    task.cancel();
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
    expect(futures.map((future) => [future.done(), future._callbacks?.length])).toEqual([
      [false, 0],
      [false, 0],
    ]);
    expect(loop._scheduled.peek()?.cancelled()).toBe(true);
  });
});

describe('wait', () => {
  const subject = useLoop('virtual');
  const make = () => new Future(subject.current.loop);

  test.each<[string, unknown, unknown]>([
    ['a future', () => make(), TypeError],
    ['a coroutine', () => sleep(1), TypeError],
    ['a function', () => async () => 1, TypeError],
    ['a list with a coroutine', () => [make(), sleep(1)], TypeError],
    ['a list with a promise', () => [Promise.resolve(1)], TypeError],
    ['an empty list', () => [], { name: 'ValueError' }],
  ])('RUN-030: %s is refused', async (_what, argument, error) => {
    const main = () => wait((argument as () => never)());
    const refused = expect(subject.current.run(main)).rejects;
    if (error === TypeError) await refused.toThrow(TypeError);
    else await refused.toMatchObject(error as object);
  });

  test('an option that it does not have is refused', async () => {
    const main = () => wait([make()], { return_when: FIRST_COMPLETED } as object);
    await expect(subject.current.run(main)).rejects.toThrow("wait has no option 'return_when'");
  });

  test('RUN-030: an unknown returnWhen is a ValueError', async () => {
    const main = () => wait([make()], { returnWhen: 'SOMETIMES' as ReturnWhen });
    await expect(subject.current.run(main)).rejects.toMatchObject({ name: 'ValueError' });
  });

  test('FIRST_COMPLETED returns at the first that is done', async () => {
    const { loop } = subject.current;
    const tasks = [loop.createTask(() => sleep(3)), loop.createTask(() => sleep(1)), loop.createTask(() => sleep(2))];
    const { done, pending } = await subject.current.run(() => wait(tasks, { returnWhen: FIRST_COMPLETED }));
    expect([done, pending]).toEqual([new Set([tasks[1]]), new Set([tasks[0], tasks[2]])]);
    expect(loop.time()).toBe(1001);
  });

  test('RUN-032: FIRST_EXCEPTION returns at the first that failed, not at one that is cancelled', async () => {
    const { loop } = subject.current;
    const [cancelled, failing, pending] = [make(), make(), make()];
    loop.callLater(1, () => cancelled.cancel());
    loop.callLater(2, () => failing.setException(new Error('boom')));
    const all = [cancelled, failing, pending];
    const result = await subject.current.run(() => wait(all, { returnWhen: FIRST_EXCEPTION }));
    expect(result).toEqual({ done: new Set([cancelled, failing]), pending: new Set([pending]) });
    expect(loop.time()).toBe(1002);
  });

  test('RUN-032: FIRST_EXCEPTION returns at a task that throws null', async () => {
    const { loop } = subject.current;
    const failing = loop.createTask(async () => {
      await sleep(1);
      const nothing: unknown = null;
      throw nothing;
    });
    const { done } = await subject.current.run(() =>
      wait([failing, make()], { returnWhen: FIRST_EXCEPTION, timeout: 60 }),
    );
    expect(done).toEqual(new Set([failing]));
    expect(loop.time()).toBe(1001);
  });

  test('RUN-032: FIRST_EXCEPTION without any returns when all are done', async () => {
    const { loop } = subject.current;
    const tasks = [loop.createTask(() => sleep(1)), loop.createTask(() => sleep(2))];
    const { done } = await subject.current.run(() => wait(tasks, { returnWhen: FIRST_EXCEPTION, timeout: 60 }));
    expect(done).toEqual(new Set(tasks));
    expect(loop.time()).toBe(1002);
  });
});
