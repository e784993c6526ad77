// runner.test.ts: from a main function to its result, on a loop that leaves nothing behind.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { RuntimeError, ValueError } from '../lib/base/errors';
import { SelectorEventLoop } from '../lib/event-loop';
import { currentTask, getRunningLoop } from '../lib/futures/current';
import { Future } from '../lib/futures/future';
import { sleep } from '../lib/futures/sleep';
import type { Task } from '../lib/futures/task';
import type { ExceptionContext } from '../lib/loop/exception-handler';
import { run, Runner, runSync, type RunOptions } from '../lib/runner';
import type { CoroutineLike } from '../lib/futures/coroutine';
import { outsideOfMicrotasks } from './support/loops';
import { aw, kinds } from './support/programs';

/** The verbs of both ways to run, under one name. */
const ways = {
  hosted: {
    run: <T>(main: CoroutineLike<T>, options?: RunOptions): Promise<T> => run(main, options),
    runnerRun: <T>(runner: Runner, main: CoroutineLike<T>): Promise<T> => runner.run(main),
    close: (runner: Runner): Promise<void> => runner.close(),
  },
  synchronous: {
    run: <T>(main: CoroutineLike<T>, options?: RunOptions): Promise<T> =>
      outsideOfMicrotasks(() => runSync(main, options)),
    runnerRun: <T>(runner: Runner, main: CoroutineLike<T>): Promise<T> =>
      outsideOfMicrotasks(() => runner.runSync(main)),
    close: (runner: Runner): Promise<void> => outsideOfMicrotasks(() => runner.closeSync()),
  },
};

/** A factory that remembers its loops and what their exception handlers hear. */
function watchedFactory(): {
  loops: SelectorEventLoop[];
  contexts: ExceptionContext[];
  loopFactory: () => SelectorEventLoop;
} {
  const loops: SelectorEventLoop[] = [];
  const contexts: ExceptionContext[] = [];
  const loopFactory = (): SelectorEventLoop => {
    const loop = new SelectorEventLoop();
    loop.setExceptionHandler((_loop, context) => contexts.push(context));
    loops.push(loop);
    return loop;
  };
  return { loops, contexts, loopFactory };
}

