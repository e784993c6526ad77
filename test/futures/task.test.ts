// task.test.ts: how a task runs its coroutine: steps, iterations, order, ends, names, texts. Cancelling has its own file.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { inspect } from 'node:util';

import { CancelledError, KeyboardInterrupt, RuntimeError, SystemExit } from '../../lib/base/errors';
import { SelectorEventLoop, setEventLoop } from '../../lib/event-loop';
import { Coroutine, type CoroutineLike } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { currentTask } from '../../lib/futures/current';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { allTasks, createTask, Task } from '../../lib/futures/task';
import { useCompiledLibrary } from '../support/compiled-library';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';
import { strangeValues } from '../support/strange';

forEveryKind('task', (subject, program) => {
  test('FUT-021, FUT-053: the first step is queued, and whoever awaits the task goes on one iteration after it', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const seen: unknown[] = [];
    const child = program(function* (start: number) {
      seen.push(['child', iteration.count - start]);
    });
    const main = program(function* () {
      const start = iteration.count;
      const task = loop.createTask(() => child(start));
      seen.push('created');
      yield* aw(task);
      seen.push(['parent', iteration.count - start]);
    });
    await subject.current.run(main);
    expect(seen).toEqual(['created', ['child', 1], ['parent', 2]]);
  });

  test('FUT-025: coroutines inside of each other cost no iteration', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const future = new Future<string>(loop);
    const inner = function* () {
      return yield* aw(future);
    };
    const middle = function* () {
      return `${yield* inner()} through middle`;
    };
    const main = program(function* () {
      const start = iteration.count;
      loop.callSoon(() => future.setResult('value'));
      const value = `${yield* middle()} through main`;
      return [value, iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['value through middle through main', 2]);
  });

  test('FUT-026, RUN-012: sleep of zero or less takes exactly one iteration', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const main = program(function* () {
      const counts: number[] = [];
      for (const delay of [0, 0, -1]) {
        const start = iteration.count;
        yield* aw(sleep(delay));
        counts.push(iteration.count - start);
      }
      return counts;
    });
    expect(await subject.current.run(main)).toEqual([1, 1, 1]);
    expect(loop._scheduled.length).toBe(0);
  });

  test('FUT-027, FUT-051: the end of the coroutine is the end of the task', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    const end = program(function* (how: string) {
      yield* aw(sleep(0));
      if (how === 'throw') throw error;
      if (how === 'cancel') throw new CancelledError('of its own');
      return how;
    });
    const tasks = ['return', 'throw', 'cancel'].map((how) => loop.createTask(() => end(how)));
    await subject.current.run(sleep(0));
    await subject.current.run(sleep(0));
    expect(tasks.map((task) => [task.done(), task.cancelled()])).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(tasks[0].result()).toBe('return');
    expect(tasks[1].exception()).toBe(error);
    expect(() => tasks[2].result()).toThrow('of its own');
  });

  test.each([new KeyboardInterrupt('stop'), new SystemExit(3)])(
    'FUT-027, FUT-060: $name is stored in the task, and ends the run',
    async (fatal) => {
      const { loop } = subject.current;
      const seen: string[] = [];
      const task = loop.createTask(
        program(function* () {
          yield* aw(sleep(0));
          loop.callSoon(() => seen.push('next iteration'));
          throw fatal;
        }),
      );
      await expect(subject.current.runForever()).rejects.toBe(fatal);
      expect(seen).toEqual([]);
      expect(task.exception()).toBe(fatal);
      await subject.current.runOnce();
      expect(seen).toEqual(['next iteration']);
    },
  );

  test('FUT-028: waiting for a future of another loop is a RuntimeError where the task waits', async () => {
    const other = new SelectorEventLoop();
    const foreign = new Future<void>(other);
    const main = program(function* () {
      try {
        yield* aw(foreign);
      } catch (error) {
        return error;
      }
    });
    const error = await subject.current.run(main);
    other.close();
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error).toMatchObject({ code: 'ERR_DIFFERENT_LOOP' });
    expect(foreign._callbacks).toBeNull();
  });

  test('FUT-021: createTask is for the loop that runs, whichever was set', async () => {
    const { loop } = subject.current;
    const idle = new SelectorEventLoop();
    setEventLoop(idle);
    const child = program(function* () {
      return 'result';
    });
    const main = program(function* () {
      const task = createTask(child, { name: 'given' });
      return [task.getLoop(), task.getName(), task.done(), yield* aw(task)];
    });
    expect(() => createTask(child)).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNNING_LOOP' }));
    expect(await subject.current.run(main)).toEqual([loop, 'given', false, 'result']);
    setEventLoop(null);
    idle.close();
  });

  test('FUT-028: a task that waits for itself gets a RuntimeError', async () => {
    const { loop } = subject.current;
    const task: Task<unknown> = loop.createTask(
      program(function* () {
        try {
          yield* aw(task);
        } catch (error) {
          return (error as RuntimeError).code;
        }
      }),
    );
    expect(await subject.current.run(task)).toBe('ERR_AWAIT_SELF');
  });

  test('FUT-052, FUT-059: steps and plain handles of one iteration run in the order in which they were queued', async () => {
    const { loop } = subject.current;
    const gate = new Future<void>(loop);
    const seen: string[] = [];
    const nested = function* (name: string) {
      yield* aw(gate);
      seen.push(`${name}.inner`);
    };
    const body = program(function* (name: string) {
      yield* nested(name);
      seen.push(`${name}.outer`);
      loop.callSoon(() => seen.push(`queued by ${name}`));
    });
    const tasks: Task[] = [];
    const start = (name: string) => tasks.push(loop.createTask(() => body(name)));
    start('T1');
    await subject.current.runOnce();
    gate.addDoneCallback(() => seen.push('X'));
    start('T2');
    await subject.current.runOnce();
    gate.setResult(undefined);
    loop.callSoon(() => seen.push('Y'));
    await subject.current.runOnce();
    expect(seen).toEqual(['T1.inner', 'T1.outer', 'X', 'T2.inner', 'T2.outer', 'Y']);
    await subject.current.runOnce();
    expect(seen.slice(6)).toEqual(['queued by T1', 'queued by T2']);
  });

  test('FUT-022: every step runs in the context in which the task was made, or in the one given', async () => {
    const { loop } = subject.current;
    const storage = new AsyncLocalStorage<string>();
    const body = program(function* () {
      const seen = [storage.getStore()];
      yield* aw(sleep(0));
      seen.push(storage.getStore());
      yield* aw(sleep(0.001));
      seen.push(storage.getStore());
      return seen;
    });
    const given = storage.run('given', () => new AsyncResource('test'));
    const main = program(function* () {
      const inherits = storage.run('made here', () => loop.createTask(body));
      const placed = storage.run('made here', () => loop.createTask(body, { context: given }));
      return [yield* aw(inherits), yield* aw(placed), storage.getStore()];
    });
    expect(await subject.current.run(main)).toEqual([
      ['made here', 'made here', 'made here'],
      ['given', 'given', 'given'],
      undefined,
    ]);
  });

  test('FUT-030: all_tasks are those of the loop that are not done', async () => {
    const { loop } = subject.current;
    const other = new SelectorEventLoop();
    const foreign = other.createTask(() => undefined);
    const gate = new Future<void>(loop);
    const waiting = loop.createTask(
      program(function* () {
        yield* aw(gate);
      }),
    );
    const main = loop.createTask(
      program(function* () {
        yield* aw(sleep(0));
        return [allTasks(), allTasks(other)];
      }),
    );
    expect(await subject.current.run(main)).toEqual([new Set([waiting, main]), new Set([foreign])]);
    expect(allTasks(loop)).toEqual(new Set([waiting]));
    gate.setResult(undefined);
    await subject.current.run(waiting);
    expect(allTasks(loop).size).toBe(0);
    other.close();
  });
});

