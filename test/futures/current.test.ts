// current.test.ts: which task and which loop is the current one, and where.

import { CancelledError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import {
  currentTask,
  enterTask,
  getEventLoop,
  getRunningLoop,
  isInsideLoop,
  swapCurrentTask,
} from '../../lib/futures/current';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { createTask } from '../../lib/futures/task';
import type { Handle } from '../../lib/loop/handle';
import { outsideOfMicrotasks, useLoop } from '../support/loops';
import { aw, forEveryKind } from '../support/programs';

forEveryKind('current task', (subject, program) => {
  test('FUT-029: is the one whose step is running, and nobody in a plain callback', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const gate = new Future<void>(loop);
    const body = program(function* () {
      seen.push(currentTask());
      yield* aw(sleep(0));
      seen.push(currentTask(loop));
      gate.addDoneCallback(() => seen.push(currentTask()));
      loop.callSoon(() => seen.push(currentTask()));
      yield* aw(sleep(0));
      gate.setResult(undefined);
      yield* aw(sleep(0));
      yield* aw(sleep(0));
    });
    const task = loop.createTask(body);
    await subject.current.run(task);
    expect(seen).toEqual([task, task, null, null]);
    expect(currentTask(loop)).toBeNull();
    expect(isInsideLoop()).toBe(false);
  });

  test('createTask() makes a task of the loop that is running, and refuses where none is', async () => {
    const { loop } = subject.current;
    const body = program(function* () {
      return currentTask()?.getName();
    });
    const main = program(function* () {
      const task = createTask(body, { name: 'by name' });
      return [task.getLoop() === loop, yield* aw(task)];
    });
    expect(await subject.current.run(main)).toEqual([true, 'by name']);
    expect(() => createTask(body)).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNNING_LOOP' }));
  });

  test('FUT-029: is each task’s own while several take turns', async () => {
    const { loop } = subject.current;
    const body = program(function* () {
      const seen = new Set([currentTask()]);
      for (let round = 0; round < 3; round++) {
        yield* aw(sleep(0));
        seen.add(currentTask());
      }
      return seen;
    });
    const tasks = [loop.createTask(body), loop.createTask(body), loop.createTask(body)];
    for (const task of tasks) expect(await subject.current.run(task)).toEqual(new Set([task]));
  });

  test('FUT-029: a step of another task in the middle of a step is refused', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const other = loop.createTask(
      program(function* () {
        seen.push('other');
      }),
    );
    const step = loop._ready.shift() as Handle;
    const main = program(function* () {
      step._run();
      loop._ready.push(step);
      seen.push('main');
      yield* aw(other);
    });
    await subject.current.run(main);
    expect(seen).toEqual(['main', 'other']);
    const [context] = subject.current.takeContexts();
    expect(context.exception).toMatchObject({ name: 'RuntimeError', code: 'ERR_TASK_RUNNING' });
  });

  test('FUT-029: a second task cannot be entered while one runs', async () => {
    const { loop } = subject.current;
    const other = loop.createTask(() => undefined);
    const task = loop.createTask(() => sleep(0));
    swapCurrentTask(loop, task);
    expect(() => enterTask(loop, other)).toThrow(expect.objectContaining({ name: 'RuntimeError' }));
    enterTask(loop, task);
    expect(swapCurrentTask(loop, null)).toBe(task);
    await subject.current.run(task);
  });
});

describe('outside of a loop', () => {
  const subject = useLoop('hosted');

  test('FUT-029: there is no running loop, and no current task without one', () => {
    for (const ask of [getRunningLoop, currentTask]) {
      expect(() => ask()).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNNING_LOOP' }));
    }
    expect(currentTask(subject.current.loop)).toBeNull();
  });

  test('after a native promise, the loop of the task is the running one', async () => {
    const { loop } = subject.current;
    const main = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return [getRunningLoop(), getEventLoop(), isInsideLoop()];
    };
    expect(await subject.current.run(main)).toEqual([loop, loop, true]);
  });

  test('a run of another loop in the middle of a task is not part of the task', async () => {
    const { loop } = subject.current;
    const other = new SelectorEventLoop();
    const gate = new Future<string>(other);
    const seen: unknown[] = [];
    const task = loop.createTask(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      await outsideOfMicrotasks(() => {
        other.callSoon(() => {
          seen.push(currentTask());
          void gate.then((value) => seen.push(value, currentTask()));
          gate.setResult('of the other loop');
        });
        other.runUntilCompleteSync(sleep(0.001, undefined, other));
      });
      // In a list: what an async function returns is awaited, and a task cannot await itself.
      return [currentTask()];
    });
    expect(await subject.current.run(task)).toEqual([task]);
    other.close();
    expect(seen).toEqual([null, 'of the other loop', null]);
  });

  test('two hosted loops side by side each know their own task', async () => {
    const other = new SelectorEventLoop();
    let release: () => void = () => undefined;
    const shared = new Promise<void>((resolve) => {
      release = resolve;
    });
    const body = async () => {
      await shared;
      const [task, running] = [currentTask(), getRunningLoop()];
      await sleep(0);
      return [task, running, currentTask()];
    };
    const [here, there] = [subject.current.loop.createTask(body), other.createTask(body)];
    there.addDoneCallback(release);
    const runs = [subject.current.run(here), other.runUntilComplete(there)];
    // Settled in a step of one loop, it goes on in both.
    other.callSoon(release);
    expect(await Promise.all(runs)).toEqual([
      [here, subject.current.loop, here],
      [there, other, there],
    ]);
    other.close();
  });

  test('what a finished task left behind is not inside of the loop', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const leftBehind: Promise<void>[] = [];
    await subject.current.run(async () => {
      const branch = async () => {
        await turn();
        await turn();
        seen.push(isInsideLoop(), currentTask(loop));
      };
      leftBehind.push(branch());
      await Promise.resolve();
    });
    await leftBehind[0];
    expect(seen).toEqual([false, null]);
  });

  test('a cancelled task is not the current one of what it left behind', async () => {
    const seen: unknown[] = [];
    const gate = new Future<void>(subject.current.loop);
    const task = subject.current.loop.createTask(async () => {
      void gate.then(() => seen.push(currentTask()));
      throw new CancelledError();
    });
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
    gate.setResult(undefined);
    await subject.current.runOnce();
    expect(seen).toEqual([null]);
  });
});
