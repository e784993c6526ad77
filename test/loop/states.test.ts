// states.test.ts: running, stopped and closed loops, the exception handler, the self-pipe, debug mode.

import { inspect } from 'node:util';

import { KeyboardInterrupt } from '../../lib/base/errors';
import { setLogReceiver, type LogRecord } from '../../lib/base/log';
import { SelectorEventLoop } from '../../lib/event-loop';
import { Future } from '../../lib/futures/future';
import { Task } from '../../lib/futures/task';
import { binding } from '../../lib/native/binding';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { DefaultSelector } from '../../lib/selectors/selectors';
import { openDescriptors } from '../support/descriptors';
import { outsideOfMicrotasks, useLoop } from '../support/loops';

const nothing = (): void => undefined;

function collectLog(): LogRecord[] {
  const records: LogRecord[] = [];
  setLogReceiver((record) => records.push(record));
  return records;
}

afterEach(() => {
  setLogReceiver(null);
});

describe('a closed loop', () => {
  const subject = useLoop('virtual');

  test('LOOP-012: refuses everything that schedules or runs', () => {
    const { loop } = subject.current;
    loop.close();
    const refused = [
      () => loop.callSoon(nothing),
      () => loop.callLater(1, nothing),
      () => loop.callAt(1, nothing),
      () => loop.callSoonThreadsafe(nothing),
      () => loop.createTask(async () => undefined),
      () => loop.runForever(),
      () => loop.runForeverSync(),
      () => loop.runUntilComplete(async () => undefined),
      () => loop.runUntilCompleteSync(async () => undefined),
      () => loop.addReader(0, nothing),
      () => loop.addWriter(0, nothing),
    ];
    for (const action of refused) {
      expect(action).toThrow(expect.objectContaining({ name: 'RuntimeError', code: 'ERR_LOOP_CLOSED' }));
    }
  });

  test('LOOP-059, LOOP-041: still makes futures, stops, tells the time and its state; readers are just not there', () => {
    const { loop } = subject.current;
    loop.close();
    expect(loop.createFuture()).toBeInstanceOf(Future);
    loop.stop();
    loop.close();
    expect(loop.time()).toBe(1000);
    expect(loop.isRunning()).toBe(false);
    expect(loop.removeReader(0)).toBe(false);
    expect(loop.removeWriter(0)).toBe(false);
    loop.callExceptionHandler({ message: 'still heard' });
    expect(subject.current.takeContexts()).toEqual([{ message: 'still heard' }]);
    expect(inspect(loop)).toContain('closed=true');
  });

  test('LOOP-060: completing a future with callbacks throws, after its state changed', () => {
    const { loop } = subject.current;
    const future = new Future<number>(loop);
    future.addDoneCallback(nothing);
    loop.close();
    expect(() => future.setResult(1)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
    expect(future.result()).toBe(1);
  });

  test('LOOP-056, LOOP-058: close forgets the self-pipe, what is queued and the selector; handles stay uncancelled', () => {
    const { loop } = subject.current;
    const handle = loop.callSoon(nothing);
    const timer = loop.callLater(1, nothing);
    const selector = loop._selector as NativeSelectorBase;
    expect(loop._internalFds).toBe(1);
    loop.close();
    expect([loop._internalFds, loop._ready.length, loop._scheduled.length]).toEqual([0, 0, 0]);
    expect([handle.cancelled(), timer.cancelled()]).toEqual([false, false]);
    expect([loop._ssock, loop._csock, loop._selector, selector.getMap()]).toEqual([null, null, null, null]);
  });

  test('LOOP-057: close copes with a selector that is gone already', () => {
    const loop = new SelectorEventLoop();
    const selector = loop._selector as NativeSelectorBase;
    loop._closeSelfPipe();
    loop._selector = null;
    loop.close();
    selector.close();
    expect(loop.isClosed()).toBe(true);
  });

  test.each(['socketpair', 'addTo'] as const)('a loop that cannot be made leaves nothing open (%s)', (call) => {
    const before = openDescriptors();
    const refused = jest.spyOn(binding, call).mockReturnValueOnce(-binding.errnoByName.EMFILE);
    expect(() => new SelectorEventLoop()).toThrow(expect.objectContaining({ code: 'EMFILE' }));
    refused.mockRestore();
    expect(openDescriptors()).toEqual(before);
  });

  test('LOOP-046: a refused run does not look at its argument', () => {
    const { loop } = subject.current;
    let started = false;
    loop.close();
    expect(() =>
      loop.runUntilCompleteSync(async () => {
        started = true;
      }),
    ).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
    expect(started).toBe(false);
  });
});

describe('runs', () => {
  const subject = useLoop('sync');

  test('LOOP-040: the stop flag is cleared however the run ends', async () => {
    const { loop } = subject.current;
    loop.callSoon(() => {
      loop.stop();
      throw new KeyboardInterrupt();
    });
    await expect(subject.current.runForever()).rejects.toBeInstanceOf(KeyboardInterrupt);
    expect(loop._stopping).toBe(false);
  });

  test('LOOP-047: what cannot be awaited is a TypeError, a future of another loop a ValueError', async () => {
    const { loop } = subject.current;
    const other = new SelectorEventLoop();
    await expect(subject.current.run(5 as never)).rejects.toMatchObject({ name: 'TypeError' });
    await expect(subject.current.run(new Future(other))).rejects.toMatchObject({
      name: 'ValueError',
      code: 'ERR_DIFFERENT_LOOP',
    });
    other.close();
    expect(loop.isRunning()).toBe(false);
  });

  test('LOOP-050, LOOP-052: after the fatal pair the future keeps no callback of the run', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(function* () {
      throw new KeyboardInterrupt();
    });
    await expect(subject.current.run(task)).rejects.toBeInstanceOf(KeyboardInterrupt);
    expect(loop._stopping).toBe(false);
    expect(task.exception()).toBeInstanceOf(KeyboardInterrupt);
    await subject.current.runOnce();
  });

  test('a synchronous run in a promise job refuses an async function, says what to do, and does not hang', async () => {
    const { loop } = subject.current;
    await Promise.resolve();
    expect(() => loop.runUntilCompleteSync(async () => 1)).toThrow(
      expect.objectContaining({ code: 'ERR_SYNC_RUN_IN_MICROTASK', message: expect.stringContaining('hosted') }),
    );
    expect(() => loop.runUntilCompleteSync(() => Promise.resolve(1))).toThrow(
      expect.objectContaining({ code: 'ERR_SYNC_RUN_IN_MICROTASK' }),
    );
    expect(loop.isRunning()).toBe(false);
  });

  test('a synchronous run in a promise job takes a generator', async () => {
    const { loop } = subject.current;
    await Promise.resolve();
    const result = loop.runUntilCompleteSync(function* () {
      yield;
      return 'done';
    });
    expect(result).toBe('done');
  });

  test('an error of the selector ends the run', async () => {
    class Failing extends DefaultSelector {
      override select(): never {
        throw new Error('select failed');
      }
    }
    const loop = new SelectorEventLoop({ selector: new Failing() });
    await expect(outsideOfMicrotasks(() => loop.runForeverSync())).rejects.toThrow('select failed');
    await expect(loop.runForever()).rejects.toThrow('select failed');
    expect(loop.isRunning()).toBe(false);
    loop.close();
  });

  test('LOOP-098: inspect shows the class and the three states', () => {
    expect(inspect(subject.current.loop)).toBe('<SelectorEventLoop running=false closed=false debug=false>');
  });
});

