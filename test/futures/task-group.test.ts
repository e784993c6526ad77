// task-group.test.ts: tasks that end before the block that made them does.

import { inspect } from 'node:util';

import { CancelledError, ExceptionGroup, KeyboardInterrupt } from '../../lib/base/errors';
import { currentTask } from '../../lib/futures/current';
import { sleep } from '../../lib/futures/sleep';
import type { Task } from '../../lib/futures/task';
import { TaskGroup, taskGroup } from '../../lib/futures/task-group';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

const me = () => currentTask() as Task;
const errorsOf = (error: unknown) => (error instanceof ExceptionGroup ? error.errors.map(String) : String(error));

forEveryKind('taskGroup', (subject, program) => {
  const failing = (message: string) =>
    program(function* () {
      throw new Error(message);
    });
  const sleeper = (seen: unknown[], name: string) =>
    program(function* () {
      try {
        yield* aw(sleep(60));
      } finally {
        seen.push(`${name} ends`);
      }
    });

  test('RUN-049: waits for its tasks, and gives what the body gives', async () => {
    const iteration = countIterations(subject.current.loop);
    const child = program(function* () {
      yield* aw(sleep(0));
      return 'child';
    });
    const main = program(function* () {
      const start = iteration.count;
      const task = yield* aw(
        taskGroup(
          program(function* (group) {
            return [group.createTask(child, { name: 'mine' })];
          }),
        ),
      );
      return [task[0].result(), task[0].getName(), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['child', 'mine', 4]);
  });

  test('RUN-048: the first failure cancels the others, and the body', async () => {
    const seen: unknown[] = [];
    const main = program(function* () {
      try {
        yield* aw(
          taskGroup(
            program(function* (group) {
              group.createTask(sleeper(seen, 'sleeper'));
              group.createTask(failing('boom'));
              try {
                yield* aw(sleep(60));
              } finally {
                seen.push('body ends');
              }
            }),
          ),
        );
      } catch (error) {
        seen.push(errorsOf(error));
      }
      yield* aw(sleep(0));
      return [...seen, me().cancelling()];
    });
    expect(await subject.current.run(main)).toEqual(['sleeper ends', 'body ends', ['Error: boom'], 0]);
  });

  test('RUN-049: waits for all of them, however often the parent is cancelled', async () => {
    const { loop } = subject.current;
    const children: Task[] = [];
    const shielded = program(function* () {
      try {
        yield* aw(sleep(60));
      } catch {
        for (let round = 0; round < 5; round++) yield* aw(sleep(0));
      }
    });
    const task = loop.createTask(
      program(function* () {
        yield* aw(
          taskGroup(
            program(function* (group) {
              children.push(group.createTask(shielded));
            }),
          ),
        );
      }),
    );
    await subject.current.run(sleep(0));
    task.cancel();
    await subject.current.runOnce();
    task.cancel();
    await subject.current.runOnce();
    expect([task.done(), children[0].done()]).toEqual([false, false]);
    await expect(subject.current.run(task)).rejects.toThrow(CancelledError);
    expect(children[0].done()).toBe(true);
  });

  test('RUN-050: failures of tasks and of the body are thrown together', async () => {
    const inTheEnd = (message: string) =>
      program(function* () {
        try {
          yield* aw(sleep(60));
        } catch {
          throw new Error(message);
        }
      });
    const main = program(function* () {
      try {
        yield* aw(
          taskGroup(
            program(function* (group) {
              group.createTask(inTheEnd('one'));
              group.createTask(inTheEnd('two'));
              yield* aw(sleep(0));
              throw new Error('body');
            }),
          ),
        );
      } catch (error) {
        return [error instanceof ExceptionGroup, errorsOf(error), (error as ExceptionGroup).exceptions.length];
      }
    });
    expect(await subject.current.run(main)).toEqual([true, ['Error: one', 'Error: two', 'Error: body'], 3]);
  });

  test('RUN-050: an error of the fatal pair ends the run, and is then thrown alone', async () => {
    const { loop } = subject.current;
    const fatal = new KeyboardInterrupt();
    const task = loop.createTask(
      program(function* () {
        yield* aw(
          taskGroup(
            program(function* (group) {
              group.createTask(
                program(function* () {
                  throw fatal;
                }),
              );
              yield* aw(sleep(60));
            }),
          ),
        );
      }),
    );
    await expect(subject.current.runForever()).rejects.toBe(fatal);
    expect(task.done()).toBe(false);
    await expect(subject.current.run(task)).rejects.toBe(fatal);
    expect(task.exception()).toBe(fatal);
  });

  test('RUN-051, RUN-053: a cancellation from outside cancels the tasks, and stays one', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const task = loop.createTask(
      program(function* () {
        yield* aw(
          taskGroup(
            program(function* (group) {
              group.createTask(sleeper(seen, 'sleeper'));
              yield* aw(sleep(60));
            }),
          ),
        );
      }),
    );
    await subject.current.run(sleep(0));
    task.cancel('enough');
    await expect(subject.current.run(task)).rejects.toThrow('enough');
    expect([seen, task.cancelling()]).toEqual([['sleeper ends'], 1]);
  });

  test('RUN-053: a task of the group that is cancelled disturbs nobody', async () => {
    const main = program(function* () {
      return yield* aw(
        taskGroup(
          program(function* (group) {
            const cancelled = group.createTask(sleeper([], 'sleeper'));
            yield* aw(sleep(0));
            cancelled.cancel();
            yield* aw(sleep(0));
            yield* aw(sleep(0));
            return [cancelled.cancelled(), inspect(group)];
          }),
        ),
      );
    });
    expect(await subject.current.run(main)).toEqual([true, '<TaskGroup entered>']);
  });

  test('RUN-052: its own cancellation of the parent is taken back; one from outside is not lost', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const slow = program(function* () {
      try {
        yield* aw(sleep(60));
      } catch {
        yield* aw(sleep(0));
        yield* aw(sleep(0));
      }
    });
    const task = loop.createTask(
      program(function* () {
        try {
          yield* aw(
            taskGroup(
              program(function* (group) {
                group.createTask(slow);
                group.createTask(failing('boom'));
                yield* aw(sleep(60));
              }),
            ),
          );
        } catch (error) {
          seen.push(errorsOf(error), me().cancelling());
        }
        yield* aw(sleep(0));
        seen.push('not reached');
      }),
    );
    for (let round = 0; round < 4; round++) await subject.current.runOnce();
    task.cancel('from outside');
    await expect(subject.current.run(task)).rejects.toThrow(CancelledError);
    expect(seen).toEqual([['Error: boom'], 1]);
  });
});

