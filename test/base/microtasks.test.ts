// microtasks.test.ts: promise jobs in the middle of a turn, the clock, and the running loop of a thread.

import { monotonicClock } from '../../lib/base/clock';
import { canDrainMicrotasks, drainMicrotasks } from '../../lib/base/microtasks';
import { _getRunningLoop, _setRunningLoop } from '../../lib/base/running-loop';

/** Runs outside of promise jobs. */
function inTurn<T>(action: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    });
  });
}

test('every promise job and tick runs before drainMicrotasks returns, those of the last one too', async () => {
  const seen = await inTurn(() => {
    const order: string[] = [];
    void (async () => {
      await Promise.resolve();
      order.push('job');
      process.nextTick(() => order.push('late tick'));
      await Promise.resolve();
      order.push('next job');
    })();
    process.nextTick(() => order.push('tick'));
    drainMicrotasks();
    return [...order];
  });
  expect([...seen].sort()).toEqual(['job', 'late tick', 'next job', 'tick']);
  expect(seen.indexOf('job')).toBeLessThan(seen.indexOf('next job'));
});

test('inside a promise job nothing can be drained, and that can be found out', async () => {
  expect(await inTurn(canDrainMicrotasks)).toBe(true);
  await Promise.resolve();
  expect(canDrainMicrotasks()).toBe(false);
});

test('the clock counts seconds and never goes back', () => {
  const start = monotonicClock.now();
  const host = performance.now();
  let last = start;
  while (performance.now() - host < 2) {
    const now = monotonicClock.now();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
  expect(monotonicClock.now() - start).toBeGreaterThanOrEqual(0.002);
  expect(monotonicClock.resolution).toBeGreaterThan(0);
});

test('a thread has one running loop, or none', () => {
  const loop = {} as NonNullable<ReturnType<typeof _getRunningLoop>>;
  expect(_getRunningLoop()).toBeNull();
  _setRunningLoop(loop);
  expect(_getRunningLoop()).toBe(loop);
  _setRunningLoop(null);
  expect(_getRunningLoop()).toBeNull();
});
