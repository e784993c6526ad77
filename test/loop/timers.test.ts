// timers.test.ts: the heap of timers, in virtual time, so that every deadline is exact.

import { VirtualClock } from '../../lib/loop/driver';
import { SelectorEventLoop } from '../../lib/event-loop';
import type { TimerHandle } from '../../lib/loop/handle';
import { outsideOfMicrotasks, useLoop } from '../support/loops';

describe('timers', () => {
  const subject = useLoop('virtual');
  const nothing = (): void => undefined;

  const makeTimers = (count: number, cancelled: number): TimerHandle[] => {
    const timers = Array.from({ length: count }, (_, index) => subject.current.loop.callLater(100 + index, nothing));
    // From the far end, so that none is at the head of the heap.
    for (let index = 0; index < cancelled; index++) timers[count - 1 - index].cancel();
    return timers;
  };

  test('LOOP-017: a delay must be a number, but not NaN; negative and infinite ones are taken', async () => {
    const { loop } = subject.current;
    expect(() => loop.callLater(null as unknown as number, nothing)).toThrow(TypeError);
    expect(() => loop.callLater('1' as unknown as number, nothing)).toThrow(TypeError);
    const seen: string[] = [];
    loop.callLater(-5, () => seen.push('negative'));
    expect(loop.callLater(Infinity, nothing).when()).toBe(Infinity);
    const refusal = expect.objectContaining({ name: 'ValueError', code: 'ERR_INVALID_ARG_VALUE' });
    expect(() => loop.callLater(NaN, nothing)).toThrow(refusal);
    expect(() => loop.callAt(NaN, nothing)).toThrow(refusal);
    await subject.current.runOnce();
    expect(seen).toEqual(['negative']);
  });

  test('LOOP-018: a deadline in the past runs in the next timer phase; null is refused', async () => {
    const { loop } = subject.current;
    expect(() => loop.callAt(undefined as unknown as number, nothing)).toThrow(TypeError);
    const seen: string[] = [];
    loop.callAt(loop.time() - 100, () => seen.push('past'));
    await subject.current.runOnce();
    expect(seen).toEqual(['past']);
  });

  test.each([
    [3, [0, 1, 2]],
    [4, [0, 2, 1, 3]],
    [5, [0, 2, 4, 1, 3]],
    [6, [0, 2, 5, 4, 1, 3]],
    [8, [0, 2, 6, 5, 7, 4, 1, 3]],
    [10, [0, 2, 6, 9, 8, 5, 7, 4, 1, 3]],
  ])('LOOP-020: %i equal deadlines come out in the order of the heap', async (count, order) => {
    const { loop } = subject.current;
    const seen: number[] = [];
    const when = loop.time() - 1;
    for (let index = 0; index < count; index++) loop.callAt(when, () => seen.push(index));
    await subject.current.runOnce();
    expect(seen).toEqual(order);
  });

  test('LOOP-019: a timer is marked while it is in the heap', async () => {
    const { loop } = subject.current;
    const timer = loop.callLater(-1, nothing);
    expect(timer._scheduled).toBe(true);
    await subject.current.runOnce();
    expect(timer._scheduled).toBe(false);
  });

  test.each([
    [101, 51, 50, 0],
    [101, 50, 101, 50],
    [200, 100, 200, 100],
    [100, 99, 100, 99],
  ])(
    'LOOP-024, LOOP-025: of %i timers, %i cancelled ones leave %i in the heap',
    async (count, cancelled, left, counted) => {
      const { loop } = subject.current;
      makeTimers(count, cancelled);
      await subject.current.runOnce();
      expect([loop._scheduled.length, loop._scheduled.cancelledCount]).toEqual([left, counted]);
    },
  );

  test('LOOP-024: cancelled timers at the head of the heap are dropped', async () => {
    const { loop } = subject.current;
    const [first, second] = makeTimers(3, 0);
    first.cancel();
    second.cancel();
    await subject.current.runOnce();
    expect([loop._scheduled.length, loop._scheduled.cancelledCount]).toEqual([1, 0]);
  });

  test('LOOP-028, LOOP-029: a deadline of now plus the resolution waits, half of it runs', async () => {
    const clock = new VirtualClock(0, 0.5);
    const loop = new SelectorEventLoop({ clock });
    const seen: string[] = [];
    loop.callAt(0.5, () => seen.push('at the resolution'));
    loop.callAt(0.25, () => seen.push('at half of it'));
    await outsideOfMicrotasks(() => {
      loop.stop();
      loop.runForeverSync();
    });
    loop.close();
    expect(seen).toEqual(['at half of it']);
  });

  test('LOOP-030: a timer cancelled after it was queued still takes its slot, and the counter keeps its drift', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    const late = loop.callAt(loop.time() + 1, () => seen.push('late'));
    loop.callAt(loop.time() + 0.5, nothing);
    late.cancel();
    expect(loop._scheduled.cancelledCount).toBe(1);
    loop.callAt(loop.time() + 1, () => loop.stop());
    await subject.current.runForever();
    expect([seen, loop._scheduled.length]).toEqual([[], 0]);
  });

  test('LOOP-026: the timeout is 0 with work, the time to the first timer, at most a day, or none', () => {
    const { loop } = subject.current;
    expect(loop._nextTimeout()).toBeNull();
    loop.callLater(1e9, nothing);
    expect(loop._nextTimeout()).toBe(86400);
    loop.callLater(2, nothing);
    expect(loop._nextTimeout()).toBeCloseTo(2, 9);
    loop.callAt(loop.time() - 1, nothing);
    expect(loop._nextTimeout()).toBe(0);
    const handle = loop.callSoon(nothing);
    expect(loop._nextTimeout()).toBe(0);
    handle.cancel();
    // A cancelled handle is still queued: the loop does not look inside.
    expect(loop._nextTimeout()).toBe(0);
  });
});