describe('task', () => {
  const subject = useLoop('virtual');

  test('FUT-020: what is no coroutine is a TypeError, and a promise is none', () => {
    const { loop } = subject.current;
    const promise = Promise.resolve(1);
    for (const value of [null, undefined, 1, 'text', {}, promise, new Future(loop)]) {
      expect(() => new Task(value as never, loop)).toThrow(TypeError);
      expect(() => loop.createTask(value as never)).toThrow(TypeError);
    }
    expect(allTasks(loop).size).toBe(0);
  });

  test('FUT-020: functions of every kind, generators and coroutines are coroutines', async () => {
    const { loop } = subject.current;
    function* generator() {
      yield* sleep(0);
      return 'generator';
    }
    const future = new Future<string>(loop);
    future.setResult('future');
    const tasks = [
      loop.createTask(async () => 'async function'),
      loop.createTask(generator),
      loop.createTask(generator()),
      loop.createTask(sleep(0, 'coroutine')),
      loop.createTask(() => sleep(0, 'function that makes a coroutine')),
      loop.createTask(() => future),
      loop.createTask(() => 'plain value'),
    ];
    await subject.current.run(sleep(1));
    expect(tasks.map((task) => task.result())).toEqual([
      'async function',
      'generator',
      'generator',
      'coroutine',
      'function that makes a coroutine',
      'future',
      'plain value',
    ]);
  });

  test('FUT-021: a function is not called before its first step', async () => {
    const seen: string[] = [];
    const task = subject.current.loop.createTask(() => seen.push('called'));
    expect(seen).toEqual([]);
    await subject.current.run(task);
    expect(seen).toEqual(['called']);
  });

  test('FUT-023: names are Task-N unless given, and what is given becomes a string', () => {
    const { loop } = subject.current;
    const coroutine = () => undefined;
    const numberOf = (task: Task<unknown>) => Number(/^Task-(\d+)$/.exec(task.getName())?.[1]);
    const [first, second] = [loop.createTask(coroutine), loop.createTask(coroutine)];
    expect(numberOf(second)).toBe(numberOf(first) + 1);
    const other = new SelectorEventLoop();
    expect(numberOf(other.createTask(coroutine))).toBe(numberOf(second) + 1);
    other.close();
    const named = loop.createTask(coroutine, { name: 'mine' });
    expect(named.getName()).toBe('mine');
    named.setName(42 as never);
    expect(named.getName()).toBe('42');
    expect(loop.createTask(coroutine, { name: 7 as never }).getName()).toBe('7');
  });

  test('FUT-024: a task takes no result and no exception from outside', () => {
    const task = subject.current.loop.createTask(() => undefined);
    expect(() => task.setResult(undefined)).toThrow(RuntimeError);
    expect(() => task.setException(new Error())).toThrow(RuntimeError);
    expect(task.done()).toBe(false);
  });

  test.each([
    ['a promise', Promise.resolve(1)],
    ['a number', 7],
    ['a function', () => undefined],
  ])('FUT-028: a generator that yields %s gets a RuntimeError at its next step', async (_what, value) => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const task = loop.createTask(function* (): CoroutineGenerator<unknown> {
      const start = iteration.count;
      try {
        yield value as never;
      } catch (error) {
        return [(error as RuntimeError).code, iteration.count - start];
      }
      return 'no error';
    });
    expect(await subject.current.run(task)).toEqual(['ERR_BAD_YIELD', 1]);
  });

  test('FUT-028: a generator may yield a future as such: unlike in Python, that waits for it too', async () => {
    const { loop } = subject.current;
    const future = new Future<string>(loop);
    loop.callSoon(() => future.setResult('value'));
    expect(
      await subject.current.run(function* () {
        return (yield future) as string;
      }),
    ).toBe('value');
  });

  test('a done future that a generator yields is delivered in the next iteration', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const future = new Future<string>(loop);
    future.setResult('value');
    const main = function* (): CoroutineGenerator<unknown> {
      const start = iteration.count;
      return [yield future, iteration.count - start];
    };
    expect(await subject.current.run(main)).toEqual(['value', 1]);
  });

  test('FUT-061: inspect shows state, name, coroutine, what is waited for, and callbacks', async () => {
    const { loop } = subject.current;
    const gate = new Future<void>(loop);
    const task = loop.createTask(
      async function worker() {
        await gate;
        return 5;
      },
      { name: 'mine' },
    );
    expect(inspect(task)).toBe("<Task pending name='mine' coro=worker()>");
    await subject.current.runOnce();
    task.addDoneCallback(function onDone() {});
    expect(inspect(task)).toBe("<Task pending name='mine' coro=worker() wait_for=<Future pending> cb=[onDone()]>");
    expect(inspect(gate)).toBe('<Future pending cb=[step of mine]>');
    gate.setResult(undefined);
    await subject.current.run(task);
    expect(inspect(task)).toBe("<Task finished name='mine' coro=worker() result=5>");
  });

  test('FUT-061: inspect tells a task that is being cancelled from one that is cancelled', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(() => sleep(1), { name: 'mine' });
    await subject.current.runOnce();
    task.cancel();
    expect(inspect(task)).toBe("<Task cancelling name='mine' coro=<anonymous>() wait_for=<Future done>>");
    await subject.current.runOnce();
    expect(inspect(task)).toBe("<Task cancelled name='mine' coro=<anonymous>()>");
  });

  test('a coroutine is awaited once', async () => {
    const coroutine = sleep(0, 'value');
    expect(inspect(coroutine)).toBe('<Coroutine not started>');
    const main = async () => {
      const first = await coroutine;
      const second = await coroutine.then(undefined, (error) => (error as RuntimeError).code);
      return [first, second];
    };
    expect(await subject.current.run(main)).toEqual(['value', 'ERR_COROUTINE_REUSED']);
    expect(inspect(coroutine)).toBe('<Coroutine started>');
    expect(() => subject.current.loop.createTask(coroutine)).toThrow(RuntimeError);
    const closed = sleep(0);
    closed.close();
    expect(() => closed[Symbol.iterator]()).toThrow(RuntimeError);
  });

  test('a coroutine that is awaited outside of any task runs in a task of its own', async () => {
    const { loop } = subject.current;
    const steps = function* (): CoroutineGenerator<string | undefined> {
      yield* sleep(0);
      return currentTask(loop)?.getName();
    };
    const outcome = new Coroutine(steps(), loop).then((value) => value);
    await subject.current.run(sleep(1));
    expect(await outcome).toMatch(/^Task-\d+$/);
  });

  test('a done task of a task that nobody awaited lets its other branches end, with no task current', async () => {
    const { loop } = subject.current;
    const gate = new Future<string>(loop);
    const seen: string[] = [];
    const main = async () => {
      void (async () => {
        seen.push(await gate);
        seen.push(await sleep(1, 'and a sleep of its own'));
      })();
      return 'done';
    };
    expect(await subject.current.run(main)).toBe('done');
    gate.setResult('branch');
    await subject.current.run(sleep(2));
    expect(seen).toEqual(['branch', 'and a sleep of its own']);
  });
});

