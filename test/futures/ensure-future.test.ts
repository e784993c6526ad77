// ensure-future.test.ts: futures made of whatever can be awaited.

import { SelectorEventLoop } from '../../lib/event-loop';
import { ensureFuture, wrapPromise } from '../../lib/futures/ensure-future';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { Task } from '../../lib/futures/task';
import { useLoop } from '../support/loops';
import { countIterations } from '../support/programs';

describe('ensureFuture', () => {
  const subject = useLoop('virtual');

  test('FUT-054: a future passes through, unless it belongs to another loop than the one given', () => {
    const { loop } = subject.current;
    const other = new SelectorEventLoop();
    const future = new Future(loop);
    expect(ensureFuture(future)).toBe(future);
    expect(ensureFuture(future, loop)).toBe(future);
    expect(() => ensureFuture(future, other)).toThrow(expect.objectContaining({ name: 'ValueError' }));
    other.close();
  });

  test('FUT-054: a coroutine becomes a task, another awaitable is wrapped', async () => {
    const { loop } = subject.current;
    const task = ensureFuture(async () => 'task', loop);
    expect(task).toBeInstanceOf(Task);
    expect(await subject.current.run(task)).toBe('task');
    expect(await subject.current.run(ensureFuture(sleep(0, 'coroutine'), loop))).toBe('coroutine');
    const thenable: PromiseLike<string> = {
      then: (ok) => Promise.resolve('thenable').then(ok),
    };
    const wrapped = ensureFuture(thenable, loop);
    expect(wrapped).toBeInstanceOf(Future);
    expect(wrapped).not.toBeInstanceOf(Task);
    await Promise.resolve();
    await Promise.resolve();
    expect(await subject.current.run(wrapped)).toBe('thenable');
  });

  test('FUT-054: anything else is a TypeError; without a loop a coroutine needs a running one', () => {
    for (const value of [null, undefined, 1, 'text', {}]) {
      expect(() => ensureFuture(value as never)).toThrow(TypeError);
    }
    expect(() => ensureFuture(async () => 1)).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
  });

  test('FUT-054: a coroutine of which no task can be made is closed', () => {
    const { loop } = subject.current;
    loop.close();
    const coroutine = sleep(1);
    expect(() => ensureFuture(coroutine, loop)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
    expect(() => coroutine[Symbol.iterator]()).toThrow(expect.objectContaining({ code: 'ERR_COROUTINE_REUSED' }));
    const generator = (function* () {
      yield* sleep(1);
    })();
    expect(() => ensureFuture(generator, loop)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
    expect(generator.next()).toEqual({ done: true, value: undefined });
  });
});

describe('wrapPromise', () => {
  const subject = useLoop('hosted');
  const turnOfNode = () => new Promise<void>((resolve) => setImmediate(resolve));

  // JavaScript has no futures of other threads: what comes from outside of the loop comes as a promise.
  test('FUT-018: the outcome of a promise crosses into the loop, and wakes it', async () => {
    const { loop } = subject.current;
    const fine = turnOfNode().then(() => 'value');
    expect(await subject.current.run(wrapPromise(fine, loop))).toBe('value');
    const error = new Error('boom');
    const failing = turnOfNode().then(() => Promise.reject(error));
    await expect(subject.current.run(wrapPromise(failing, loop))).rejects.toBe(error);
  });

  test('FUT-018: it is set by a handle of the loop, never in the middle of something', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    let settled = 0;
    const future = await subject.current.run(async () => {
      const wrapped = wrapPromise(
        Promise.resolve().then(() => {
          settled = iteration.count;
        }),
        loop,
      );
      await Promise.resolve();
      await Promise.resolve();
      expect(wrapped.done()).toBe(false);
      await wrapped;
      return [wrapped.done(), iteration.count - settled];
    });
    expect(future).toEqual([true, 2]);
  });

  test('FUT-018: cancelling the future aborts what makes the promise; a late outcome is dropped', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const future = wrapPromise(async (signal) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      seen.push(signal.aborted, String(signal.reason));
      throw signal.reason;
    }, loop);
    loop.callSoon(() => future.cancel('enough'));
    await expect(subject.current.run(future)).rejects.toThrow('enough');
    await subject.current.run(sleep(0));
    await turnOfNode();
    expect(seen).toEqual([true, 'CancelledError: enough']);
  });

  test('FUT-018: a future is given back as it is; what is no promise is refused', () => {
    const { loop } = subject.current;
    const future = new Future(loop);
    expect(wrapPromise(future, loop)).toBe(future);
    for (const value of [7, null, {}, () => 7]) {
      expect(() => wrapPromise(value as never, loop)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('FUT-018: a future that ends otherwise aborts nothing', async () => {
    const { loop } = subject.current;
    const signals: AbortSignal[] = [];
    const future = wrapPromise((signal) => {
      signals.push(signal);
      return Promise.resolve('value');
    }, loop);
    expect(await subject.current.run(future)).toBe('value');
    expect(signals[0].aborted).toBe(false);
  });

  test('FUT-019: an outcome that comes after the loop was closed is dropped', async () => {
    const { loop } = subject.current;
    const cancelled = wrapPromise(turnOfNode(), loop);
    const pending = wrapPromise(turnOfNode(), loop);
    cancelled.cancel();
    loop.close();
    await turnOfNode();
    expect([cancelled.cancelled(), pending.done()]).toEqual([true, false]);
  });
});
