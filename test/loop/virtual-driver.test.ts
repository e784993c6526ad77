// virtual-driver.test.ts: who waits in virtual time, and what nobody can wait for.

import { SelectorEventLoop } from '../../lib/event-loop';
import { Future } from '../../lib/futures/future';
import { VirtualClock } from '../../lib/loop/driver';
import type { ReadyEntry } from '../../lib/selectors/base-selector';
import { DefaultSelector } from '../../lib/selectors/selectors';
import { socketpair } from '../../lib/sockets/socket';
import { outsideOfMicrotasks } from '../support/loops';

/** Sees what is ready only when it is asked with time to wait. */
class SlowSelector extends DefaultSelector {
  readonly timeouts: (number | null)[] = [];

  override select(timeout: number | null = null): ReadyEntry[] {
    this.timeouts.push(timeout);
    return timeout === 0 ? [] : super.select(timeout);
  }
}

describe('a run in virtual time', () => {
  let selector: SlowSelector;
  let loop: SelectorEventLoop;

  beforeEach(() => {
    selector = new SlowSelector();
    loop = new SelectorEventLoop({ selector, clock: new VirtualClock() });
  });
  afterEach(() => loop.close());

  const run = <T>(future: Future<T>): Promise<T> => outsideOfMicrotasks(() => loop.runUntilCompleteSync(future));

  test('goes on with what is delivered late, if nothing else is to be done', async () => {
    const [near, far] = socketpair();
    const received = new Future<string>(loop);
    loop.addReader(near, () => received.setResult(near.recv(10).toString()));
    far.send(Buffer.from('late'));
    expect(await run(received)).toBe('late');
    expect(loop.time()).toBe(0);
    expect(selector.timeouts.some((timeout) => timeout !== null && timeout > 0)).toBe(true);
    loop.removeReader(near);
    near.close();
    far.close();
  });

  test('moves its clock to the next timer without a wait', async () => {
    const done = new Future<number>(loop);
    loop.callLater(3600, () => done.setResult(loop.time()));
    expect(await run(done)).toBe(3600);
    expect(selector.timeouts.every((timeout) => timeout === 0)).toBe(true);
  });

  test('throws where it would wait for ever', async () => {
    await expect(run(new Future<void>(loop))).rejects.toMatchObject({ name: 'RuntimeError', code: 'ERR_DEADLOCK' });
    expect(loop.isRunning()).toBe(false);
  });
});