describe('TaskGroup', () => {
  const subject = useLoop('virtual');

  test('RUN-047: needs a parent task, and is entered once', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    loop.callSoon(() => {
      try {
        new TaskGroup()
          .run(() => 1)
          [Symbol.iterator]()
          .next();
      } catch (error) {
        seen.push((error as { code: string }).code);
      }
    });
    await subject.current.runOnce();
    expect(seen).toEqual(['ERR_NO_TASK']);
    const group = new TaskGroup();
    await subject.current.run(group.run(() => 1));
    const again = expect(subject.current.run(group.run(() => 1))).rejects;
    await again.toMatchObject({ name: 'RuntimeError', code: 'ERR_TASK_GROUP_STATE' });
  });

  test('RUN-047: makes tasks only while it is entered and not aborting; a refused coroutine is closed', async () => {
    const refusals: string[] = [];
    const tryIt = (group: TaskGroup) => {
      const coroutine = sleep(1);
      try {
        group.createTask(coroutine);
      } catch (error) {
        refusals.push((error as Error).message);
        expect(() => coroutine[Symbol.iterator]()).toThrow(expect.objectContaining({ code: 'ERR_COROUTINE_REUSED' }));
      }
    };
    const group = new TaskGroup();
    tryIt(group);
    const body = async () => {
      group.createTask(async () => {
        throw new Error('boom');
      });
      await sleep(60).then(undefined, () => tryIt(group));
    };
    await expect(subject.current.run(group.run(body))).rejects.toThrow(ExceptionGroup);
    tryIt(group);
    expect(refusals).toEqual([
      'the task group has not been entered',
      'the task group is shutting down',
      'the task group is finished',
    ]);
  });

  test('RUN-047: a task may still make others after the body has ended', async () => {
    const { loop } = subject.current;
    await subject.current.run(
      taskGroup((group) => {
        group.createTask(async () => {
          await sleep(1);
          group.createTask(() => sleep(1));
        });
      }),
    );
    expect(loop.time()).toBe(1002);
  });

  test('RUN-054: a failure after the parent has ended is reported', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    const children: Task[] = [];
    const parent = loop.createTask(
      async () => {
        // Nobody awaits the group: the parent ends before it does.
        void taskGroup((group) => {
          children.push(
            group.createTask(async () => {
              await sleep(1);
              throw error;
            }),
          );
        }).then(undefined, () => undefined);
        await sleep(0);
      },
      { name: 'parent' },
    );
    await subject.current.run(parent);
    await subject.current.run(sleep(2));
    const [context, ...others] = subject.current.takeContexts();
    expect(others).toEqual([]);
    expect([context.exception === error, context.task === children[0]]).toEqual([true, true]);
    expect(context.message).toContain("name='parent'");
  });

  test('inspect shows how many tasks there are, and what is going on', async () => {
    const seen: string[] = [];
    const group = new TaskGroup();
    seen.push(inspect(group));
    const main = group.run(async () => {
      group.createTask(async () => {
        throw new Error('boom');
      });
      seen.push(inspect(group));
      await sleep(60).then(undefined, () => seen.push(inspect(group)));
    });
    await expect(subject.current.run(main)).rejects.toThrow(/unhandled errors in a task group \(1 sub-exception\)/);
    expect(seen).toEqual(['<TaskGroup>', '<TaskGroup tasks=1 entered>', '<TaskGroup errors=1 cancelling>']);
  });

  test('an eager task that fails at once aborts the group', async () => {
    const main = taskGroup(async (group) => {
      group.createTask(
        () => {
          throw new Error('boom');
        },
        { eagerStart: true },
      );
      expect(() => group.createTask(() => 1)).toThrow('shutting down');
      await sleep(60);
    });
    await expect(subject.current.run(main)).rejects.toThrow(/1 sub-exception/);
    expect(subject.current.loop.time()).toBe(1000);
  });

  test('an own cancellation that could not be delivered does not hit the next wait', async () => {
    const { loop } = subject.current;
    const main = async () => {
      const seen: unknown[] = [];
      const native = new Promise<void>((resolve) => loop.callLater(1, resolve));
      const body = async (group: TaskGroup) => {
        group.createTask(async () => {
          throw new Error('boom');
        });
        await native;
      };
      await taskGroup(body).then(undefined, (error) => seen.push(errorsOf(error)));
      await sleep(0);
      return [...seen, me().cancelling()];
    };
    expect(await subject.current.run(main)).toEqual([['Error: boom'], 0]);
  });

  test('an exception group has at least one exception', () => {
    expect(() => new ExceptionGroup('none', [])).toThrow(expect.objectContaining({ name: 'ValueError' }));
    const group = new ExceptionGroup('two', [1, 2]);
    expect([group.message, group.name, group.errors]).toEqual(['two (2 sub-exceptions)', 'ExceptionGroup', [1, 2]]);
    expect(group).toBeInstanceOf(AggregateError);
  });
});
