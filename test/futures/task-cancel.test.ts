// task-cancel.test.ts: cancelling a task, exactly as asyncio does, for async functions as for generators.

import { CancelledError } from '../../lib/base/errors';
import { currentTask } from '../../lib/futures/current';
import { wrapPromise } from '../../lib/futures/ensure-future';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import type { Task } from '../../lib/futures/task';
import { useLoop } from '../support/loops';
import { aw, forEveryKind } from '../support/programs';

const me = () => currentTask() as Task;

function errorOf(task: Future<unknown>): unknown {
  try {
    task.result();
  } catch (error) {
    return error;
  }
  return undefined;
}

forEveryKind('Task.cancel', (subject, program) => {
  /** Waits for a future and notes how that ends. */
  const watch = (seen: unknown[]) =>
    program(function* (future: Future<unknown>) {
      try {
        seen.push(['result', yield* aw(future)]);
      } catch (error) {
        seen.push(String(error));
        throw error;
      }
    });

  test('FUT-032: of a done task does nothing', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(program(function* () {}));
    await subject.current.run(task);
    expect(task.cancel()).toBe(false);
    expect(task.cancelling()).toBe(0);
    expect(task.cancelled()).toBe(false);
  });

  test('FUT-033, FUT-043, FUT-045: says true and counts every time, but one CancelledError is delivered', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    expect([task.cancel(), task.cancel()]).toEqual([true, true]);
    expect(task.cancelling()).toBe(2);
    await subject.current.run(sleep(0));
    expect(seen).toEqual(['CancelledError']);
    expect(task.cancelled()).toBe(true);
  });

  test('FUT-034, FUT-050: cancels the awaited future; the task itself is cancelled when its coroutine ends', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    task.cancel();
    expect([future.cancelled(), task.cancelled(), task.done(), task._mustCancel]).toEqual([true, false, false, false]);
    await subject.current.runOnce();
    expect([seen, task.cancelled()]).toEqual([['CancelledError'], true]);
  });

  test('FUT-035, FUT-036: after the awaited future is done, its value is dropped for the CancelledError', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    future.setResult('dropped');
    expect(task.cancel('late')).toBe(true);
    await subject.current.runOnce();
    expect(seen).toEqual(['CancelledError: late']);
    expect([task.cancelled(), future.result()]).toEqual([true, 'dropped']);
  });

  test('FUT-036: an error of the awaited future is dropped for the CancelledError too', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    future.setException(new Error('dropped'));
    task.cancel();
    await subject.current.runOnce();
    expect(seen).toEqual(['CancelledError']);
  });

  test('FUT-032, FUT-036: a wake-up that comes before the cancel in the queue is not lost', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    future.setResult('kept');
    loop.callSoon(() => seen.push(task.cancel()));
    await subject.current.runOnce();
    expect(seen).toEqual([['result', 'kept'], false]);
    expect(task.cancelled()).toBe(false);
  });

  test('FUT-037: a task with the mark that starts to wait has its future cancelled at once', async () => {
    const { loop } = subject.current;
    const future = new Future(loop);
    const task = loop.createTask(
      program(function* () {
        me().cancel('by itself');
        yield* aw(future);
      }),
    );
    await subject.current.runOnce();
    expect([future.cancelled(), task.done(), task._mustCancel]).toEqual([true, false, false]);
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
    expect(String(errorOf(task))).toBe('CancelledError: by itself');
  });

  test('FUT-038: a task with the mark that returns is cancelled, and its value is dropped', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(
      program(function* () {
        me().cancel('by itself');
        return 'dropped';
      }),
    );
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
    expect(String(errorOf(task))).toBe('CancelledError: by itself');
  });

  test('FUT-039: a task with the mark that throws fails with what it threw', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    const task = loop.createTask(
      program(function* () {
        me().cancel();
        throw error;
      }),
    );
    await subject.current.runOnce();
    expect([task.cancelled(), task.exception()]).toEqual([false, error]);
  });

  test('FUT-040: awaiting a done future does not set the mark off; the next suspension does', async () => {
    const { loop } = subject.current;
    const done = new Future<string>(loop);
    done.setResult('value');
    const seen: unknown[] = [];
    const task = loop.createTask(
      program(function* () {
        me().cancel();
        seen.push(yield* aw(done));
        yield* aw(sleep(0));
        seen.push('not reached');
      }),
    );
    await subject.current.run(sleep(0));
    await subject.current.run(sleep(0));
    expect(seen).toEqual(['value']);
    expect(task.cancelled()).toBe(true);
  });

  test('FUT-041: a task cancelled before its first step runs nothing of its body', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const task = loop.createTask(
      program(function* () {
        seen.push('ran');
      }),
    );
    expect(task.cancel('never mind')).toBe(true);
    await subject.current.runOnce();
    expect([seen, task.cancelled()]).toEqual([[], true]);
    expect(String(errorOf(task))).toBe('CancelledError: never mind');
  });

  test('FUT-042: a task may catch its CancelledError and go on; the counter stays until uncancel', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(
      program(function* () {
        try {
          yield* aw(new Future(loop));
        } catch (error) {
          if (!(error instanceof CancelledError)) throw error;
        }
        yield* aw(sleep(0));
        return [me().cancelling(), me().uncancel(), me().cancelling()];
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    expect(await subject.current.run(task)).toEqual([1, 0, 0]);
    expect(task.cancelled()).toBe(false);
  });

  test('FUT-044: uncancel counts down to 0, and does not take an undelivered cancellation back', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = new Future(loop);
    const task = loop.createTask(() => watch(seen)(future));
    await subject.current.runOnce();
    future.setResult('dropped');
    task.cancel();
    task.cancel();
    expect([task.uncancel(), task.uncancel(), task.uncancel()]).toEqual([1, 0, 0]);
    await subject.current.runOnce();
    expect(seen).toEqual(['CancelledError']);
    expect(task.cancelled()).toBe(true);
  });

  test('FUT-046: a task whose awaited future is cancelled by others is cancelled, with counter 0', async () => {
    const { loop } = subject.current;
    const future = new Future(loop);
    const task = loop.createTask(() => watch([])(future));
    await subject.current.runOnce();
    future.cancel();
    await subject.current.runOnce();
    expect([task.cancelled(), task.cancelling()]).toEqual([true, 0]);
  });

  test('FUT-047: a task that awaits another task cancels that one first', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const inner = loop.createTask(
      program(function* () {
        try {
          yield* aw(new Future(loop));
        } finally {
          seen.push('inner ends');
          yield* aw(sleep(0));
        }
      }),
    );
    const outer = loop.createTask(
      program(function* () {
        try {
          yield* aw(inner);
        } finally {
          seen.push(`outer ends, inner cancelled: ${inner.cancelled()}`);
        }
      }),
    );
    await subject.current.runOnce();
    outer.cancel();
    expect([inner.cancelling(), outer.cancelling()]).toEqual([1, 1]);
    for (let iteration = 0; iteration < 4; iteration++) await subject.current.runOnce();
    expect(seen).toEqual(['inner ends', 'outer ends, inner cancelled: true']);
    expect(outer.cancelled()).toBe(true);
  });

  test('FUT-048: the message gets to the coroutine and to those who await the task', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const task = loop.createTask(() => watch(seen)(new Future(loop)));
    const waiter = loop.createTask(() => watch(seen)(task));
    await subject.current.runOnce();
    task.cancel('enough');
    await subject.current.run(sleep(0));
    await subject.current.run(sleep(0));
    expect(seen).toEqual(['CancelledError: enough', 'CancelledError: enough']);
    expect(waiter.cancelled()).toBe(true);
  });

  test('FUT-049: the first retrieval gives the CancelledError that ended the task, the later ones fresh ones', async () => {
    const { loop } = subject.current;
    let original: unknown;
    const task = loop.createTask(
      program(function* () {
        try {
          yield* aw(new Future(loop));
        } catch (error) {
          original = error;
          throw error;
        }
      }),
    );
    await subject.current.runOnce();
    task.cancel('enough');
    await subject.current.runOnce();
    const [first, second, third] = [errorOf(task), errorOf(task), errorOf(task)];
    expect(first).toBe(original);
    expect(second).toBeInstanceOf(CancelledError);
    expect(new Set([first, second, third]).size).toBe(3);
  });

  test('a CancelledError in a row of nested coroutines passes through all of them in one step', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const inner = function* () {
      try {
        yield* aw(new Future(loop));
      } finally {
        seen.push('inner');
      }
    };
    const task = loop.createTask(
      program(function* () {
        try {
          yield* inner();
        } finally {
          seen.push('outer');
        }
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    loop.callSoon(() => seen.push('next handle'));
    await subject.current.runOnce();
    expect(seen).toEqual(['inner', 'outer', 'next handle']);
    expect(task.cancelled()).toBe(true);
  });
});

