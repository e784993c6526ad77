// timeout.test.ts: a limit of time around a piece of a coroutine.

import { inspect } from 'node:util';

import { CancelledError, type RuntimeError, TimeoutError } from '../../lib/base/errors';
import { currentTask } from '../../lib/futures/current';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import type { Task } from '../../lib/futures/task';
import { Timeout, timeout, timeoutAt } from '../../lib/futures/timeout';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

const me = () => currentTask() as Task;

forEveryKind('timeout', (subject, program) => {
  test('RUN-014: gives what the body gives; null is no limit', async () => {
    const body = program(function* (cm: Timeout) {
      yield* aw(sleep(0));
      return [cm.when(), cm.expired()];
    });
    const main = program(function* () {
      const seen = [yield* aw(timeout(null, body)), yield* aw(timeoutAt(null, body))];
      const limited = yield* aw(timeoutAt(subject.current.loop.time() + 60, body));
      return [...seen, typeof limited[0], me().cancelling()];
    });
    expect(await subject.current.run(main)).toEqual([[null, false], [null, false], 'number', 0]);
  });

  test('RUN-017: a body that ends without suspending is not interrupted, even with a limit of 0', async () => {
    const iteration = countIterations(subject.current.loop);
    const main = program(function* () {
      const start = iteration.count;
      const value = yield* aw(
        timeout(
          0,
          program(function* () {
            return 'in time';
          }),
        ),
      );
      yield* aw(sleep(0));
      yield* aw(sleep(0));
      return [value, iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['in time', 2]);
  });

  test('RUN-016, RUN-018, RUN-019: a deadline that is past cancels in the next iteration, and TimeoutError results', async () => {
    const iteration = countIterations(subject.current.loop);
    const main = program(function* () {
      const start = iteration.count;
      const seen: unknown[] = [];
      const body = program(function* (cm: Timeout) {
        try {
          yield* aw(sleep(60));
        } catch (error) {
          seen.push((error as Error).name, cm.expired(), me().cancelling());
          throw error;
        }
      });
      try {
        yield* aw(timeout(-1, body));
      } catch (error) {
        seen.push((error as Error).name, ((error as Error).cause as Error).name);
      }
      return [...seen, me().cancelling(), iteration.count - start];
    });
    const expected = ['CancelledError', true, 1, 'TimeoutError', 'CancelledError', 0, 2];
    expect(await subject.current.run(main)).toEqual(expected);
  });

  test('RUN-019: the nearer of two nested limits expires alone', async () => {
    const { loop } = subject.current;
    const main = program(function* () {
      const outer = new Timeout(loop.time() + 60);
      const inner = new Timeout(loop.time());
      const seen: unknown[] = [];
      yield* aw(
        outer.run(
          program(function* () {
            try {
              yield* aw(
                inner.run(
                  program(function* () {
                    yield* aw(sleep(60));
                  }),
                ),
              );
            } catch (error) {
              seen.push((error as Error).name);
            }
            yield* aw(sleep(0));
          }),
        ),
      );
      return [...seen, inner.expired(), outer.expired()];
    });
    expect(await subject.current.run(main)).toEqual(['TimeoutError', true, false]);
  });

  test('RUN-019: of two nested limits that are both past, the outer one’s error remains', async () => {
    const { loop } = subject.current;
    const main = program(function* () {
      const [outer, inner] = [new Timeout(loop.time() - 1), new Timeout(loop.time() - 1)];
      const seen: unknown[] = [];
      const sleeping = program(function* () {
        yield* aw(sleep(60));
      });
      const middle = program(function* () {
        try {
          yield* aw(inner.run(sleeping));
        } catch (error) {
          seen.push((error as Error).name);
          throw error;
        }
      });
      try {
        yield* aw(outer.run(middle));
      } catch (error) {
        seen.push((error as Error).name);
      }
      return [...seen, inner.expired(), outer.expired(), me().cancelling()];
    });
    expect(await subject.current.run(main)).toEqual(['CancelledError', 'TimeoutError', true, true, 0]);
  });

  test('RUN-020: a body that swallows the cancellation gives its value, and the limit has expired', async () => {
    const main = program(function* () {
      const cm = new Timeout(0);
      const value = yield* aw(
        cm.run(
          program(function* () {
            try {
              yield* aw(sleep(60));
            } catch {
              return 'swallowed';
            }
          }),
        ),
      );
      return [value, cm.expired(), me().cancelling()];
    });
    expect(await subject.current.run(main)).toEqual(['swallowed', true, 0]);
  });

  test('RUN-021: a body that throws something else fails with that', async () => {
    const error = new Error('boom');
    const main = program(function* () {
      yield* aw(
        timeout(
          0,
          program(function* () {
            try {
              yield* aw(sleep(60));
            } catch {
              throw error;
            }
          }),
        ),
      );
    });
    await expect(subject.current.run(main)).rejects.toBe(error);
  });

  test('RUN-022: a cancellation from outside stays one', async () => {
    const { loop } = subject.current;
    const cm = new Timeout(loop.time() + 60);
    const task = loop.createTask(
      program(function* () {
        yield* aw(
          cm.run(
            program(function* () {
              yield* aw(sleep(60));
            }),
          ),
        );
      }),
    );
    await subject.current.runOnce();
    task.cancel('from outside');
    await subject.current.runOnce();
    expect([task.cancelled(), cm.expired(), task.cancelling()]).toEqual([true, false, 1]);
  });

  test('RUN-022: a cancellation from outside beside the expiry goes before', async () => {
    const { loop } = subject.current;
    const cm = new Timeout(loop.time() - 1);
    const task = loop.createTask(
      program(function* () {
        yield* aw(
          cm.run(
            program(function* () {
              yield* aw(sleep(60));
            }),
          ),
        );
      }),
    );
    await subject.current.runOnce();
    task.cancel('from outside');
    await subject.current.run(sleep(0));
    expect([task.cancelled(), cm.expired()]).toEqual([true, true]);
  });

  test('RUN-023: the timer is cancelled at the end', async () => {
    const { loop } = subject.current;
    const body = program(function* () {
      return loop._scheduled.length;
    });
    const main = program(function* () {
      const during = yield* aw(timeout(60, body));
      return [during, loop._scheduled.peek()?.cancelled()];
    });
    expect(await subject.current.run(main)).toEqual([1, true]);
  });
});

describe('Timeout', () => {
  const subject = useLoop('virtual');

  test('RUN-014: needs a current task, and is entered once', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    loop.callSoon(() => {
      try {
        new Timeout(null)
          .run(() => 1)
          [Symbol.iterator]()
          .next();
      } catch (error) {
        seen.push((error as RuntimeError).code);
      }
    });
    await subject.current.runOnce();
    expect(seen).toEqual(['ERR_NO_TASK']);
    const cm = new Timeout(null);
    await subject.current.run(cm.run(() => 1));
    await expect(subject.current.run(cm.run(() => 1))).rejects.toMatchObject({ code: 'ERR_TIMEOUT_STATE' });
  });

  test('RUN-015: goes through its states, and is rescheduled only while active', async () => {
    const { loop } = subject.current;
    const states: string[] = [];
    const refusals: string[] = [];
    const look = (cm: Timeout) => {
      states.push(inspect(cm));
      try {
        cm.reschedule(null);
      } catch (error) {
        refusals.push((error as Error).message);
      }
    };
    const main = async () => {
      const fine = new Timeout(loop.time() + 60);
      look(fine);
      await fine.run(() => {
        states.push(inspect(fine));
        look(fine);
      });
      look(fine);
      const late = new Timeout(0);
      await late
        .run(async () => {
          try {
            await sleep(60);
          } finally {
            look(late);
          }
        })
        .then(undefined, () => look(late));
    };
    await subject.current.run(main);
    const unlimited = await subject.current.run(() => timeout(null, async (limit) => inspect(limit)));
    expect(unlimited).toBe('<Timeout [active] when=null>');
    expect(states).toEqual([
      '<Timeout [created]>',
      '<Timeout [active] when=1060>',
      '<Timeout [active] when=1060>',
      '<Timeout [finished]>',
      '<Timeout [expiring]>',
      '<Timeout [expired]>',
    ]);
    expect(refusals).toEqual([
      'the timeout has not been entered',
      'cannot change the deadline of a timeout that is finished',
      'cannot change the deadline of a timeout that is expiring',
      'cannot change the deadline of a timeout that is expired',
    ]);
  });

  test('RUN-015, RUN-016: reschedule moves the deadline in both directions', async () => {
    const { loop } = subject.current;
    const main = async () => {
      const seen: unknown[] = [];
      await timeout(10, async (cm) => {
        cm.reschedule(loop.time() + 30);
        await sleep(20);
        seen.push(cm.when());
        cm.reschedule(loop.time() + 1);
        await sleep(20);
      }).then(undefined, (error) => seen.push((error as Error).name));
      seen.push(loop.time());
      await timeout(10, async (cm) => {
        cm.reschedule(loop.time() - 5);
        await sleep(20);
      }).then(undefined, (error) => seen.push((error as Error).name));
      return [...seen, loop.time()];
    };
    expect(await subject.current.run(main)).toEqual([1030, 'TimeoutError', 1021, 'TimeoutError', 1021]);
  });

  test('a limit that is no number, or NaN, is refused', async () => {
    const { loop } = subject.current;
    await expect(subject.current.run(timeout(NaN, () => 1))).rejects.toMatchObject({ name: 'ValueError' });
    await expect(subject.current.run(timeout('1' as never, () => 1))).rejects.toThrow(TypeError);
    const rescheduled = timeout(1, (cm) => cm.reschedule(NaN));
    await expect(subject.current.run(rescheduled)).rejects.toMatchObject({ name: 'ValueError' });
    expect(loop._ready.length).toBe(0);
  });

  test('the body of an async function is part of the task that waits', async () => {
    const { loop } = subject.current;
    const gate = new Future<void>(loop);
    const task = loop.createTask(async () => {
      await sleep(0);
      return timeout(60, async () => {
        const seen = [currentTask()];
        await gate;
        return [...seen, currentTask()];
      });
    });
    loop.callLater(1, () => gate.setResult(undefined));
    expect(await subject.current.run(task)).toEqual([task, task]);
  });
});

describe('a limit on a native promise', () => {
  const subject = useLoop('hosted');

  test('a body that could not be interrupted ends with TimeoutError, and the next wait is not hit', async () => {
    const { loop } = subject.current;
    const main = async () => {
      const seen: unknown[] = [];
      let release: () => void = () => undefined;
      const promise = new Promise<void>((resolve) => {
        release = resolve;
      });
      await timeout(0, async () => {
        loop.callSoon(() => loop.callSoon(release));
        await promise;
        return 'too late';
      }).then(
        (value) => seen.push(value),
        (error) => seen.push(error instanceof TimeoutError, me().cancelling()),
      );
      await sleep(0);
      return seen;
    };
    expect(await subject.current.run(main)).toEqual([true, 0]);
  });

  test('an error of such a body goes before', async () => {
    const { loop } = subject.current;
    const main = async () => {
      const body = () =>
        new Promise<void>((_resolve, reject) => {
          loop.callSoon(() => loop.callSoon(() => reject(new Error('boom'))));
        });
      const seen = await timeout(0, body).then(undefined, (error) => String(error));
      await sleep(0);
      return seen;
    };
    expect(await subject.current.run(main)).toBe('Error: boom');
  });

  test('a CancelledError of the body’s own, in time, is none of the limit’s business', async () => {
    const main = () =>
      timeout(60, async () => {
        throw new CancelledError('of its own');
      });
    await expect(subject.current.run(main)).rejects.toThrow('of its own');
  });
});
