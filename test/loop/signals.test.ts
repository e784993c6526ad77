// signals.test.ts: callbacks for signals, in this process: signals that do nothing by default. What a signal does to a
// whole process is in test/process/signals.test.ts.

import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:os';

import { EVENT_READ } from '../../lib/base/constants';
import { NotImplementedError, RuntimeError, ValueError } from '../../lib/base/errors';
import type { SignalNumber } from '../../lib/base/signal-number';
import { SelectorEventLoop } from '../../lib/event-loop';
import { Coroutine } from '../../lib/futures/coroutine';
import { binding } from '../../lib/native/binding';
import { PollSelector } from '../../lib/selectors/selectors';
import { forEveryLoop, useLoop } from '../support/loops';
import { countIterations } from '../support/programs';
import { describeOnPosix, isWindows } from '../support/systems';

const { SIGKILL, SIGSTOP, SIGTERM, SIGURG, SIGWINCH } = constants.signals;

/** Sends a signal to this process, and waits until the self-pipe has it. */
function deliver(loop: SelectorEventLoop, ...signals: number[]): void {
  const selector = new PollSelector();
  selector.register(loop._ssock?.fileno() as number, EVENT_READ);
  for (const signal of signals) process.kill(process.pid, signal);
  expect(selector.select(10)).toHaveLength(1);
  selector.close();
}

const nothing = (): void => undefined;

function thrownBy(action: () => unknown): { name: string; code?: string | undefined; message: string } {
  try {
    action();
  } catch (error) {
    return error as Error & { code?: string };
  }
  throw new Error('nothing was thrown');
}

describeOnPosix('what is refused', () => {
  const subject = useLoop('sync');
  const add = (signal: unknown, callback: unknown = nothing): unknown =>
    thrownBy(() => subject.current.loop.addSignalHandler(signal as SignalNumber, callback as () => void));
  const remove = (signal: unknown): unknown =>
    thrownBy(() => subject.current.loop.removeSignalHandler(signal as SignalNumber));

  test('UNIX-001: a coroutine is refused before the signal is looked at, and the signal before the loop', () => {
    const { loop } = subject.current;
    const typeError = expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }) as unknown;
    const coroutine = new Coroutine((function* () {})(), loop);
    loop.close();
    for (const bad of [async () => {}, function* () {}, async function* () {}, coroutine, Promise.resolve(), null, 5]) {
      expect(add(0, bad)).toEqual(typeError);
    }
    coroutine.close();
    expect(add(0)).toBeInstanceOf(ValueError);
    expect(add(SIGURG)).toEqual(expect.objectContaining({ name: 'RuntimeError', code: 'ERR_LOOP_CLOSED' }));
    expect(process.listenerCount('SIGURG')).toBe(0);
  });

  test('UNIX-002: a signal is an integer or a name, and one that there is', () => {
    for (const verb of [add, remove]) {
      for (const bad of [1.5, NaN, 15n, null, undefined, {}, true]) {
        expect(verb(bad)).toEqual(expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }));
      }
      for (const bad of [0, -1, -15, 1000, 256 + SIGURG, 2 ** 32 + SIGURG, 1e300, 'SIGFOO', 'sigurg', '', 'toString']) {
        expect(verb(bad)).toEqual(expect.objectContaining({ name: 'ValueError', code: 'ERR_UNKNOWN_SIGNAL' }));
      }
    }
    expect(subject.current.loop.removeSignalHandler('SIGURG')).toBe(false);
  });

  test('UNIX-004: what cannot be caught is a RuntimeError, and leaves nothing behind', () => {
    const { loop } = subject.current;
    for (const signal of [SIGKILL, SIGSTOP, 'SIGKILL']) {
      expect(add(signal)).toEqual(expect.objectContaining({ name: 'RuntimeError', code: 'ERR_SIGNAL_UNCATCHABLE' }));
      expect(add(signal)).toEqual(expect.objectContaining({ message: expect.stringMatching(/cannot be caught/) }));
    }
    expect(loop.removeSignalHandler(SIGKILL)).toBe(false);
    expect(process.listenerCount('SIGKILL')).toBe(0);
    expect(binding.releaseSignal(SIGKILL, loop._wakeFd())).toBe(-binding.errnoByName.ENOENT);
  });
});

(isWindows ? test : test.skip)('on Windows both verbs say at once that there are no signals', () => {
  const loop = new SelectorEventLoop();
  expect(thrownBy(() => loop.addSignalHandler('SIGINT', nothing))).toBeInstanceOf(NotImplementedError);
  expect(thrownBy(() => loop.removeSignalHandler('SIGINT'))).toBeInstanceOf(NotImplementedError);
  loop.close();
});