describe('options of a task', () => {
  const subject = useLoop('virtual');

  test('a signal and a context of wrong types are refused, and no task is left', () => {
    const { loop } = subject.current;
    for (const value of [null, 5, {}]) {
      for (const name of ['signal', 'context']) {
        expect(() => loop.createTask(() => 1, { [name]: value })).toThrow(
          expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
        );
      }
    }
    expect([allTasks(loop).size, loop._ready.length]).toEqual([0, 0]);
  });
});

describe('a task that nobody refers to', () => {
  const library = useCompiledLibrary();

  // Differs from asyncio: 3.12 holds tasks weakly, and one that is collected early reports that it was lost.
  test('FUT-031: is held by its loop until it is done', async () => {
    const script = `
      const loop = fdloop.newEventLoop();
      loop.createTask(async () => {
        await (() => { const gate = loop.createFuture(); globalThis.gate = new WeakRef(gate); return gate; })();
        console.log('went on');
      });
      (async () => {
        await loop.runUntilComplete(fdloop.sleep(0));
        for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
        console.log('held', fdloop.allTasks(loop).size);
        globalThis.gate.deref().setResult();
        await loop.runUntilComplete(fdloop.sleep(0.001));
        console.log('held', fdloop.allTasks(loop).size);
      })();`;
    const end = await library.run(script, { nodeOptions: ['--expose-gc'] });
    expect([end.stdout, end.stderr]).toEqual(['held 1\nwent on\nheld 0\n', '']);
  });
});

