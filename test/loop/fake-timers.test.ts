// fake-timers.test.ts: a test of a user's has fake timers: the loop goes on by the real ones.

import { getRunningLoop } from '../../lib/event-loop';
import { sleep } from '../../lib/futures/sleep';
import { run } from '../../lib/runner';
import { socketpair } from '../../lib/sockets/socket';

describe('fake timers', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  test('do not hold up a hosted run', async () => {
    const faked = jest.fn();
    setTimeout(faked, 1);
    const before = performance.now();
    expect(await run(() => sleep(0.005, 'slept'))).toBe('slept');
    expect([performance.now(), faked.mock.calls]).toEqual([before, []]);
  });

  test('are not told that a task waits for a socket', async () => {
    const [left, right] = socketpair();
    const answer = await run(async () => {
      const loop = getRunningLoop();
      loop.callLater(0.001, () => right.send(Buffer.from('x')));
      return (await loop.sockRecv(left, 1)).toString();
    });
    expect([answer, jest.getTimerCount()]).toEqual(['x', 0]);
    left.close();
    right.close();
  });
});
