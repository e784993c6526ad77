// executor.test.ts: functions on other threads, and their results in the loop, in every kind of run.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { threadId } from 'node:worker_threads';

import { CancelledError, ConnectionResetError, OSError, RuntimeError, ValueError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { gather } from '../../lib/futures/gather';
import type { Future } from '../../lib/futures/future';
import { toThread, type Executor } from '../../lib/loop/executor';
import { defaultWorkerCount, ThreadPoolExecutor } from '../../lib/loop/thread-pool';
import { useCompiledLibrary } from '../support/compiled-library';
import { driverNames, outsideOfMicrotasks, useLoop } from '../support/loops';

// What is sent to a thread is the text of a function: none of these uses anything from around it.
const add = (a: number, b: number): number => a + b;
const whichThread = (): number => (require('node:worker_threads') as { threadId: number }).threadId;

/** Says that it has begun, and waits until the gate is opened: gate[0] is for opening, gate[1] counts who has begun. */
const waitAtGate = <T>(gate: Int32Array, result: T): T => {
  Atomics.add(gate, 1, 1);
  Atomics.notify(gate, 1);
  Atomics.wait(gate, 0, 0);
  return result;
};

const makeGate = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

const openGate = (gate: Int32Array): void => {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
};

/** Blocks until so many have begun. */
function untilBegun(gate: Int32Array, count: number): void {
  for (let begun = Atomics.load(gate, 1); begun < count; begun = Atomics.load(gate, 1)) {
    if (Atomics.wait(gate, 1, begun, 10_000) === 'timed-out') throw new Error('nothing has begun');
  }
}

async function errorOf(promise: PromiseLike<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to fail');
}

/** A pool whose threads have ended when the tests are over. */
function usePool(maxWorkers: number): ThreadPoolExecutor {
  const pool = new ThreadPoolExecutor({ maxWorkers, threadNamePrefix: 'test' });
  afterAll(() => pool.shutdown());
  return pool;
}

describe.each(driverNames)('runInExecutor, %s', (driver) => {
  const subject = useLoop(driver);
  const pool = usePool(4);

  test('LOOP-082: a result comes from another thread into the loop', async () => {
    const { loop } = subject.current;
    const future = loop.runInExecutor(pool, add, 2, 3);
    expect(future.getLoop()).toBe(loop);
    expect(future.done()).toBe(false);
    expect(await subject.current.run(future)).toBe(5);
    expect(await subject.current.run(loop.runInExecutor(pool, whichThread))).not.toBe(threadId);
  });

  test('arguments and results are copies', async () => {
    const { loop } = subject.current;
    const given = { list: [1, 2], date: new Date(0), bytes: new Uint8Array([1, 2, 3]) };
    const grown = await subject.current.run(
      loop.runInExecutor(
        pool,
        (value: typeof given) => {
          value.list.push(3);
          return value;
        },
        given,
      ),
    );
    expect(grown.list).toEqual([1, 2, 3]);
    expect(grown.date.getTime()).toBe(0);
    expect([...grown.bytes]).toEqual([1, 2, 3]);
    expect(given.list).toEqual([1, 2]);
  });

  test('arguments are what they were at the call, also if the call has to wait', async () => {
    const { loop } = subject.current;
    const narrow = new ThreadPoolExecutor({ maxWorkers: 1 });
    const list = [1];
    const results = [1, 2, 3].map(() => loop.runInExecutor(narrow, (given: number[]) => given.length, list));
    list.push(2, 3);
    expect(await subject.current.run(gathered(results))).toEqual([1, 1, 1]);
    await narrow.shutdown();
  });

  test('an async function is awaited there, and a method may be sent too', async () => {
    const { loop } = subject.current;
    const object = {
      async later(value: string): Promise<string> {
        await new Promise((resolve) => setImmediate(resolve));
        return value;
      },
      now(value: string): string {
        return value;
      },
    };
    expect(await subject.current.run(loop.runInExecutor(pool, later, 1))).toBe(2);
    expect(await subject.current.run(loop.runInExecutor(pool, object.now, 'now'))).toBe('now');
    expect(await subject.current.run(loop.runInExecutor(pool, object.later, 'later'))).toBe('later');
  });

  test('an error arrives with class, message, stack and code', async () => {
    const { loop } = subject.current;
    const failing = (kind: string): never => {
      if (kind === 'range') throw new RangeError('too far');
      if (kind === 'own') {
        throw new (class OddError extends Error {})('odd');
      }
      throw Object.assign(new Error('reset'), { name: kind, code: 'ECONNRESET', errno: -104, syscall: 'read' });
    };
    const range = await errorOf(subject.current.run(loop.runInExecutor(pool, failing, 'range')));
    expect(range).toBeInstanceOf(RangeError);
    expect(range).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect(range.stack).toMatch(/too far\n\s+at /);
    const own = await errorOf(subject.current.run(loop.runInExecutor(pool, failing, 'own')));
    expect(own).toBeInstanceOf(Error);
    expect(own).toMatchObject({ name: 'OddError', message: 'odd' });
    const reset = await errorOf(subject.current.run(loop.runInExecutor(pool, failing, 'ConnectionResetError')));
    expect(reset).toBeInstanceOf(ConnectionResetError);
    expect(reset).toBeInstanceOf(OSError);
    expect(reset).toMatchObject({ message: 'reset', code: 'ECONNRESET', errno: -104, syscall: 'read' });
  });

  test('what is thrown and no error arrives as it is', async () => {
    const { loop } = subject.current;
    const throwing = (): never => {
      throw { reason: 'none' };
    };
    expect(await errorOf(subject.current.run(loop.runInExecutor(pool, throwing)))).toEqual({ reason: 'none' });
  });

  test('what cannot be copied back is a TypeError', async () => {
    const { loop } = subject.current;
    const result = await errorOf(subject.current.run(loop.runInExecutor(pool, () => () => 1)));
    expect(result).toBeInstanceOf(TypeError);
    expect(result).toMatchObject({ code: 'ERR_NOT_CLONEABLE' });
    const thrown = await errorOf(
      subject.current.run(
        loop.runInExecutor(pool, () => {
          throw () => 1;
        }),
      ),
    );
    expect(thrown).toMatchObject({ name: 'TypeError', code: 'ERR_NOT_CLONEABLE' });
  });

  test('a hundred calls on four threads all end, each with its own result', async () => {
    const { loop } = subject.current;
    const calls = Array.from({ length: 100 }, (_, index) =>
      loop.runInExecutor(
        pool,
        (given: number) => [given, (require('node:worker_threads') as { threadId: number }).threadId],
        index,
      ),
    );
    const results = await subject.current.run(gathered(calls));
    expect(results.map(([index]) => index)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(new Set(results.map(([, thread]) => thread)).size).toBeLessThanOrEqual(4);
  });

  test('a thread that ends in the middle of a call fails that call only', async () => {
    const { loop } = subject.current;
    const ending = loop.runInExecutor(pool, () => process.exit(3));
    const error = await errorOf(subject.current.run(ending));
    expect(error).toBeInstanceOf(RuntimeError);
    expect(error.code).toBe('ERR_EXECUTOR_BROKEN');
    const leaking = loop.runInExecutor(pool, async () => {
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
      await new Promise(() => undefined);
    });
    expect((await errorOf(subject.current.run(leaking))).code).toBe('ERR_EXECUTOR_BROKEN');
    expect(await subject.current.run(loop.runInExecutor(pool, add, 1, 1))).toBe(2);
  });

  test('LOOP-083: cancelling keeps a call that waits for a thread from being made', async () => {
    const { loop } = subject.current;
    const narrow = new ThreadPoolExecutor({ maxWorkers: 1 });
    const gate = makeGate();
    const first = loop.runInExecutor(narrow, waitAtGate, gate, 'first');
    const second = loop.runInExecutor(narrow, waitAtGate, gate, 'second');
    const third = loop.runInExecutor(narrow, waitAtGate, gate, 'third');
    second.cancel();
    await subject.current.runOnce();
    openGate(gate);
    expect(await subject.current.run(first)).toBe('first');
    expect(await subject.current.run(third)).toBe('third');
    expect(second.cancelled()).toBe(true);
    expect(gate[1]).toBe(2);
    await narrow.shutdown();
  });

  test('LOOP-082, LOOP-083: a call that runs is not stopped; its result is dropped', async () => {
    const { loop } = subject.current;
    const gate = makeGate();
    const future = loop.runInExecutor(pool, waitAtGate, gate, 'dropped');
    untilBegun(gate, 1);
    expect(future.cancel()).toBe(true);
    await subject.current.runOnce();
    openGate(gate);
    expect(await subject.current.run(loop.runInExecutor(pool, add, 1, 1))).toBe(2);
    expect(future.cancelled()).toBe(true);
  });

  test('LOOP-082, FUT-019: a result that comes after the loop was closed is dropped', async () => {
    const { loop } = subject.current;
    const gate = makeGate();
    const future = loop.runInExecutor(pool, waitAtGate, gate, 'dropped');
    untilBegun(gate, 1);
    loop.close();
    openGate(gate);
    const other = pool.submit(add, 1, 1);
    expect(await other).toBe(2);
    expect(future.done()).toBe(false);
  });

  test('FUT-018: cancelling on the side of the threads cancels the future of the loop', async () => {
    const { loop } = subject.current;
    const narrow = new ThreadPoolExecutor({ maxWorkers: 1 });
    const gate = makeGate();
    const running = loop.runInExecutor(narrow, waitAtGate, gate, 'runs');
    const waiting = loop.runInExecutor(narrow, add, 1, 1);
    const isOver = narrow.shutdown({ cancelFutures: true });
    expect(waiting.cancelled()).toBe(true);
    openGate(gate);
    expect(await subject.current.run(running)).toBe('runs');
    await isOver;
  });

  test('RUN-056: toThread runs a function in the default executor, and begins when it is awaited', async () => {
    const { loop } = subject.current;
    const own = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(own);
    const gate = makeGate();
    openGate(gate);
    const coroutine = toThread(waitAtGate, gate, 'done');
    await subject.current.runOnce();
    expect(gate[1]).toBe(0);
    expect(await subject.current.run(coroutine)).toBe('done');
    expect(gate[1]).toBe(1);
    expect(await subject.current.run(async () => toThread(add, 1, 2))).toBe(3);
    await own.shutdown();
  });

  test('LOOP-081: shutting down waits for what runs and what waits, and takes no more', async () => {
    const { loop } = subject.current;
    const own = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(own);
    const gate = makeGate();
    const results = ['running', 'waiting'].map((name) => loop.runInExecutor(null, waitAtGate, gate, name));
    loop.callSoon(openGate, gate);
    await subject.current.run(loop.shutdownDefaultExecutor());
    expect(results.map((future) => future.result())).toEqual(['running', 'waiting']);
    expect(() => loop.runInExecutor(null, add, 1, 1)).toThrow(
      expect.objectContaining({ name: 'RuntimeError', code: 'ERR_EXECUTOR_SHUTDOWN' }),
    );
    await subject.current.run(loop.shutdownDefaultExecutor());
    await own.shutdown();
  });

  test('LOOP-081: shutting down waits also for a call of somebody else', async () => {
    const { loop } = subject.current;
    const own = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(own);
    const gate = makeGate();
    const others = [own.submit(waitAtGate, gate, 1), own.submit(waitAtGate, gate, 2)];
    loop.callSoon(openGate, gate);
    await subject.current.run(loop.shutdownDefaultExecutor());
    expect(others.map((submission) => submission.done())).toEqual([true, true]);
    expect(await others[1]).toBe(2);
    await own.shutdown();
  });
});

async function later(value: number): Promise<number> {
  await Promise.resolve();
  return value + 1;
}

/** A coroutine that ends when all of them have. */
function gathered<T>(futures: Future<T>[]): () => CoroutineGenerator<T[]> {
  return function* () {
    return yield* gather(futures);
  };
}

describe('the default executor', () => {
  const subject = useLoop('hosted');

  test('LOOP-078: is made when it is needed, a pool with as many threads as in Python, named asyncio', async () => {
    const { loop } = subject.current;
    expect(loop._defaultExecutor.pool).toBeNull();
    const name = await subject.current.run(loop.runInExecutor(null, add, 1, 1));
    const pool = loop._defaultExecutor.pool as unknown as ThreadPoolExecutor;
    expect([name, pool.maxWorkers]).toEqual([2, Math.min(32, os.cpus().length + 4)]);
    expect(pool.maxWorkers).toBe(defaultWorkerCount());
    await subject.current.run(loop.runInExecutor(null, add, 1, 1));
    expect(loop._defaultExecutor.pool).toBe(pool);
    await subject.current.run(loop.shutdownDefaultExecutor());
  });

  test('LOOP-079: refuses after it was shut down; an executor that is given is not asked about that', async () => {
    const { loop } = subject.current;
    await subject.current.run(loop.shutdownDefaultExecutor());
    expect(() => loop.runInExecutor(null, add, 1, 1)).toThrow(
      expect.objectContaining({ code: 'ERR_EXECUTOR_SHUTDOWN' }),
    );
    const here: Executor = { submit: (fn, ...args) => Promise.resolve((fn as typeof add)(...(args as [1, 2]))) };
    expect(await subject.current.run(loop.runInExecutor(here, add, 1, 2))).toBe(3);
  });

  test('LOOP-079: a closed loop runs nothing', () => {
    const { loop } = subject.current;
    loop.close();
    expect(() => loop.runInExecutor(null, add, 1, 1)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
  });

  test('LOOP-080: must be a thread pool', async () => {
    const { loop } = subject.current;
    for (const other of [null, {}, { submit: add }, add]) {
      expect(() => loop.setDefaultExecutor(other as never)).toThrow(TypeError);
    }
    const pool = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(pool);
    expect(loop._defaultExecutor.pool).toBe(pool);
  });

  test('LOOP-081: without a pool shutting down is over at once', async () => {
    const { loop } = subject.current;
    const shutdown = loop.shutdownDefaultExecutor()[Symbol.iterator]();
    expect(shutdown.next()).toEqual({ done: true, value: undefined });
    await subject.current.runOnce();
  });

  test('LOOP-081: a limit bounds the wait; then there is a warning, and the threads are left alone', async () => {
    const { loop } = subject.current;
    const pool = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(pool);
    const gate = makeGate();
    const call = loop.runInExecutor(null, waitAtGate, gate, 'late');
    const warned = jest.spyOn(process, 'emitWarning').mockReturnValue();
    try {
      await subject.current.run(loop.shutdownDefaultExecutor(0.02));
      expect(warned.mock.calls).toEqual([[expect.stringContaining('0.02'), 'RuntimeWarning']]);
    } finally {
      warned.mockRestore();
    }
    expect(call.done()).toBe(false);
    openGate(gate);
    expect(await subject.current.run(call)).toBe('late');
    await pool.shutdown();
  });

  test('LOOP-056: close ends the pool without waiting for it', async () => {
    const { loop } = subject.current;
    const pool = new ThreadPoolExecutor({ maxWorkers: 1 });
    loop.setDefaultExecutor(pool);
    const gate = makeGate();
    void loop.runInExecutor(null, waitAtGate, gate, 1);
    const waiting = pool.submit(add, 1, 1);
    untilBegun(gate, 1);
    loop.close();
    expect(loop._defaultExecutor.pool).toBeNull();
    expect(() => pool.submit(add, 1, 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTOR_SHUTDOWN' }));
    openGate(gate);
    // What was taken is done, as in Python.
    expect(await waiting).toBe(2);
    await pool.shutdown();
  });

  test('is shut down by a subclass or a runner as a coroutine of the loop', async () => {
    const loop = new SelectorEventLoop();
    const pool = new ThreadPoolExecutor({ maxWorkers: 2 });
    loop.setDefaultExecutor(pool);
    const sum = await outsideOfMicrotasks(() => {
      const result = loop.runUntilCompleteSync(loop.runInExecutor(null, add, 1, 2));
      loop.runUntilCompleteSync(loop.shutdownDefaultExecutor(300));
      loop.close();
      return result;
    });
    expect(sum).toBe(3);
    await pool.shutdown();
  });
});

describe('what can be sent', () => {
  const subject = useLoop('sync');
  const pool = usePool(1);
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'fdloop-executor-'));
    writeFileSync(path.join(folder, 'plain.js'), 'exports.double = (n) => 2 * n; exports.notOne = 1;');
    writeFileSync(path.join(folder, 'modern.mjs'), 'export const triple = async (n) => 3 * n;');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a function of a module, by name', async () => {
    const { loop } = subject.current;
    const plain = { module: path.join(folder, 'plain.js'), name: 'double' };
    expect(await subject.current.run(loop.runInExecutor(pool, plain, 4))).toBe(8);
    const modern = { module: path.join(folder, 'modern.mjs'), name: 'triple' };
    expect(await subject.current.run(loop.runInExecutor(pool, modern, 4))).toBe(12);
    const error = await errorOf(subject.current.run(loop.runInExecutor(pool, { ...plain, name: 'notOne' })));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain('notOne');
    const missing = { module: path.join(folder, 'missing.js'), name: 'x' };
    expect((await errorOf(subject.current.run(loop.runInExecutor(pool, missing)))).code).toBe('MODULE_NOT_FOUND');
  });

  test('a bound or built-in function and a class are refused at once', () => {
    const { loop } = subject.current;
    for (const fn of [add.bind(null, 1), Math.max, class Foo {}, Map]) {
      expect(() => loop.runInExecutor(pool, fn as never)).toThrow(
        expect.objectContaining({ name: 'TypeError', code: 'ERR_FUNCTION_NOT_SENDABLE' }),
      );
    }
  });

  test('what is no function is refused at once', () => {
    const { loop } = subject.current;
    for (const fn of [undefined, null, 5, 'name', {}, { module: 'x' }]) {
      expect(() => loop.runInExecutor(pool, fn as never)).toThrow(TypeError);
    }
  });

  test('an argument that cannot be copied is refused at once, whether a thread is free or not', async () => {
    const { loop } = subject.current;
    const refused = expect.objectContaining({ name: 'TypeError', code: 'ERR_NOT_CLONEABLE' });
    const take = (_value: unknown): number => 1;
    expect(() => loop.runInExecutor(pool, take, () => 1)).toThrow(refused);
    const gate = makeGate();
    const running = loop.runInExecutor(pool, waitAtGate, gate, 1);
    expect(() => loop.runInExecutor(pool, take, Symbol('no'))).toThrow(refused);
    openGate(gate);
    await subject.current.run(running);
    expect(() => loop.runInExecutor(pool, take, { deep: [() => 1] })).toThrow(refused);
    expect(await subject.current.run(loop.runInExecutor(pool, take, 1))).toBe(1);
  });

  test('a variable from around the function is not there', async () => {
    const { loop } = subject.current;
    const error = await errorOf(subject.current.run(loop.runInExecutor(pool, () => folder)));
    expect(error).toBeInstanceOf(ReferenceError);
  });
});

describe('another executor', () => {
  const subject = useLoop('hosted');

  test('is any object with submit, which is called on this thread', async () => {
    const { loop } = subject.current;
    const submitted: unknown[] = [];
    const executor: Executor = {
      submit: (fn, ...args) => {
        submitted.push(fn, args);
        return Promise.resolve(threadId);
      },
    };
    expect(await subject.current.run(loop.runInExecutor(executor, add, 1, 2))).toBe(threadId);
    expect(submitted).toEqual([add, [1, 2]]);
    const failing: Executor = { submit: () => Promise.reject(new ValueError('no')) };
    expect(await errorOf(subject.current.run(loop.runInExecutor(failing, add, 1, 2)))).toBeInstanceOf(ValueError);
  });

  test('FUT-018: hears of a cancelled future, if it can', async () => {
    const { loop } = subject.current;
    let cancelled = 0;
    const pending = Object.assign(new Promise<number>(() => undefined), { cancel: () => (cancelled += 1) });
    const future = loop.runInExecutor({ submit: () => pending }, add, 1, 2);
    future.cancel();
    await subject.current.runOnce();
    expect(cancelled).toBe(1);
  });

  test('what is no executor, or gives no promise, is refused', () => {
    const { loop } = subject.current;
    expect(() => loop.runInExecutor({} as never, add, 1, 2)).toThrow(TypeError);
    expect(() => loop.runInExecutor({ submit: () => 5 } as never, add, 1, 2)).toThrow(TypeError);
  });
});

describe('a thread pool without a loop', () => {
  const pool = usePool(2);

  test('gives promises', async () => {
    expect(await pool.submit(add, 1, 2)).toBe(3);
    expect(await errorOf(pool.submit(() => JSON.parse('{') as never))).toBeInstanceOf(SyntaxError);
  });

  test('a call can be cancelled until it begins', async () => {
    const gate = makeGate();
    const running = [pool.submit(waitAtGate, gate, 1), pool.submit(waitAtGate, gate, 2)];
    const waiting = pool.submit(add, 1, 1);
    untilBegun(gate, 2);
    expect(running[0].cancel()).toBe(false);
    expect([running[0].running(), waiting.running(), waiting.done()]).toEqual([true, false, false]);
    expect([waiting.cancel(), waiting.cancel(), waiting.cancelled(), waiting.done()]).toEqual([true, true, true, true]);
    expect(await errorOf(waiting)).toBeInstanceOf(CancelledError);
    openGate(gate);
    expect(await Promise.all(running)).toEqual([1, 2]);
    expect(running[0].cancel()).toBe(false);
  });

  test.each([0, -1, 1.5, NaN])('%d threads are refused', (maxWorkers) => {
    expect(() => new ThreadPoolExecutor({ maxWorkers })).toThrow(ValueError);
  });

  test('terminate ends a function that never does', async () => {
    const own = new ThreadPoolExecutor({ maxWorkers: 1 });
    const gate = makeGate();
    const endless = own.submit((given: Int32Array) => {
      Atomics.add(given, 1, 1);
      Atomics.notify(given, 1);
      for (;;);
    }, gate);
    const waiting = own.submit(add, 1, 1);
    untilBegun(gate, 1);
    await own.terminate();
    expect((await errorOf(endless)).code).toBe('ERR_EXECUTOR_BROKEN');
    expect(waiting.cancelled()).toBe(true);
    await own.terminate();
  });

  test('shutdown may be called again, and with nothing to end', async () => {
    const own = new ThreadPoolExecutor();
    await own.shutdown();
    await own.shutdown({ wait: false });
    expect(() => own.submit(add, 1, 1)).toThrow(expect.objectContaining({ code: 'ERR_EXECUTOR_SHUTDOWN' }));
  });
});

describe('a pool that two loops share', () => {
  test('gives each of them its own results', async () => {
    const pool = new ThreadPoolExecutor({ maxWorkers: 2 });
    const loops = [new SelectorEventLoop(), new SelectorEventLoop()];
    const calls = [1, 2, 3, 4].map((n) => loops[n % 2].runInExecutor(pool, add, n, 10));
    // The first loop blocks the thread; what the second one waits for is not lost by that.
    const first = await outsideOfMicrotasks(() => loops[0].runUntilCompleteSync(gathered([calls[1], calls[3]])));
    const second = await outsideOfMicrotasks(() => loops[1].runUntilCompleteSync(gathered([calls[0], calls[2]])));
    expect([first, second]).toEqual([
      [12, 14],
      [11, 13],
    ]);
    for (const loop of loops) loop.close();
    await pool.shutdown();
  });
});

describe('the end of the process', () => {
  const library = useCompiledLibrary();

  test('idle threads do not keep it alive', async () => {
    const end = await library.run(`
      const loop = fdloop.newEventLoop();
      loop.runUntilComplete(loop.runInExecutor(null, () => 5)).then((five) => console.log(five));`);
    expect(end).toEqual({ status: 0, signal: null, stdout: '5\n', stderr: '' });
  });

  test('LOOP-056: a function that never ends does not keep close or exit waiting', async () => {
    const end = await library.run(`
      const loop = fdloop.newEventLoop();
      const gate = new Int32Array(new SharedArrayBuffer(4));
      const call = loop.runInExecutor(null, (gate) => { Atomics.store(gate, 0, 1); Atomics.notify(gate, 0); for (;;); }, gate);
      Atomics.wait(gate, 0, 0);
      loop.close();
      console.log(call.done());
      process.exit(0);`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'false\n', stderr: '' });
  });

  test('what runs when the loop is closed is finished before the process ends, as in Python', async () => {
    const end = await library.run(`
      const loop = fdloop.newEventLoop();
      const gate = new Int32Array(new SharedArrayBuffer(4));
      loop.runInExecutor(null, (gate) => {
        Atomics.store(gate, 0, 1);
        Atomics.notify(gate, 0);
        for (const start = Date.now(); Date.now() - start < 50;);
        require('fs').writeSync(1, 'finished');
      }, gate);
      Atomics.wait(gate, 0, 0);
      loop.close();`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'finished', stderr: '' });
  });

  test('a worker that has a loop with threads of its own can be terminated', async () => {
    const end = await library.run(`
      const { Worker } = require('node:worker_threads');
      const code = 'const fdloop = require(' + JSON.stringify(libraryFolder + 'index') + ');' + ${JSON.stringify(`
        const loop = fdloop.newEventLoop();
        loop.runInExecutor(null, () => { for (;;); });
        for (let i = 0; i < 3; i++) loop.runInExecutor(null, () => 1);
        loop.callSoon(() => require('node:worker_threads').parentPort.postMessage('up'));
        loop.runForeverSync();
      `)};
      (async () => {
        for (let round = 0; round < 3; round++) {
          const worker = new Worker(code, { eval: true });
          await new Promise((resolve) => worker.once('message', resolve));
          await worker.terminate();
        }
        console.log('ended');
      })();`);
    expect(end).toEqual({ status: 0, signal: null, stdout: 'ended\n', stderr: '' });
  });

  test('works where scripts are modules by default', async () => {
    const end = await library.run(
      `const { spawnSync } = require('node:child_process');
      const script = "import { createRequire } from 'node:module';" +
        'const fdloop = createRequire(' + JSON.stringify(libraryFolder) + ')(' + JSON.stringify(libraryFolder + 'index') + ');' +
        'const loop = fdloop.newEventLoop();' +
        'console.log(loop.runUntilCompleteSync(loop.runInExecutor(null, () => typeof require)));';
      const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
      process.stderr.write(child.stderr);
      process.stdout.write(child.stdout);`,
    );
    expect([end.stderr, end.stdout]).toEqual(['', 'function\n']);
  });
});