describe('strange values', () => {
  const subject = useLoop('virtual');

  const outcomeOf = async (coroutine: CoroutineLike<unknown>): Promise<{ result: unknown } | { error: unknown }> => {
    const task = subject.current.loop.createTask(coroutine);
    await subject.current.runUntil(() => task.done());
    return task._failed ? { error: task._exception } : { result: task._result };
  };
  const codeOf = (outcome: object): unknown => (outcome as { error: { code: unknown } }).error.code;

  test.each(strangeValues)('%s ends the task that throws it', async (_name, make) => {
    const value = make();
    const throwIt = (): never => {
      throw value;
    };
    for (const coroutine of [
      throwIt,
      async () => throwIt(),
      (function* () {
        throwIt();
      })(),
    ] as CoroutineLike<unknown>[]) {
      const outcome = await outcomeOf(coroutine);
      expect('error' in outcome && Object.is(outcome.error, value)).toBe(true);
    }
  });

  test.each(strangeValues.filter(([name]) => name !== 'null'))(
    '%s is no future: who yields it is told',
    async (_name, make) => {
      expect(
        codeOf(
          await outcomeOf(function* () {
            yield make() as Future;
          }),
        ),
      ).toBe('ERR_BAD_YIELD');
    },
  );

  test('an object that fails to be looked at fails the task whose function returned it', async () => {
    const failing = new Error('it was looked at');
    const get = (): never => {
      throw failing;
    };
    for (const name of ['next', 'then', Symbol.for('fdloop.future')]) {
      expect(await outcomeOf(() => Object.defineProperty({}, name, { get }))).toEqual({ error: failing });
    }
  });

  test('a coroutine that was awaited before fails the task whose function returned it again', async () => {
    const used = sleep(0);
    await subject.current.run(used);
    expect(codeOf(await outcomeOf(() => used))).toBe('ERR_COROUTINE_REUSED');
  });

  test('a generator of somebody else’s fails its task by giving no step', async () => {
    const generator = { next: () => undefined, throw: () => undefined } as unknown as CoroutineGenerator<unknown>;
    expect(await outcomeOf(generator)).toEqual({ error: expect.any(TypeError) as unknown });
  });

  test('a future of somebody else’s that throws tells the task that waits for it', async () => {
    const failing = new Error('no answer');
    const fail = (): never => {
      throw failing;
    };
    const { loop } = subject.current;
    for (const methods of [{ done: fail }, { done: () => false, addDoneCallback: fail }]) {
      const future = { addDoneCallback: () => undefined, getLoop: () => loop, ...methods } as unknown as Future;
      const outcome = await outcomeOf(function* () {
        try {
          yield future;
        } catch (error) {
          return error;
        }
      });
      expect(outcome).toEqual({ result: failing });
    }
  });
});