describe('several waits of one task', () => {
  const subject = useLoop('virtual');

  test('cancel ends all of them', async () => {
    const { loop } = subject.current;
    const [first, second] = [new Future(loop), new Future(loop)];
    const task = loop.createTask(() => Promise.all([first, second, sleep(60)]));
    await subject.current.runOnce();
    expect(task.cancel()).toBe(true);
    expect([first.cancelled(), second.cancelled()]).toEqual([true, true]);
    await subject.current.run(sleep(0));
    expect(task.cancelled()).toBe(true);
    await subject.current.runOnce();
    expect(loop._scheduled.length).toBe(0);
  });

  test('cancel reaches the one whose wake-up is queued, too', async () => {
    const { loop } = subject.current;
    const [first, second] = [new Future(loop), new Future(loop)];
    const seen: string[] = [];
    const branch = async (name: string, future: Future) => {
      try {
        await future;
        seen.push(`${name} goes on`);
      } catch (error) {
        seen.push(`${name} ${(error as Error).name}`);
        throw error;
      }
    };
    const task = loop.createTask(() => Promise.all([branch('first', first), branch('second', second)]));
    await subject.current.runOnce();
    first.setResult('dropped');
    task.cancel();
    await subject.current.run(sleep(0));
    expect(seen).toEqual(['first CancelledError', 'second CancelledError']);
    expect(task.cancelled()).toBe(true);
  });

  test('a wait that a race left behind does not swallow the cancellation', async () => {
    const { loop } = subject.current;
    const [left, won, next] = [new Future(loop), new Future(loop), new Future(loop)];
    const task = loop.createTask(async () => {
      await Promise.race([left, won]);
      await next;
      return 'not reached';
    });
    await subject.current.runOnce();
    won.setResult(undefined);
    await subject.current.runOnce();
    next.setResult(undefined);
    task.cancel();
    await subject.current.run(sleep(0));
    expect(task.cancelled()).toBe(true);
  });

  test('results come in the order of the list', async () => {
    const values = await subject.current.run(() => Promise.all([sleep(2, 'a'), sleep(1, 'b'), sleep(3, 'c')]));
    expect(values).toEqual(['a', 'b', 'c']);
    expect(subject.current.loop.time()).toBe(1003);
  });
});

