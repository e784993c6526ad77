// gather.test.ts: several awaitables at once.

import { CancelledError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import { eagerTaskFactory } from '../../lib/futures/eager';
import { Future } from '../../lib/futures/future';
import { gather } from '../../lib/futures/gather';
import { sleep } from '../../lib/futures/sleep';
import { useCompiledLibrary } from '../support/compiled-library';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind, outcomeOf } from '../support/programs';

forEveryKind('gather', (subject, program) => {
  const give = (value: unknown) =>
    program(function* () {
      return value;
    });

  test('RUN-042: of coroutines goes on three iterations later', async () => {
    const iteration = countIterations(subject.current.loop);
    const main = program(function* () {
      const start = iteration.count;
      const results = yield* aw(gather([give(1), give(2)]));
      return [results, iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([[1, 2], 3]);
  });

  test('an option that it does not have is refused', () => {
    const options = { return_exceptions: true } as object;
    expect(() => gather([], options)).toThrow(
      "gather has no option 'return_exceptions': it is 'returnExceptions' here",
    );
  });

  test('RUN-042: of futures that are done already costs nothing', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    const done = new Future<number>(loop);
    done.setResult(1);
    const main = program(function* () {
      const start = iteration.count;
      const results = yield* aw(gather([done, done]));
      return [results, iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([[1, 1], 0]);
  });

  test('RUN-037: results stand in the order of the awaitables, whichever comes first', async () => {
    const { loop } = subject.current;
    const [late, early] = [new Future<string>(loop), new Future<string>(loop)];
    loop.callSoon(() => early.setResult('second'));
    early.addDoneCallback(() => late.setResult('first'));
    const main = program(function* () {
      return yield* aw(gather([late, early, give('third')]));
    });
    expect(await subject.current.run(main)).toEqual(['first', 'second', 'third']);
  });

  test('RUN-041: cancelling the task that waits cancels the children', async () => {
    const { loop } = subject.current;
    const children = [new Future(loop), new Future(loop)];
    const task = loop.createTask(
      program(function* () {
        yield* aw(gather(children));
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    expect(children.map((child) => child.cancelled())).toEqual([true, true]);
    await subject.current.run(sleep(0));
    expect(task.cancelled()).toBe(true);
  });
});

describe('gather', () => {
  const subject = useLoop('virtual');
  const make = <T = unknown>() => new Future<T>(subject.current.loop);

  test('RUN-035: of nothing is a future that is done, with an empty list', async () => {
    const outcome = await subject.current.run(() => [gather([])]);
    expect(outcomeOf(outcome[0])).toEqual({ result: [] });
    expect(outcome[0].getLoop()).toBe(subject.current.loop);
    expect(() => gather([])).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
  });

  test('RUN-036: makes tasks of coroutines; what stands in several places is run once', async () => {
    const calls: string[] = [];
    const coroutine = sleep(0, 'coroutine');
    const generator = (function* () {
      calls.push('generator');
      yield* sleep(0);
      return 'generator';
    })();
    const future = make<string>();
    future.setResult('future');
    const results = await subject.current.run(() =>
      gather([coroutine, generator, future, coroutine, generator, future, Promise.resolve('promise')] as const),
    );
    expect(results).toEqual(['coroutine', 'generator', 'future', 'coroutine', 'generator', 'future', 'promise']);
    expect(calls).toEqual(['generator']);
  });

  // A function is what makes a coroutine, and not one itself.
  test('RUN-036: a function is called for each place where it stands', async () => {
    let calls = 0;
    const count = () => ++calls;
    expect(await subject.current.run(() => gather([count, count]))).toEqual([1, 2]);
  });

  test('RUN-038: the first failure is passed on at once, and the others go on', async () => {
    const { loop } = subject.current;
    const [failing, other, later] = [make(), make(), make()];
    const outer = gather([other, failing, later]);
    failing.setException(new Error('first'));
    await subject.current.runOnce();
    expect(outcomeOf(outer)).toEqual({ error: new Error('first') });
    expect([other.done(), later.done()]).toEqual([false, false]);
    other.setResult(1);
    later.setException(new Error('second'));
    await subject.current.runOnce();
    expect(outcomeOf(outer)).toEqual({ error: new Error('first') });
    expect(later._logTraceback).toBe(false);
    expect(loop._ready.length).toBe(0);
  });

  test('RUN-039: a cancelled child fails the whole with a CancelledError, which does not make it cancelled', async () => {
    const [child, other] = [make(), make()];
    const outer = gather([child, other]);
    child.cancel('enough');
    await subject.current.runOnce();
    expect(outer.cancelled()).toBe(false);
    expect(outer.exception()).toMatchObject({ name: 'CancelledError', message: 'enough' });
    expect(other.done()).toBe(false);
  });

  test('RUN-040: with returnExceptions, failures and cancellations are results', async () => {
    const error = new Error('boom');
    const [fine, failing, cancelled] = [make(), make(), make()];
    const outer = gather([fine, failing, cancelled], { returnExceptions: true });
    failing.setException(error);
    cancelled.cancel('enough');
    await subject.current.runOnce();
    expect(outer.done()).toBe(false);
    fine.setResult(1);
    await subject.current.runOnce();
    const [first, second, third] = outer.result();
    expect([first, second]).toEqual([1, error]);
    expect(third).toBeInstanceOf(CancelledError);
    expect((third as CancelledError).message).toBe('enough');
  });

  test('RUN-040: a cancelled task in the list keeps its own CancelledError for whoever awaits it', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(() => sleep(60));
    const outer = gather([task], { returnExceptions: true });
    await subject.current.runOnce();
    task.cancel('enough');
    await expect(subject.current.run(() => outer)).resolves.toMatchObject([{ name: 'CancelledError', message: '' }]);
    await expect(subject.current.run(() => task)).rejects.toMatchObject({ name: 'CancelledError', message: 'enough' });
  });

  test('RUN-036: a child that is ended by the making of the next one counts an iteration later', async () => {
    const { loop } = subject.current;
    loop.setTaskFactory(eagerTaskFactory);
    const first = make<number>();
    const second = function* () {
      first.setResult(1);
      return 2;
    };
    const states = await subject.current.run(async () => {
      const outer = gather([first, second]);
      return [outer.done(), await outer];
    });
    expect(states).toEqual([false, [1, 2]]);
  });

  test('RUN-036: the exception of a child is nobody’s news when a later awaitable was refused', async () => {
    const child = make();
    expect(() => gather([child, 7] as never)).toThrow(TypeError);
    child.setException(new Error('boom'));
    await subject.current.runOnce();
    expect(child._logTraceback).toBe(false);
  });

  test('RUN-041: cancelling reaches every unfinished child, and says whether one accepted', async () => {
    const [done, pending] = [make(), make()];
    done.setResult(1);
    const outer = gather([done, pending]);
    expect(outer.cancel()).toBe(true);
    expect([outer.done(), pending.cancelled()]).toEqual([false, true]);
    await subject.current.runOnce();
    expect(outer.exception()).toBeInstanceOf(CancelledError);
    expect(outer.cancel()).toBe(false);
    const late = make();
    const inVain = gather([late]);
    late.setResult(1);
    expect(inVain.cancel()).toBe(false);
    await subject.current.runOnce();
    expect(inVain.result()).toEqual([1]);
  });

  test('RUN-041: with returnExceptions it is done when all children are, and then throws CancelledError', async () => {
    const { loop } = subject.current;
    const gate = make();
    const slow = loop.createTask(async () => {
      try {
        await make();
      } catch {
        await gate;
      }
      return 'ended otherwise';
    });
    const quick = make();
    const outer = gather([slow, quick], { returnExceptions: true });
    await subject.current.runOnce();
    expect(outer.cancel()).toBe(true);
    await subject.current.run(sleep(0));
    expect([quick.cancelled(), outer.done()]).toEqual([true, false]);
    gate.setResult(undefined);
    await subject.current.run(slow);
    await subject.current.runOnce();
    expect(slow.result()).toBe('ended otherwise');
    expect(outer.cancelled()).toBe(false);
    expect(() => outer.result()).toThrow(CancelledError);
  });

  test('RUN-041: a cancelled one asks what its children ended with, and takes the message of the last', async () => {
    const [failing, last] = [make(), make()];
    const outer = gather([failing, last], { returnExceptions: true });
    last.setResult(1);
    failing.cancel = () => {
      failing.setException(new Error('boom'));
      return true;
    };
    outer.cancel('enough');
    await subject.current.runOnce();
    expect(outer.exception()).toMatchObject({ name: 'CancelledError', message: '' });
    expect(failing._logTraceback).toBe(false);
  });

  test('RUN-036: futures of different loops are a ValueError, one awaitable instead of a list a TypeError', () => {
    const other = new SelectorEventLoop();
    expect(() => gather([make(), new Future(other)])).toThrow(expect.objectContaining({ name: 'ValueError' }));
    for (const value of [make(), sleep(1), async () => 1, 'text', 7, null]) {
      expect(() => gather(value as never)).toThrow(TypeError);
    }
    expect(() => gather([7] as never)).toThrow(TypeError);
    other.close();
  });
});

describe('gather and the exceptions of children that come later', () => {
  const library = useCompiledLibrary();

  test('RUN-038: they are not reported as never retrieved', async () => {
    const script = `
      const loop = fdloop.newEventLoop();
      loop.setExceptionHandler((_loop, context) => console.log(context.message));
      const fail = (delay) => async () => { await fdloop.sleep(delay); throw new Error('boom'); };
      (async () => {
        await loop.runUntilComplete(async () => {
          await fdloop.gather([fail(0), fail(0.001)]).then(undefined, () => 0);
          await fdloop.sleep(0.002);
        });
        for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
        console.log('end');
      })();`;
    const end = await library.run(script, { nodeOptions: ['--expose-gc'] });
    expect([end.stdout, end.stderr]).toEqual(['end\n', '']);
  });
});