describe.each(Object.keys(ways) as (keyof typeof ways)[])('%s', (name) => {
  const way = ways[name];

  describe.each(Object.entries(kinds))('%s', (_kind, program) => {
    test('RUN-002: gives the result, on a loop of its own that is closed then', async () => {
      const { loops, contexts, loopFactory } = watchedFactory();
      const main = program(function* () {
        yield* aw(sleep(0));
        return [getRunningLoop(), currentTask()?.getLoop()];
      });
      const [running, ofTask] = await way.run(main, { loopFactory });
      expect(loops).toHaveLength(1);
      expect([running, ofTask]).toEqual([loops[0], loops[0]]);
      expect([loops[0].isClosed(), contexts]).toEqual([true, []]);
    });

    test('RUN-002: an exception of main is thrown, and the loop is closed', async () => {
      const { loops, loopFactory } = watchedFactory();
      const main = program(function* () {
        yield* aw(sleep(0));
        throw new Error('boom');
      });
      await expect(way.run(main, { loopFactory })).rejects.toThrow('boom');
      expect(loops[0].isClosed()).toBe(true);
    });

    test('RUN-003: tasks that are left over are cancelled and waited for; their failures are reported', async () => {
      const { contexts, loopFactory } = watchedFactory();
      const seen: string[] = [];
      const left: Task[] = [];
      const leftover = (ending: 'obeys' | 'fails' | 'ignores') =>
        program(function* () {
          try {
            yield* aw(new Future(getRunningLoop()));
          } catch (error) {
            yield* aw(sleep(0));
            seen.push(ending);
            if (ending === 'fails') throw new Error('during the shutdown');
            if (ending === 'obeys') throw error;
          }
        });
      const main = program(function* () {
        for (const ending of ['obeys', 'fails', 'ignores'] as const) {
          left.push(getRunningLoop().createTask(leftover(ending)));
        }
        yield* aw(sleep(0));
      });
      await way.run(main, { loopFactory });
      expect(seen).toEqual(['obeys', 'fails', 'ignores']);
      expect(left.map((task) => [task.done(), task.cancelled()])).toEqual([
        [true, true],
        [true, false],
        [true, false],
      ]);
      const [context, ...others] = contexts;
      expect(others).toEqual([]);
      expect([String(context.exception), context.task === left[1]]).toEqual(['Error: during the shutdown', true]);
      expect(context.message).toContain('shutdown');
    });
  });

  test('RUN-001, RUN-006: what is no coroutine is a ValueError, and no loop is made', async () => {
    const { loops, loopFactory } = watchedFactory();
    const loop = new SelectorEventLoop();
    const runner = new Runner({ loopFactory });
    for (const main of [new Future(loop), Promise.resolve(1), 7, null]) {
      await expect((async () => way.run(main as never, { loopFactory }))()).rejects.toThrow(ValueError);
      await expect((async () => way.runnerRun(runner, main as never))()).rejects.toThrow(ValueError);
    }
    expect(loops).toEqual([]);
    loop.close();
  });

  test('RUN-001, RUN-006: inside of a running loop both refuse', async () => {
    const runner = new Runner();
    const refused = (action: () => unknown) =>
      expect(action).toThrow(expect.objectContaining({ name: 'RuntimeError', code: 'ERR_LOOP_RUNNING' }));
    await way.run(async () => {
      for (const action of [
        () => run(async () => 1),
        () => runSync(async () => 1),
        () => runner.run(async () => 1),
        () => runner.runSync(async () => 1),
      ]) {
        refused(action);
      }
    });
    await runner.close();
  });

  test('RUN-004: a runner is made ready by its first use, and closed once', async () => {
    const { loops, loopFactory } = watchedFactory();
    const runner = new Runner({ loopFactory });
    expect([loops, inspect(runner)]).toEqual([[], '<Runner created>']);
    await way.close(runner);
    expect(inspect(runner)).toBe('<Runner created>');
    expect(await way.runnerRun(runner, async () => getRunningLoop())).toBe(loops[0]);
    expect(await way.runnerRun(runner, async () => getRunningLoop())).toBe(loops[0]);
    expect([runner.getLoop() === loops[0], loops[0].isClosed(), inspect(runner)]).toEqual([
      true,
      false,
      '<Runner initialized>',
    ]);
    await way.close(runner);
    await way.close(runner);
    expect([loops[0].isClosed(), loops.length, inspect(runner)]).toEqual([true, 1, '<Runner closed>']);
    const closed = expect.objectContaining({ code: 'ERR_RUNNER_CLOSED', message: 'Runner is closed' }) as Error;
    expect(() => runner.getLoop()).toThrow(closed);
    await expect((async () => way.runnerRun(runner, async () => 1))()).rejects.toEqual(closed);
  });

  test('RUN-005: every run of a runner is in the context of its first use, unless another is given', async () => {
    const storage = new AsyncLocalStorage<string>();
    const runner = new Runner();
    const main = () => storage.getStore();
    storage.run('first use', () => runner.getLoop());
    expect(await storage.run('later', () => way.runnerRun(runner, main))).toBe('first use');
    expect(await storage.run('later still', () => way.runnerRun(runner, main))).toBe('first use');
    const context = storage.run('given', () => new AsyncResource('test'));
    const given = name === 'hosted' ? runner.run(main, { context }) : runner.runSync(main, { context });
    expect(await given).toBe('given');
    await way.close(runner);
  });

  test.each([
    [undefined, true],
    [true, true],
    [false, false],
  ])('RUN-007: debug=%p sets the debug mode of a loop that has it on to %p', async (debug, expected) => {
    const loopFactory = (): SelectorEventLoop => {
      const loop = new SelectorEventLoop();
      loop.setDebug(true);
      return loop;
    };
    expect(await way.run(() => getRunningLoop().getDebug(), { debug, loopFactory })).toBe(expected);
  });

  test('RUN-002: the executor of the loop is shut down, within five minutes', async () => {
    const calls: unknown[] = [];
    class WithExecutor extends SelectorEventLoop {
      override shutdownDefaultExecutor(timeout?: number): never {
        calls.push(timeout, this.isClosed());
        return sleep(0) as never;
      }
    }
    await way.run(() => 1, { loopFactory: () => new WithExecutor() });
    expect(calls).toEqual([300, false]);
  });
});

test('a coroutine that was used up leaves no loop behind', async () => {
  const { loops, loopFactory } = watchedFactory();
  const coroutine = sleep(0);
  coroutine.close();
  expect(() => run(coroutine, { loopFactory })).toThrow(RuntimeError);
  expect(() => runSync(coroutine, { loopFactory })).toThrow(RuntimeError);
  expect(loops.map((loop) => loop.isClosed())).toEqual([true, true]);
});

test('a runner can be disposed of', async () => {
  const runner = new Runner();
  const loop = runner.getLoop();
  await runner[Symbol.asyncDispose]();
  expect(loop.isClosed()).toBe(true);
  const other = new Runner();
  const second = other.getLoop();
  other[Symbol.dispose]();
  expect(second.isClosed()).toBe(true);
});

test('a runner is not closed from inside of its loop', async () => {
  const runner = new Runner();
  await runner.run(async () => {
    expect(() => runner.closeSync()).toThrow(RuntimeError);
    await expect(runner.close()).rejects.toThrow(RuntimeError);
  });
  await runner.close();
});