describe('the exception handler', () => {
  const subject = useLoop('virtual');

  test('LOOP-071: is a function or null', () => {
    const { loop } = subject.current;
    const handler = jest.fn();
    loop.setExceptionHandler(handler);
    expect(loop.getExceptionHandler()).toBe(handler);
    loop.setExceptionHandler(null);
    expect(loop.getExceptionHandler()).toBeNull();
    expect(() => loop.setExceptionHandler('x' as never)).toThrow(TypeError);
  });

  test('LOOP-072: the default one logs the message, then the other keys in order, and the exception', () => {
    const { loop } = subject.current;
    const records = collectLog();
    const error = new Error('cause');
    loop.setExceptionHandler(null);
    loop.callExceptionHandler({ message: 'went wrong', zebra: 1, exception: error, apple: 'two' });
    expect(records).toEqual([{ level: 'error', message: 'went wrong\napple: two\nzebra: 1', error }]);
    loop.callExceptionHandler({ message: '' });
    expect(records[1].message).toBe('Unhandled exception in event loop');
  });

  test('LOOP-075: one that throws is replaced by the default one, which is told of both', () => {
    const { loop } = subject.current;
    const records = collectLog();
    const error = new Error('in the handler');
    loop.setExceptionHandler(() => {
      throw error;
    });
    loop.callExceptionHandler({ message: 'original' });
    expect(records).toHaveLength(1);
    expect(records[0].error).toBe(error);
    expect(records[0].message).toContain('original');
  });

  test('LOOP-074: a default one that throws is logged and swallowed', () => {
    const { loop } = subject.current;
    const records = collectLog();
    loop.setExceptionHandler(null);
    loop.defaultExceptionHandler = () => {
      throw new Error('broken');
    };
    loop.callExceptionHandler({ message: 'original' });
    expect(records.map((record) => record.message)).toEqual(['Exception in default exception handler']);
  });

  test('LOOP-076: the fatal pair goes through', async () => {
    const { loop } = subject.current;
    loop.setExceptionHandler(() => {
      throw new KeyboardInterrupt();
    });
    loop.callSoon(() => {
      throw new Error('any');
    });
    await expect(subject.current.runForever()).rejects.toBeInstanceOf(KeyboardInterrupt);
  });

  test('LOOP-070, LOOP-036, LOOP-073: in debug mode the default one shows where the running handle was made', async () => {
    const { loop } = subject.current;
    const records = collectLog();
    loop.setDebug(true);
    loop.setExceptionHandler(null);
    loop.callSoon(() => loop.callExceptionHandler({ message: 'inside' }));
    await subject.current.runOnce();
    expect(records[0].message).toContain('handleTraceback:');
    expect(records[0].message).toContain('states.test');
  });
});

