// future.test.ts: a future by itself: states, results, callbacks, texts.

import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import * as vm from 'node:vm';

import { CancelledError, InvalidStateError, ValueError } from '../../lib/base/errors';
import { copyContext } from '../../lib/futures/context';
import { currentTask } from '../../lib/futures/current';
import { _setResultUnlessCancelled, Future, isFuture } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { useCompiledLibrary } from '../support/compiled-library';
import { useLoop } from '../support/loops';
import { countIterations, forEveryKind, aw, outcomeOf } from '../support/programs';

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('future', () => {
  const subject = useLoop('virtual');
  const makeFuture = <T = unknown>() => new Future<T>(subject.current.loop);

  test('FUT-001: is pending, then finished or cancelled', () => {
    const [pending, finished, failed, cancelled] = [makeFuture(), makeFuture(), makeFuture(), makeFuture()];
    finished.setResult(1);
    failed.setException(new Error('boom'));
    cancelled.cancel();
    expect([pending, finished, failed, cancelled].map((future) => [future.done(), future.cancelled()])).toEqual([
      [false, false],
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(finished.result()).toBe(1);
    expect(finished.exception()).toBeNull();
    expect(failed.exception()).toEqual(new Error('boom'));
    expect(() => failed.result()).toThrow('boom');
  });

  test('FUT-002: result and exception of a pending one are InvalidStateError, of a cancelled one CancelledError', () => {
    const pending = makeFuture();
    expect(() => pending.result()).toThrow(InvalidStateError);
    expect(() => pending.exception()).toThrow(InvalidStateError);
    const cancelled = makeFuture();
    cancelled.cancel('enough');
    for (const read of [() => cancelled.result(), () => cancelled.exception()]) {
      expect(thrownBy(read)).toMatchObject({ name: 'CancelledError', message: 'enough', code: 'ERR_CANCELLED' });
    }
    const silent = makeFuture();
    silent.cancel();
    expect(thrownBy(() => silent.result())).toMatchObject({ name: 'CancelledError', message: '' });
  });

  test('FUT-003: a done future takes no result and no exception', () => {
    const finished = makeFuture();
    finished.setResult(1);
    const cancelled = makeFuture();
    cancelled.cancel();
    for (const future of [finished, cancelled]) {
      expect(() => future.setResult(2)).toThrow(InvalidStateError);
      expect(() => future.setException(new Error('late'))).toThrow(InvalidStateError);
    }
    expect(finished.result()).toBe(1);
  });

  test('FUT-004: an exception may be given as its class', () => {
    for (const Class of [ValueError, CancelledError, TypeError, Error]) {
      const future = makeFuture();
      future.setException(Class);
      expect(future.exception()).toBeInstanceOf(Class);
    }
  });

  test('FUT-004: what is no exception is a TypeError and leaves the future pending', () => {
    const future = makeFuture();
    for (const value of ['text', 7, null, undefined, {}, () => undefined, Date]) {
      expect(() => future.setException(value)).toThrow(TypeError);
    }
    expect(future.done()).toBe(false);
  });

  test('FUT-004: an error of another realm is an exception', () => {
    const foreign: unknown = vm.runInNewContext('new RangeError("from afar")');
    const future = makeFuture();
    future.setException(foreign);
    expect(future.exception()).toBe(foreign);
  });

  test('FUT-006: cancel says whether it did something, and schedules the callbacks', async () => {
    const future = makeFuture();
    const seen: boolean[] = [];
    future.addDoneCallback((done) => seen.push(done.cancelled()));
    expect([future.cancel(), future.cancel()]).toEqual([true, false]);
    expect(seen).toEqual([]);
    await subject.current.runOnce();
    expect(seen).toEqual([true]);
    const finished = makeFuture();
    finished.setResult(1);
    expect(finished.cancel()).toBe(false);
    expect(finished.cancelled()).toBe(false);
  });

  test('FUT-007: callbacks are queued in the order in which they were added, and only once', async () => {
    const { loop } = subject.current;
    const future = makeFuture();
    const seen: string[] = [];
    future.addDoneCallback(() => seen.push('first'));
    future.addDoneCallback(() => seen.push('second'));
    loop.callSoon(() => seen.push('queued before'));
    future.setResult(1);
    loop.callSoon(() => seen.push('queued after'));
    expect(seen).toEqual([]);
    await subject.current.runOnce();
    expect(seen).toEqual(['queued before', 'first', 'second', 'queued after']);
    await subject.current.runOnce();
    expect(seen).toHaveLength(4);
  });

  test('FUT-008: a callback added to a done future is queued', async () => {
    const future = makeFuture<number>();
    future.setResult(5);
    const seen: number[] = [];
    future.addDoneCallback((done) => seen.push(done.result()));
    expect(seen).toEqual([]);
    await subject.current.runOnce();
    expect(seen).toEqual([5]);
    expect(() => future.addDoneCallback('no function' as never)).toThrow(TypeError);
  });

  test('FUT-009: a callback gets the future alone, and runs in the context in which it was added', async () => {
    const storage = new AsyncLocalStorage<string>();
    const future = makeFuture();
    const seen: unknown[] = [];
    const callback = (...args: unknown[]) => seen.push([storage.getStore(), args]);
    storage.run('added here', () => future.addDoneCallback(callback));
    const other = storage.run('given', () => copyContext(null));
    storage.run('not here', () => future.addDoneCallback(callback, { context: other }));
    storage.run('completed here', () => future.setResult(1));
    await subject.current.runOnce();
    expect(seen).toEqual([
      ['added here', [future]],
      ['given', [future]],
    ]);
  });

  test('FUT-010: a callback may be added several times, and is removed as often', async () => {
    const future = makeFuture();
    const seen: string[] = [];
    const twice = () => seen.push('twice');
    future.addDoneCallback(twice);
    future.addDoneCallback(() => seen.push('once'));
    future.addDoneCallback(twice);
    expect(future.removeDoneCallback(twice)).toBe(2);
    expect(future.removeDoneCallback(twice)).toBe(0);
    future.addDoneCallback(twice);
    future.addDoneCallback(twice);
    future.setResult(1);
    expect(future.removeDoneCallback(twice)).toBe(0);
    await subject.current.runOnce();
    expect(seen).toEqual(['once', 'twice', 'twice']);
  });

  test('FUT-011: a callback that throws is reported, and the others are called', async () => {
    const future = makeFuture();
    const error = new Error('boom');
    const seen: string[] = [];
    future.addDoneCallback(function failing() {
      throw error;
    });
    future.addDoneCallback(() => seen.push('called'));
    future.setResult(1);
    await subject.current.runOnce();
    expect(seen).toEqual(['called']);
    const [context] = subject.current.takeContexts();
    expect(context.exception).toBe(error);
    expect(context.message).toContain('failing()');
  });

  test('FUT-013: a CancelledError as the exception makes a finished future, not a cancelled one', () => {
    const future = makeFuture();
    const error = new CancelledError('by hand');
    future.setException(error);
    expect(future.cancelled()).toBe(false);
    expect(future.exception()).toBe(error);
    expect(thrownBy(() => future.result())).toBe(error);
  });

  test('FUT-016: knows its loop; without one, a loop must be running or set', async () => {
    const { loop } = subject.current;
    expect(makeFuture().getLoop()).toBe(loop);
    expect(() => new Future()).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
    const made = await subject.current.run(() => [new Future()] as const);
    expect(made[0].getLoop()).toBe(loop);
  });

  test('FUT-017: inspect shows the state, then the result or the exception', () => {
    const future = makeFuture();
    expect(inspect(future)).toBe('<Future pending>');
    future.setResult({ deep: { hidden: true } });
    expect(inspect(future)).toBe('<Future finished result={ deep: [Object] }>');
    const long = makeFuture();
    long.setResult('x'.repeat(10_000));
    expect(inspect(long).length).toBeLessThan(200);
    const failed = makeFuture();
    failed.setException(new ValueError('bad'));
    expect(inspect(failed)).toBe('<Future finished exception=ValueError: bad>');
    failed.exception();
    const cancelled = makeFuture();
    cancelled.cancel();
    expect(inspect(cancelled)).toBe('<Future cancelled>');
  });

  test('FUT-017: inspect shows the first and the last callback, and how many are between', () => {
    const future = makeFuture();
    future.addDoneCallback(function first() {});
    expect(inspect(future)).toBe('<Future pending cb=[first()]>');
    future.addDoneCallback(function second() {});
    expect(inspect(future)).toBe('<Future pending cb=[first(), second()]>');
    future.addDoneCallback(function third() {});
    future.addDoneCallback(function fourth() {});
    expect(inspect(future)).toBe('<Future pending cb=[first(), <2 more>, fourth()]>');
  });

  test('FUT-017: in debug mode inspect shows where the future was made', () => {
    subject.current.loop.setDebug(true);
    expect(inspect(makeFuture())).toMatch(/^<Future pending created at .*future\.test\.ts:\d+:\d+\)?>$/);
  });

  test('FUT-062: whoever carries the marker is a future', () => {
    const marker = Symbol.for('fdloop.future');
    class Foreign {
      get [marker]() {
        return true;
      }
    }
    expect([makeFuture(), new Foreign(), { [marker]: true }].map(isFuture)).toEqual([true, true, true]);
    const others = [null, undefined, {}, Promise.resolve(), 1, 'text', { [marker]: null }, () => undefined, Future];
    expect(others.map(isFuture)).toEqual(others.map(() => false));
  });

  test('FUT-064: setting a result unless cancelled minds no other end', () => {
    const cancelled = makeFuture<number>();
    cancelled.cancel();
    _setResultUnlessCancelled(cancelled, 1);
    expect(cancelled.cancelled()).toBe(true);
    const finished = makeFuture<number>();
    finished.setResult(1);
    expect(() => _setResultUnlessCancelled(finished, 2)).toThrow(InvalidStateError);
    const pending = makeFuture<number>();
    _setResultUnlessCancelled(pending, 3);
    expect(pending.result()).toBe(3);
  });

  test('an AbortSignal’s reason as the message of a cancellation is the cause of the error', () => {
    const controller = new AbortController();
    controller.abort();
    const future = makeFuture();
    future.cancel(controller.signal.reason);
    const error = thrownBy(() => future.result()) as CancelledError;
    expect(error.cause).toBe(controller.signal.reason);
    expect(error.message).toBe((controller.signal.reason as Error).message);
  });
});

forEveryKind('awaiting a future', (subject, program) => {
  test('FUT-014: a done future does not suspend', async () => {
    const { loop } = subject.current;
    const result = new Future<string>(loop);
    result.setResult('value');
    const failed = new Future<string>(loop);
    const error = new Error('boom');
    failed.setException(error);
    const cancelled = new Future<string>(loop);
    cancelled.cancel('enough');
    const seen: unknown[] = [];
    const main = program(function* () {
      seen.push(yield* aw(result));
      try {
        yield* aw(failed);
      } catch (thrown) {
        seen.push(thrown);
      }
      try {
        yield* aw(cancelled);
      } catch (thrown) {
        seen.push(String(thrown));
      }
    });
    const task = loop.createTask(main);
    loop.callSoon(() => seen.push('next handle'));
    await subject.current.run(task);
    expect(seen).toEqual(['value', error, 'CancelledError: enough', 'next handle']);
  });

  test('FUT-015: a pending future resumes its task one iteration after it was completed', async () => {
    const { loop } = subject.current;
    const future = new Future<number>(loop);
    const iteration = countIterations(loop);
    let completed = 0;
    const main = program(function* () {
      loop.callSoon(() => {
        completed = iteration.count;
        future.setResult(7);
      });
      const value = yield* aw(future);
      return [value, iteration.count - completed];
    });
    expect(await subject.current.run(main)).toEqual([7, 1]);
  });

  test('FUT-015: the task goes on in the order of the callbacks of the future', async () => {
    const { loop } = subject.current;
    const future = new Future<void>(loop);
    const seen: string[] = [];
    future.addDoneCallback(() => seen.push('before'));
    const main = program(function* () {
      loop.callSoon(() => {
        future.addDoneCallback(() => seen.push('after'));
        future.setResult(undefined);
      });
      yield* aw(future);
      seen.push('task');
    });
    await subject.current.run(main);
    await subject.current.runOnce();
    expect(seen).toEqual(['before', 'task', 'after']);
  });
});

describe('awaiting outside of any task', () => {
  const subject = useLoop('hosted');

  test('then on a pending future is called from a done callback, and no task is current', async () => {
    const { loop } = subject.current;
    const future = new Future<number>(loop);
    const seen: unknown[] = [];
    const chained = future.then((value) => {
      seen.push(value, currentTask(loop));
      return value + 1;
    });
    loop.callSoon(() => future.setResult(1));
    await subject.current.run(async () => {
      await future;
    });
    expect(await chained).toBe(2);
    expect(seen).toEqual([1, null]);
  });

  test('then calls its handlers in the context in which it was called', async () => {
    const { loop } = subject.current;
    const storage = new AsyncLocalStorage<string>();
    const future = new Future<void>(loop);
    const seen = storage.run('here', () => future.then(() => storage.getStore()));
    storage.run('not here', () => future.setResult(undefined));
    await subject.current.run(sleep(0));
    expect(await seen).toBe('here');
  });

  test('then passes a failure and a handler’s own exception on', async () => {
    const { loop } = subject.current;
    const future = new Future<number>(loop);
    future.setException(new Error('boom'));
    await expect(future.then((value) => value)).rejects.toThrow('boom');
    expect(await future.then(undefined, (error) => String(error))).toBe('Error: boom');
    const fine = new Future<number>(loop);
    fine.setResult(1);
    await expect(
      fine.then(() => {
        throw new Error('from the handler');
      }),
    ).rejects.toThrow('from the handler');
    expect(outcomeOf(fine)).toEqual({ result: 1 });
  });
});

describe('an exception that nobody looks at', () => {
  const library = useCompiledLibrary();
  const prelude = `
    const loop = fdloop.newEventLoop();
    const heard = [];
    loop.setExceptionHandler((_loop, context) => heard.push(context));
    const collect = async () => {
      for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
      return heard;
    };
    const tell = (value) => process.stdout.write(JSON.stringify(value));
    const failed = () => { const f = loop.createFuture(); f.setException(new Error('boom')); return f; };`;
  const run = async (script: string): Promise<unknown> => {
    const end = await library.run(`${prelude}\n(async () => { ${script} })();`, { nodeOptions: ['--expose-gc'] });
    expect(end.stderr).toBe('');
    return JSON.parse(end.stdout);
  };

  test('FUT-012: is reported when its future is collected', async () => {
    const contexts = await run(`
      (() => { failed(); })();
      tell((await collect()).map(({ message, exception, future, ...rest }) => [message, exception.message, future, rest]));`);
    expect(contexts).toEqual([
      ['Future exception was never retrieved', 'boom', '<Future finished exception=Error: boom>', {}],
    ]);
  });

  test('FUT-012: in debug mode the report says where the future was made', async () => {
    const traces = await run(`
      loop.setDebug(true);
      (function culprit() { failed(); })();
      tell((await collect()).map((context) => context.sourceTraceback));`);
    expect(traces).toEqual([expect.stringContaining('culprit')]);
  });

  test('FUT-012: result, exception and cancel count as looking; awaiting too', async () => {
    const contexts = await run(`
      (() => { try { failed().result(); } catch {} failed().exception(); failed().cancel(); })();
      await (async () => { await failed().then(undefined, () => 0); })();
      tell(await collect());`);
    expect(contexts).toEqual([]);
  });

  test('FUT-012: a task that failed is named in the report', async () => {
    const contexts = await run(`
      await (async () => {
        loop.createTask(async () => { throw new Error('boom'); }, { name: 'forgotten' });
        await loop.runUntilComplete(fdloop.sleep(0));
      })();
      tell((await collect()).map(({ message, future }) => [message, future]));`);
    expect(contexts).toEqual([
      ['Task exception was never retrieved', "<Task finished name='forgotten' exception=Error: boom>"],
    ]);
  });
});
