// context.test.ts: from when on contexts carry their task. Each test is about what a process has not done yet, so each has
// a copy of the library of its own.

import type * as ContextModule from '../../lib/futures/context';
import type * as Library from '../../lib/index';
import { outsideOfMicrotasks } from '../support/loops';

interface Fresh {
  fdloop: typeof Library;
  context: typeof ContextModule;
}

function fresh(): Fresh {
  let modules: Fresh | undefined;
  jest.isolateModules(() => {
    modules = {
      fdloop: jest.requireActual<typeof Library>('../../lib/index'),
      context: jest.requireActual<typeof ContextModule>('../../lib/futures/context'),
    };
  });
  return modules as Fresh;
}

describe('contexts carry their task', () => {
  test('not for callbacks, timers, generators, verbs of the loop and protocols, hosted or not', async () => {
    const { fdloop, context } = fresh();
    const loop = fdloop.newEventLoop();
    const main = function* (): Library.CoroutineGenerator<string> {
      const future = loop.createFuture<string>();
      const server = yield* loop.createServer(() => new fdloop.Protocol(), '127.0.0.1', 0);
      const [transport] = yield* loop.createConnection(
        () => new fdloop.Protocol(),
        '127.0.0.1',
        (server.sockets[0].getsockname() as [string, number])[1],
      );
      loop.callLater(0, () => loop.callSoon(() => future.setResult('done')));
      const group = new fdloop.TaskGroup();
      yield* group.run(function* (members) {
        members.createTask(function* () {
          yield* fdloop.sleep(0);
        });
      });
      const held = function* (): Library.CoroutineGenerator<void> {
        yield* fdloop.sleep(0);
      };
      yield* new fdloop.Lock().run(held);
      yield* new fdloop.Semaphore().run(held);
      const barrier = new fdloop.Barrier(1);
      yield* barrier.run(held);
      yield* barrier.abort();
      yield* barrier.reset();
      transport.close();
      server.close();
      server.abortClients();
      return yield* future;
    };
    await expect(loop.runUntilComplete(main)).resolves.toBe('done');
    await expect(outsideOfMicrotasks(() => loop.runUntilCompleteSync(main))).resolves.toBe('done');
    loop.close();
    expect(context.areTasksCarried()).toBe(false);
  });

  test.each([
    ['a task of an async function', (loop: Library.BaseEventLoop) => loop.createTask(async () => undefined)],
    ['a task of a function, which may return a promise', (loop: Library.BaseEventLoop) => loop.createTask(() => 1)],
    ['an await of a pending future', (loop: Library.BaseEventLoop) => void loop.createFuture().then()],
  ])('from the first need on: %s', async (_title, action) => {
    const { fdloop, context } = fresh();
    const loop = fdloop.newEventLoop();
    expect(context.areTasksCarried()).toBe(false);
    action(loop);
    expect(context.areTasksCarried()).toBe(true);
    loop.callSoon(() => loop.stop());
    await loop.runForever();
    loop.close();
  });

  test.each(['timeout', 'group'])(
    'an async body in a generator task that is older than the need finds its task after a foreign promise: %s',
    async (kind) => {
      const { fdloop, context } = fresh();
      const loop = fdloop.newEventLoop();
      const seen: unknown[] = [];
      const body = async (): Promise<void> => {
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(fdloop.currentTask());
        // Waits in the task, which can be cancelled here.
        await fdloop.sleep(1000);
      };
      const task = loop.createTask(function* () {
        expect(context.areTasksCarried()).toBe(false);
        yield* kind === 'timeout' ? fdloop.timeout(100, body) : new fdloop.TaskGroup().run(body);
      });
      const waitAndCancel = (): void => {
        if (seen.length === 0) loop.callLater(0.001, waitAndCancel);
        else task.cancel();
      };
      loop.callSoon(waitAndCancel);
      await expect(loop.runUntilComplete(task)).rejects.toBeInstanceOf(fdloop.CancelledError);
      loop.close();
      expect(seen.map((found) => found === task)).toEqual([true]);
    },
  );
});