describe('a native promise in a task', () => {
  const subject = useLoop('hosted');
  const turnOfNode = () => new Promise<void>((resolve) => setImmediate(resolve));

  test('after it, the current task is right, and the library goes on waiting in it', async () => {
    const task = subject.current.loop.createTask(async () => {
      const before = currentTask();
      await turnOfNode();
      const after = currentTask();
      await sleep(0);
      return [before, after, currentTask()];
    });
    expect(await subject.current.run(task)).toEqual([task, task, task]);
  });

  test('a cancellation during it arrives at the next wait for something of the library', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const task = loop.createTask(async () => {
      await turnOfNode();
      seen.push('after the promise');
      await sleep(60);
      seen.push('not reached');
    });
    await subject.current.runOnce();
    expect(task.cancel('enough')).toBe(true);
    expect(task.cancelling()).toBe(1);
    await subject.current.run(task.then(undefined, (error) => seen.push(String(error))));
    expect(seen).toEqual(['after the promise', 'CancelledError: enough']);
  });

  test('a wrapped one is left at once, and what makes it hears of the cancellation', async () => {
    const { loop } = subject.current;
    let heard: AbortSignal | null = null;
    const forever = (signal: AbortSignal) => {
      heard = signal;
      return new Promise<void>(() => undefined);
    };
    const task = loop.createTask(async () => wrapPromise(forever));
    await subject.current.runOnce();
    task.cancel('enough');
    await subject.current.run(sleep(0));
    expect(task.cancelled()).toBe(true);
    expect(heard).toMatchObject({ aborted: true, reason: { name: 'CancelledError', message: 'enough' } });
  });
});

describe('an AbortSignal', () => {
  const subject = useLoop('virtual');

  test('aborting cancels the task, with the reason as the message', async () => {
    const { loop } = subject.current;
    const controller = new AbortController();
    const task = loop.createTask(() => sleep(60), { signal: controller.signal });
    await subject.current.runOnce();
    controller.abort('shut down');
    expect(task.cancelling()).toBe(1);
    await subject.current.runOnce();
    expect(String(errorOf(task))).toBe('CancelledError: shut down');
  });

  test('one that is aborted already keeps the body from running', async () => {
    const seen: string[] = [];
    const task = subject.current.loop.createTask(async () => seen.push('ran'), { signal: AbortSignal.abort('no') });
    await subject.current.runOnce();
    expect([seen, task.cancelled()]).toEqual([[], true]);
  });

  test.each([
    ['return', async () => 1],
    ['failure', () => Promise.reject(new Error('boom'))],
    ['cancellation', () => Promise.reject(new CancelledError())],
  ])('no listener is left after a %s', async (_how, body: () => Promise<unknown>) => {
    const { signal } = new AbortController();
    const [added, removed] = [jest.spyOn(signal, 'addEventListener'), jest.spyOn(signal, 'removeEventListener')];
    const task = subject.current.loop.createTask(body, { signal });
    await subject.current.runOnce();
    if (!task.cancelled()) task.exception();
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed.mock.calls[0].slice(0, 2)).toEqual(added.mock.calls[0].slice(0, 2));
  });
});

describe('the signal of a task', () => {
  const subject = useLoop('hosted');

  test('a coroutine function with a parameter gets a signal that aborts when the task is cancelled', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const task = loop.createTask(async (signal) => {
      // Not the library's: only the signal can end this wait.
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    });
    loop.callSoon(() => {
      seen.push(task.signal.aborted, task.cancel('enough'), task.signal.aborted);
    });
    await expect(subject.current.run(task)).rejects.toMatchObject({ name: 'CancelledError', message: 'enough' });
    expect(seen).toEqual([false, true, true]);
  });

  test('asked for late, it tells of the request to cancel; one that nobody asks for is not made', async () => {
    const { loop } = subject.current;
    let given: unknown[] = [];
    const task = loop.createTask((...args: unknown[]) => {
      given = args;
    });
    await subject.current.run(task);
    expect([given, task.signal.aborted]).toEqual([[], false]);
    const cancelled = loop.createTask(async () => undefined);
    cancelled.cancel('late');
    expect(cancelled.signal.reason).toMatchObject({ name: 'CancelledError', message: 'late' });
    await subject.current.runOnce();
  });
});