describe('debug mode', () => {
  const subject = useLoop('virtual');

  test('LOOP-035: a callback that takes long is logged with its time', async () => {
    const { loop } = subject.current;
    const records = collectLog();
    loop.setDebug(true);
    loop.slowCallbackDuration = 0;
    loop.callSoon(function slow() {});
    await subject.current.runOnce();
    expect(records).toEqual([
      { level: 'warning', message: expect.stringMatching(/slow.* took 0\.000 seconds/), error: undefined },
    ]);
  });

  test('LOOP-035: a task step is named by its task', async () => {
    const { loop } = subject.current;
    const records = collectLog();
    loop.setDebug(true);
    loop.slowCallbackDuration = 0;
    loop.createTask(async () => undefined, { name: 'errand' });
    await subject.current.runOnce();
    expect(records[0].message).toContain('errand');
  });

  test('LOOP-067: is taken from the environment', () => {
    process.env.FDLOOP_DEBUG = '1';
    const records = collectLog();
    const loop = new SelectorEventLoop();
    delete process.env.FDLOOP_DEBUG;
    expect(loop.getDebug()).toBe(true);
    expect(records.map((record) => record.message)).toEqual([`Using selector: ${DefaultSelector.name}`]);
    loop.close();
  });
});

describe('the self-pipe', () => {
  const subject = useLoop('sync');

  test('LOOP-063: is watched by the loop, and counts as one internal descriptor', () => {
    const { loop } = subject.current;
    expect(loop._internalFds).toBe(1);
    expect(loop._selector?.getMap()?.has(loop._ssock?.fileno() ?? -1)).toBe(true);
    expect(loop._ssock?.gettimeout()).toBe(0);
  });

  test('LOOP-064, LOOP-065: is read until it is empty, and each chunk is offered', async () => {
    const { loop } = subject.current;
    const sizes: number[] = [];
    loop._processSelfData = (data) => {
      sizes.push(data.length);
    };
    loop._csock?.send(Buffer.alloc(5000));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(sizes).toEqual([4096, 904]);
  });

  test('LOOP-066: a full pipe, or one that is gone, is no error', () => {
    const { loop } = subject.current;
    for (let full = false; !full;) {
      try {
        loop._csock?.send(Buffer.alloc(65536));
      } catch {
        full = true;
      }
    }
    expect(() => loop._writeToSelf()).not.toThrow();
    loop.close();
    expect(() => loop._writeToSelf()).not.toThrow();
  });
});

describe('task factory', () => {
  const subject = useLoop('virtual');

  test('LOOP-089, LOOP-091: makes the tasks; it is a function or null', () => {
    const { loop } = subject.current;
    expect(() => loop.setTaskFactory(1 as never)).toThrow(TypeError);
    const made = new Future<unknown>(loop);
    loop.setTaskFactory((() => made) as never);
    expect(loop.createTask(async () => undefined)).toBe(made);
    loop.setTaskFactory(null);
    expect(loop.getTaskFactory()).toBeNull();
  });

  test('LOOP-089: a task that a factory made gets the name that was asked for', () => {
    const { loop } = subject.current;
    loop.setTaskFactory((ofLoop, coroutine) => new Task(coroutine, ofLoop));
    expect(loop.createTask(async () => undefined, { name: 'given' }).getName()).toBe('given');
    expect(loop.createTask(async () => undefined).getName()).toMatch(/^Task-\d+$/);
  });
});
