// contexts.test.ts: callbacks run in the asynchronous context in which they were scheduled.

import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

import { currentTask } from '../../lib/futures/current';
import { socketpair } from '../../lib/sockets/socket';
import { forEveryLoop, useLoop } from '../support/loops';

const storage = new AsyncLocalStorage<string>();

forEveryLoop((name, use) => {
  describe(`contexts: ${name}`, () => {
    const subject = use();

    test('LOOP-001, FD-013: every kind of callback sees the context of its scheduling', async () => {
      const { loop } = subject.current;
      const [near, far] = socketpair();
      const seen: [string, string | undefined][] = [];
      const note = (kind: string) => (): void => {
        seen.push([kind, storage.getStore()]);
      };
      far.send(Buffer.from('x'));
      storage.run('soon', () => loop.callSoon(note('callSoon')));
      storage.run('safe', () => loop.callSoonThreadsafe(note('callSoonThreadsafe')));
      storage.run('reader', () => loop.addReader(near, note('addReader')));
      storage.run('timer', () => loop.callAt(loop.time() - 1, note('callAt')));
      loop.callSoon(note('none'));
      await subject.current.runOnce();
      loop.removeReader(near);
      near.close();
      far.close();
      expect(Object.fromEntries(seen)).toEqual({
        callSoon: 'soon',
        callSoonThreadsafe: 'safe',
        addReader: 'reader',
        callAt: 'timer',
        none: undefined,
      });
    });
  });
});

describe('contexts', () => {
  const subject = useLoop('sync');

  test('LOOP-003, LOOP-016: a context of one’s own is given by scheduling inside of it', async () => {
    const { loop } = subject.current;
    const context = storage.run('mine', () => new AsyncResource('test'));
    const seen: (string | undefined)[] = [];
    const handle = context.runInAsyncScope(() => loop.callSoon(() => seen.push(storage.getStore())));
    await subject.current.runOnce();
    expect(seen).toEqual(['mine']);
    expect(handle.getContext()?.runInAsyncScope(() => storage.getStore())).toBe('mine');
  });

  test('what a callback schedules inherits its context; no task is current in it', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const task = loop.createTask(async () => {
      storage.enterWith('of the task');
      loop.callSoon(() => {
        seen.push(storage.getStore(), currentTask(loop));
        loop.callSoon(() => seen.push(storage.getStore()));
      });
    });
    await subject.current.run(task);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(seen).toEqual(['of the task', null, 'of the task']);
  });

  test('LOOP-077: a custom handler runs in the context of the task, future or handle that it is told of', () => {
    const { loop } = subject.current;
    const seen: (string | undefined)[] = [];
    loop.setExceptionHandler(() => {
      seen.push(storage.getStore());
    });
    const inside = (text: string) => storage.run(text, () => loop.callSoon(() => undefined));
    const task = storage.run('task', () => loop.createTask(async () => undefined));
    loop.callExceptionHandler({ message: 'm', task, handle: inside('handle') });
    loop.callExceptionHandler({ message: 'm', handle: inside('handle') });
    loop.callExceptionHandler({ message: 'm' });
    expect(seen).toEqual(['task', 'handle', undefined]);
  });
});
