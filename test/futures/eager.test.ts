// eager.test.ts: tasks whose first step runs inside createTask.

import { AsyncLocalStorage } from 'node:async_hooks';

import { KeyboardInterrupt } from '../../lib/base/errors';
import { currentTask } from '../../lib/futures/current';
import { createEagerTaskFactory, eagerTaskFactory } from '../../lib/futures/eager';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { allTasks, Task } from '../../lib/futures/task';
import { driverNames, useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('eager task', (subject, program) => {
  test('FUT-055, FUT-057: starts inside createTask, and goes on like any other', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    loop.setTaskFactory(eagerTaskFactory);
    const seen: unknown[] = [];
    const gate = new Future<string>(loop);
    const child = program(function* (start: number) {
      seen.push('first step');
      seen.push(yield* aw(gate), iteration.count - start);
    });
    const main = program(function* () {
      const start = iteration.count;
      const task = loop.createTask(() => child(start));
      seen.push('created');
      gate.setResult('value');
      yield* aw(task);
    });
    await subject.current.run(main);
    expect(seen).toEqual(['first step', 'created', 'value', expect.any(Number)]);
  });

  test('FUT-056: during the first step the current task is the new one, and then the old one again', async () => {
    const { loop } = subject.current;
    const child = program(function* () {
      const first = currentTask();
      const known = allTasks().has(first as Task);
      yield* aw(sleep(0));
      return [first, known, currentTask()];
    });
    const main = loop.createTask(
      program(function* () {
        const task = loop.createTask(child, { eagerStart: true });
        const after = currentTask() === loop._currentTask ? currentTask() : 'left out of step';
        return [yield* aw(task), [task, true, task], after];
      }),
    );
    const [seen, expected, after] = await subject.current.run(main);
    expect(seen).toEqual(expected);
    expect(after).toBe(main);
  });

  test('FUT-055: a loop that is not running queues the first step', async () => {
    const { loop } = subject.current;
    loop.setTaskFactory(eagerTaskFactory);
    const seen: string[] = [];
    const task = loop.createTask(
      program(function* () {
        seen.push('ran');
      }),
    );
    expect(seen).toEqual([]);
    await subject.current.run(task);
    expect(seen).toEqual(['ran']);
  });

  test('FUT-055: one that ends without waiting costs whoever awaits it no iteration', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const child = program(function* () {
      return 'at once';
    });
    const main = program(function* () {
      const start = iteration.count;
      const value = yield* aw(loop.createTask(child, { eagerStart: true }));
      return [value, iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['at once', 0]);
  });
});

describe.each(driverNames)('eager generator task, %s', (driver) => {
  const subject = useLoop(driver);

  test('FUT-055: one that ends without waiting is done when createTask returns, and is never queued', async () => {
    const { loop } = subject.current;
    const queued: number[] = [];
    const main = () => {
      const before = loop._ready.length;
      const task = loop.createTask(
        function* (): CoroutineGenerator<string> {
          return 'at once';
        },
        { eagerStart: true },
      );
      queued.push(loop._ready.length - before);
      return [task.done(), task.done() && task.result(), allTasks().has(task)];
    };
    expect(await subject.current.run(main)).toEqual([true, 'at once', false]);
    expect(queued).toEqual([0]);
  });

  test('an exception in the first step is the task’s', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    const failing = function* (): CoroutineGenerator<void> {
      throw error;
    };
    const main = () => loop.createTask(failing, { eagerStart: true }).exception();
    expect(await subject.current.run(main)).toBe(error);
  });

  test('FUT-060: a KeyboardInterrupt in the first step ends the run', async () => {
    const { loop } = subject.current;
    const fatal = new KeyboardInterrupt();
    const tasks: Task<unknown>[] = [];
    loop.callSoon(() => {
      tasks.push(
        loop.createTask(
          () => {
            throw fatal;
          },
          { eagerStart: true },
        ),
      );
    });
    await expect(subject.current.runForever()).rejects.toBe(fatal);
    expect(tasks[0].exception()).toBe(fatal);
  });

  test('starts in a copy of the context, and one with an aborted signal does not start', async () => {
    const { loop } = subject.current;
    const storage = new AsyncLocalStorage<string>();
    const main = () => {
      const task = storage.run('here', () => loop.createTask(() => storage.getStore(), { eagerStart: true }));
      const aborted = loop.createTask(() => 'ran', { eagerStart: true, signal: AbortSignal.abort() });
      return [task.result(), aborted.cancelled()];
    };
    expect(await subject.current.run(main)).toEqual(['here', true]);
  });
});

describe('eager task factory', () => {
  const subject = useLoop('virtual');

  test('FUT-055: one can be made for a class of one’s own', async () => {
    const { loop } = subject.current;
    class MyTask<T> extends Task<T> {}
    const factory = createEagerTaskFactory((coroutine, ofLoop, options) => new MyTask(coroutine, ofLoop, options));
    loop.setTaskFactory(factory);
    const main = () => {
      const task = loop.createTask(() => 'value', { name: 'mine' });
      return [task instanceof MyTask, task.getName(), task.result()];
    };
    expect(await subject.current.run(main)).toEqual([true, 'mine', 'value']);
  });
});