describeOnPosix('a signal', () => {
  forEveryLoop((name, use) => {
    describe(name, () => {
      const subject = use();

      test('UNIX-005: comes as a byte of its number, and its callback is called in the loop, with the arguments', async () => {
        const { loop } = subject.current;
        const heard: unknown[] = [];
        const bytes: number[] = [];
        const process = loop._processSelfData.bind(loop);
        loop._processSelfData = (data) => {
          bytes.push(...data);
          process(data);
        };
        loop.addSignalHandler(SIGURG, (...args) => heard.push(args), 1, 'two');
        deliver(loop, SIGURG);
        expect([heard, bytes]).toEqual([[], []]);
        loop.addSignalHandler('SIGWINCH', () => loop.stop());
        deliver(loop, SIGWINCH);
        await subject.current.runForever();
        expect(heard).toEqual([[1, 'two']]);
        expect(bytes).toEqual([SIGURG, SIGWINCH]);
      });

      test('UNIX-011: its callback runs in the iteration after the one that read the self-pipe', async () => {
        const { loop } = subject.current;
        const iterations = countIterations(loop);
        const order: [what: string, iteration: number][] = [];
        const note = (what: string): unknown => order.push([what, iterations.count - read]);
        let read = NaN;
        const process = loop._processSelfData.bind(loop);
        loop._processSelfData = (data) => {
          read = iterations.count;
          note('read');
          process(data);
          loop.callSoon(note, 'queued by the reader');
        };
        loop.addSignalHandler(SIGURG, () => {
          note('callback');
          loop.callSoon(() => loop.stop());
        });
        deliver(loop, SIGURG);
        await subject.current.runForever();
        expect(order).toEqual([
          ['read', 0],
          ['callback', 1],
          ['queued by the reader', 1],
        ]);
      });
    });
  });

  const subject = useLoop('sync');

  test('UNIX-006: a zero byte is a plain wake-up, and no signal', async () => {
    const { loop } = subject.current;
    let heard = 0;
    loop.addSignalHandler(SIGURG, () => (heard += 1));
    loop._csock?.send(Buffer.from([0, 0, SIGURG, 0]));
    loop.callSoonThreadsafe(nothing);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toBe(1);
  });

  test('UNIX-008: a second callback replaces the first, which is called if it was queued before', async () => {
    const { loop } = subject.current;
    const heard: string[] = [];
    loop.addSignalHandler(SIGURG, () => heard.push('first'));
    deliver(loop, SIGURG);
    await subject.current.runOnce();
    loop.addSignalHandler('SIGURG', () => heard.push('second'));
    expect(heard).toEqual([]);
    deliver(loop, SIGURG);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toEqual(['first', 'second']);
  });

  test('UNIX-009: two signals are two calls, of one handle', async () => {
    const { loop } = subject.current;
    const heard: string[] = [];
    loop.addSignalHandler(SIGURG, () => heard.push('urg'));
    loop.addSignalHandler(SIGWINCH, () => heard.push('winch'));
    deliver(loop, SIGURG, SIGWINCH, SIGURG);
    await subject.current.runOnce();
    const [first, , third] = loop._ready;
    expect(first).toBe(third);
    await subject.current.runOnce();
    expect(heard).toEqual(['urg', 'winch', 'urg']);
  });

  test('UNIX-010: a byte of a signal without a callback is ignored', async () => {
    const { loop } = subject.current;
    const heard: string[] = [];
    loop.addSignalHandler(SIGURG, () => heard.push('urg'));
    loop._csock?.send(Buffer.from([SIGWINCH, SIGURG, 200]));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toEqual(['urg']);
  });

  test('UNIX-010: a handle that was cancelled is removed when its signal comes', async () => {
    const { loop } = subject.current;
    loop.addSignalHandler(SIGURG, nothing);
    deliver(loop, SIGURG);
    await subject.current.runOnce();
    loop._ready.shift()?.cancel();
    expect(process.listenerCount('SIGURG')).toBe(1);
    deliver(loop, SIGURG);
    await subject.current.runOnce();
    expect(process.listenerCount('SIGURG')).toBe(0);
    expect(loop.removeSignalHandler(SIGURG)).toBe(false);
  });

  test('UNIX-012: removing tells whether there was a callback; one that is queued is still called', async () => {
    const { loop } = subject.current;
    let heard = 0;
    loop.addSignalHandler(SIGURG, () => (heard += 1));
    deliver(loop, SIGURG);
    await subject.current.runOnce();
    expect([loop.removeSignalHandler('SIGURG'), loop.removeSignalHandler('SIGURG')]).toEqual([true, false]);
    await subject.current.runOnce();
    expect(heard).toBe(1);
  });

  test('UNIX-013: without a callback nothing is written to the self-pipe', () => {
    const { loop } = subject.current;
    loop.addSignalHandler(SIGURG, nothing);
    loop.addSignalHandler(SIGWINCH, nothing);
    loop.removeSignalHandler(SIGURG);
    process.kill(process.pid, SIGURG);
    deliver(loop, SIGWINCH);
    expect(loop._ssock?.recv(10)).toEqual(Buffer.from([SIGWINCH]));
    loop.removeSignalHandler(SIGWINCH);
    process.kill(process.pid, SIGWINCH);
    expect(() => loop._ssock?.recv(10)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
    expect(binding.unwatchSignal(SIGWINCH, loop._wakeFd())).toBe(-binding.errnoByName.ENOENT);
  });

  test('UNIX-014: closing the loop removes all callbacks', () => {
    const { loop } = subject.current;
    loop.addSignalHandler(SIGURG, nothing);
    loop.addSignalHandler('SIGWINCH', nothing);
    const fd = loop._wakeFd();
    const counts = (): number[] => ['SIGURG', 'SIGWINCH'].map((name) => process.listenerCount(name));
    expect(counts()).toEqual([1, 1]);
    loop.close();
    expect(counts()).toEqual([0, 0]);
    expect(loop.removeSignalHandler(SIGURG)).toBe(false);
    for (const signal of [SIGURG, SIGWINCH]) {
      expect(binding.unwatchSignal(signal, fd)).toBe(-binding.errnoByName.ENOENT);
    }
  });

  test('UNIX-014: a loop that runs cannot be closed, and keeps its callbacks', async () => {
    const { loop } = subject.current;
    let heard = 0;
    loop.addSignalHandler(SIGURG, () => {
      heard += 1;
      loop.stop();
    });
    loop.callSoon(() => {
      expect(thrownBy(() => loop.close())).toBeInstanceOf(RuntimeError);
      process.kill(process.pid, SIGURG);
    });
    await subject.current.runForever();
    expect(heard).toBe(1);
  });

  test('one that finds the self-pipe full is called all the same', async () => {
    const { loop } = subject.current;
    let heard = 0;
    loop.addSignalHandler(SIGURG, () => (heard += 1));
    for (let isFull = false; !isFull;) {
      try {
        loop._csock?.send(Buffer.alloc(1 << 16));
      } catch {
        isFull = true;
      }
    }
    deliver(loop, SIGURG, SIGURG);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toBe(2);
  });

  test('what a callback throws goes to the exception handler, and the signal is heard again', async () => {
    const { loop } = subject.current;
    let heard = 0;
    loop.addSignalHandler(SIGURG, () => {
      heard += 1;
      throw new Error('expected');
    });
    deliver(loop, SIGURG, SIGURG);
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(heard).toBe(2);
    expect(subject.current.takeContexts().map(({ exception }) => (exception as Error).message)).toEqual([
      'expected',
      'expected',
    ]);
  });

  test('a callback may remove itself, and close the loop after the run', async () => {
    const { loop } = subject.current;
    const answers: boolean[] = [];
    loop.addSignalHandler(SIGURG, () => {
      answers.push(loop.removeSignalHandler(SIGURG));
      loop.stop();
    });
    deliver(loop, SIGURG, SIGURG);
    await subject.current.runForever();
    expect(answers).toEqual([true, false]);
    loop.close();
  });

  test('a callback has the asynchronous context in which it was added', async () => {
    const { loop } = subject.current;
    const storage = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    storage.run('where it was added', () => loop.addSignalHandler(SIGURG, () => (seen = storage.getStore())));
    deliver(loop, SIGURG);
    await storage.run('where it runs', () => subject.current.runOnce());
    await subject.current.runOnce();
    expect(seen).toBe('where it was added');
  });

  test('SIGTERM by its number and by its name is one signal', () => {
    const { loop } = subject.current;
    loop.addSignalHandler(SIGTERM, nothing);
    loop.addSignalHandler('SIGTERM', nothing);
    expect(process.listenerCount('SIGTERM')).toBe(1);
    expect([loop.removeSignalHandler('SIGTERM'), loop.removeSignalHandler(SIGTERM)]).toEqual([true, false]);
  });
});
