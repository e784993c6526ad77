// wait-for.test.ts: one awaitable with a limit of time.

import { TimeoutError } from '../../lib/base/errors';
import { currentTask } from '../../lib/futures/current';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { allTasks } from '../../lib/futures/task';
import { waitFor } from '../../lib/futures/wait-for';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('waitFor', (subject, program) => {
  test.each([60, null])('RUN-024: with a limit of %p a coroutine runs in the task that waits', async (limit) => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const inner = program(function* () {
      return [currentTask(), allTasks().size];
    });
    const task = loop.createTask(
      program(function* () {
        const start = iteration.count;
        const seen = yield* aw(waitFor(inner, limit));
        return [...seen, iteration.count - start];
      }),
    );
    expect(await subject.current.run(task)).toEqual([task, 1, 0]);
  });

  test('RUN-024: a future is awaited, and cancelled when the time is up', async () => {
    const { loop } = subject.current;
    const [fine, late] = [new Future<string>(loop), new Future<string>(loop)];
    loop.callSoon(() => fine.setResult('value'));
    const main = program(function* () {
      const value = yield* aw(waitFor(fine, 60));
      try {
        yield* aw(waitFor(late, 0.001));
      } catch (error) {
        return [value, error instanceof TimeoutError, late.cancelled()];
      }
    });
    expect(await subject.current.run(main)).toEqual(['value', true, true]);
  });

  test('RUN-025: without time, a done future gives its result, and another is cancelled and waited for', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const [done, pending] = [new Future<string>(loop), new Future<string>(loop)];
    done.setResult('value');
    const main = program(function* () {
      const start = iteration.count;
      const seen: unknown[] = [yield* aw(waitFor(done, 0)), iteration.count - start];
      try {
        yield* aw(waitFor(pending, -1));
      } catch (error) {
        seen.push((error as Error).name, iteration.count - start);
      }
      return [...seen, pending.cancelled()];
    });
    expect(await subject.current.run(main)).toEqual(['value', 0, 'TimeoutError', 2, true]);
  });

  test('RUN-025: without time, the body of a coroutine never starts', async () => {
    const seen: string[] = [];
    const inner = program(function* () {
      seen.push('ran');
    });
    const main = program(function* () {
      try {
        yield* aw(waitFor(inner, 0));
      } catch (error) {
        seen.push((error as Error).name);
      }
      return seen;
    });
    expect(await subject.current.run(main)).toEqual(['TimeoutError']);
  });

  test('RUN-025: without time, a future that manages to end by a result gives it', async () => {
    const { loop } = subject.current;
    const stubborn = loop.createTask(
      program(function* () {
        try {
          yield* aw(sleep(60));
        } catch {
          return 'managed';
        }
      }),
    );
    await subject.current.runOnce();
    expect(await subject.current.run(() => waitFor(stubborn, 0))).toBe('managed');
  });

  test('RUN-026: a value in spite of the cancellation is given', async () => {
    const inner = program(function* () {
      try {
        yield* aw(sleep(60));
      } catch {
        return 'value';
      }
    });
    expect(await subject.current.run(() => waitFor(inner, 0.001))).toBe('value');
  });

  test('RUN-027: TimeoutError comes when the inner cancellation has ended', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const inner = loop.createTask(
      program(function* () {
        try {
          yield* aw(sleep(60));
        } finally {
          yield* aw(sleep(0));
          yield* aw(sleep(0));
          seen.push('inner has ended');
        }
      }),
    );
    const main = program(function* () {
      try {
        yield* aw(waitFor(inner, 0.001));
      } catch (error) {
        seen.push((error as Error).name);
      }
    });
    await subject.current.run(main);
    expect(seen).toEqual(['inner has ended', 'TimeoutError']);
  });

  test('RUN-028: another exception during the cancellation is the one that is thrown', async () => {
    const error = new Error('boom');
    const inner = program(function* () {
      try {
        yield* aw(sleep(60));
      } catch {
        throw error;
      }
    });
    await expect(subject.current.run(() => waitFor(inner, 0.001))).rejects.toBe(error);
  });

  test('RUN-029: cancelling it cancels what it waits for', async () => {
    const { loop } = subject.current;
    const future = new Future(loop);
    const task = loop.createTask(
      program(function* () {
        yield* aw(waitFor(future, 60));
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    expect(future.cancelled()).toBe(true);
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
  });
});

describe('waitFor', () => {
  const subject = useLoop('virtual');

  test('of a promise leaves it at the limit', async () => {
    const never = new Promise<void>(() => undefined);
    await expect(subject.current.run(() => waitFor(never, 5))).rejects.toThrow(TimeoutError);
    expect(subject.current.loop.time()).toBe(1005);
  });

  test('a limit that is no number, or NaN, is refused; so is what cannot be awaited', async () => {
    await expect(subject.current.run(() => waitFor(sleep(1), NaN))).rejects.toMatchObject({ name: 'ValueError' });
    await expect(subject.current.run(() => waitFor(sleep(1), '1' as never))).rejects.toThrow(TypeError);
    for (const limit of [0, 1, null]) {
      await expect(subject.current.run(() => waitFor(7 as never, limit))).rejects.toMatchObject({
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
      });
    }
  });
});
