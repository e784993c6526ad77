// base-event-loop.test.ts: what is left of the base class: its clock, its abstract parts, nested runs, the current loop.

import { SystemExit } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { newEventLoop, SelectorEventLoop, setEventLoop } from '../../lib/event-loop';
import { asCompleted } from '../../lib/futures/as-completed';
import { getEventLoop, getRunningLoop } from '../../lib/futures/current';
import { ensureFuture } from '../../lib/futures/ensure-future';
import { Future } from '../../lib/futures/future';
import { gather } from '../../lib/futures/gather';
import { BaseEventLoop } from '../../lib/loop/base-event-loop';
import type { SelectorLike } from '../../lib/loop/ready';
import { DefaultSelector } from '../../lib/selectors/selectors';
import { StreamReader } from '../../lib/streams/stream-reader';
import { StreamReaderProtocol } from '../../lib/streams/stream-reader-protocol';
import { useLoop } from '../support/loops';

class Bare extends BaseEventLoop {
  override readonly _selector = null;
}

describe('the base loop', () => {
  const subject = useLoop('sync');

  test('LOOP-100: leaves waking and events to a loop with a selector', () => {
    const loop = new Bare();
    for (const call of [() => loop._writeToSelf(), () => loop._processEvents([])]) {
      expect(call).toThrow(expect.objectContaining({ name: 'NotImplementedError' }));
    }
  });

  test('LOOP-062: takes the best selector, and says which in debug mode', () => {
    const records: string[] = [];
    setLogReceiver((record) => records.push(`${record.level} ${record.message}`));
    process.env.FDLOOP_DEBUG = '1';
    const loop = new SelectorEventLoop();
    delete process.env.FDLOOP_DEBUG;
    setLogReceiver(null);
    expect(loop._selector).toBeInstanceOf(DefaultSelector);
    expect(records).toEqual([`debug Using selector: ${DefaultSelector.name}`]);
    expect([...loop._transports.values()]).toEqual([]);
    loop.close();
  });

  test('LOOP-069: time is monotonic, in seconds, with the resolution of a nanosecond', () => {
    const { loop } = subject.current;
    const [first, second] = [loop.time(), loop.time()];
    expect(second).toBeGreaterThanOrEqual(first);
    const real = performance.now() / 1000;
    expect(Math.abs(real - loop.time())).toBeLessThan(1);
    expect(loop._clockResolution).toBe(1e-9);
  });

  test('LOOP-021: callSoonThreadsafe queues and wakes the selector', async () => {
    const { loop } = subject.current;
    let woken = 0;
    const writeToSelf = loop._writeToSelf.bind(loop);
    loop._writeToSelf = () => {
      woken += 1;
      writeToSelf();
    };
    const seen: string[] = [];
    loop.callSoonThreadsafe(() => seen.push('ran'));
    expect([woken, loop._ready.length]).toEqual([1, 1]);
    await subject.current.runOnce();
    expect(seen).toEqual(['ran']);
  });

  test('LOOP-027, LOOP-026: selects once in each iteration, without waiting while something is ready', async () => {
    const timeouts: (number | null)[] = [];
    class Counting extends DefaultSelector {
      override select(timeout: number | null = null) {
        timeouts.push(timeout);
        return super.select(timeout);
      }
    }
    const loop = new SelectorEventLoop({ selector: new Counting() });
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        let left = 3;
        const again = (): void => {
          left -= 1;
          if (left === 0) loop.stop();
          else loop.callSoon(again);
        };
        loop.callSoon(again);
        loop.runForeverSync();
        resolve();
      });
    });
    loop.close();
    expect(timeouts).toEqual([0, 0, 0]);
  });

  test('LOOP-044: a nested run that is refused leaves the outer one as it is', async () => {
    const { loop } = subject.current;
    const inside = await subject.current.run(async () => {
      expect(() => loop.runForeverSync()).toThrow(expect.objectContaining({ code: 'ERR_LOOP_RUNNING' }));
      return [loop.isRunning(), getRunningLoop() === loop];
    });
    expect(inside).toEqual([true, true]);
  });

  test('LOOP-051: when the run ends with an exception, that of its task counts as seen', async () => {
    const { loop } = subject.current;
    await expect(
      subject.current.run(async () => {
        throw new SystemExit(1);
      }),
    ).rejects.toBeInstanceOf(SystemExit);
    expect(loop._tasks.size).toBe(0);
  });

  test('LOOP-094: the running loop is known inside of a run, and nowhere else', async () => {
    const { loop } = subject.current;
    expect(() => getRunningLoop()).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNNING_LOOP' }));
    expect(await subject.current.run(async () => getRunningLoop())).toBe(loop);
  });

  test('LOOP-095: the event loop is the running one, or the one that was set', async () => {
    const { loop } = subject.current;
    const other = newEventLoop();
    expect(() => getEventLoop()).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
    setEventLoop(other);
    expect(getEventLoop()).toBe(other);
    expect(await subject.current.run(async () => getEventLoop())).toBe(loop);
    setEventLoop(null);
    expect(() => getEventLoop()).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
    expect(() => setEventLoop({} as never)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    other.close();
  });

  test('LOOP-095: what is made without a loop belongs to the one that was set', async () => {
    const { loop } = subject.current;
    setEventLoop(loop);
    try {
      const futures = [new Future(), ensureFuture(async () => 1), ensureFuture(Promise.resolve(1)), gather([])];
      expect(futures.map((future) => future.getLoop())).toEqual(futures.map(() => loop));
      expect(() => new StreamReaderProtocol(new StreamReader())).not.toThrow();
      const [first] = asCompleted([futures[1]]);
      expect(await loop.runUntilComplete(first)).toBe(1);
    } finally {
      setEventLoop(null);
    }
    expect(() => new StreamReader()).toThrow(expect.objectContaining({ code: 'ERR_NO_EVENT_LOOP' }));
  });

  test('what is no selector is refused', () => {
    for (const selector of [5, 'epoll', {}]) {
      expect(() => newEventLoop({ selector: selector as never })).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
      );
    }
  });

  test('a selector of somebody else’s that lists what is ready will do', async () => {
    const inner = new DefaultSelector();
    const selector: SelectorLike = {
      register: (...args) => inner.register(...args),
      unregister: (fileobj) => inner.unregister(fileobj),
      modify: (...args) => inner.modify(...args),
      select: (timeout) => inner.select(timeout),
      getMap: () => inner.getMap(),
      close: () => inner.close(),
    };
    const loop = new SelectorEventLoop({ selector });
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        loop.callSoonThreadsafe(() => loop.stop());
        loop.runForeverSync();
        resolve();
      });
    });
    expect(() => loop.runForever()).toThrow(expect.objectContaining({ code: 'ERR_SELECTOR_NOT_HOSTABLE' }));
    expect(loop.isRunning()).toBe(false);
    loop.close();
  });
});
