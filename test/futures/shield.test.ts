// shield.test.ts: an awaitable that goes on when whoever awaits it is cancelled.

import { Future } from '../../lib/futures/future';
import { shield } from '../../lib/futures/shield';
import { sleep } from '../../lib/futures/sleep';
import { useCompiledLibrary } from '../support/compiled-library';
import { aw, forEveryKind, outcomeOf } from '../support/programs';

forEveryKind('shield', (subject, program) => {
  const make = () => new Future<unknown>(subject.current.loop);

  test('RUN-045: a done future is given back', () => {
    const done = make();
    done.setResult(1);
    expect(shield(done)).toBe(done);
  });

  test('RUN-045: the outer future ends as the inner one', async () => {
    const [fine, failing] = [make(), make()];
    const outer = [shield(fine), shield(failing)];
    const error = new Error('boom');
    fine.setResult(1);
    failing.setException(error);
    await subject.current.runOnce();
    expect(outer.map(outcomeOf)).toEqual([{ result: 1 }, { error }]);
  });

  test('RUN-045: cancelling the task that waits leaves the inner one running', async () => {
    const { loop } = subject.current;
    const inner = loop.createTask(
      program(function* () {
        yield* aw(sleep(0));
        yield* aw(sleep(0));
        return 'to the end';
      }),
    );
    const task = loop.createTask(
      program(function* () {
        yield* aw(shield(inner));
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    expect([inner.cancelling(), task.cancelling()]).toEqual([0, 1]);
    expect(await subject.current.run(inner)).toBe('to the end');
    expect(task.cancelled()).toBe(true);
  });

  test('RUN-045: cancelling the inner one cancels the outer', async () => {
    const inner = make();
    const outer = shield(inner);
    inner.cancel();
    await subject.current.runOnce();
    expect(outer.cancelled()).toBe(true);
  });

  test('RUN-045: a coroutine becomes a task', async () => {
    const main = program(function* () {
      return yield* aw(
        shield(
          program(function* () {
            return 'value';
          }),
        ),
      );
    });
    expect(await subject.current.run(main)).toBe('value');
    expect(() => shield(7 as never)).toThrow(TypeError);
  });

  test('RUN-046: a cancelled outer takes its callback off the inner', async () => {
    const inner = make();
    const outer = shield(inner);
    expect(inner._callbacks).toHaveLength(1);
    outer.cancel();
    await subject.current.runOnce();
    expect(inner._callbacks).toHaveLength(0);
  });
});

describe('an inner failure that nobody sees', () => {
  const library = useCompiledLibrary();
  const script = (endings: string) => `
    const loop = fdloop.newEventLoop();
    loop.setExceptionHandler((_loop, context) => console.log(context.exception.message));
    (() => {
      const inner = loop.createFuture();
      const outer = fdloop.shield(inner);
      ${endings}
    })();
    (async () => {
      await loop.runUntilComplete(fdloop.sleep(0.001));
      for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setImmediate(resolve)); }
      console.log('end');
    })();`;
  const run = (endings: string) => library.run(script(endings), { nodeOptions: ['--expose-gc'] });

  test('RUN-046: after the callback was taken off, it is reported as never retrieved', async () => {
    const end = await run(`
      outer.cancel();
      loop.callSoon(() => loop.callSoon(() => inner.setException(new Error('unseen'))));`);
    expect([end.stdout, end.stderr]).toEqual(['unseen\nend\n', '']);
  });

  test('RUN-046: in the same iteration as the cancellation, it counts as retrieved', async () => {
    const end = await run("inner.setException(new Error('seen')); outer.cancel();");
    expect([end.stdout, end.stderr]).toEqual(['end\n', '']);
  });
});
