// hosted-driver.test.ts: how a hosted run shares the thread with Node's own loop.

import { AsyncLocalStorage } from 'node:async_hooks';

import type { Seconds } from '../../lib/base/constants';
import { newEventLoop } from '../../lib/event-loop';
import { binding } from '../../lib/native/binding';
import type { ReadyEntry } from '../../lib/selectors/base-selector';
import { DefaultSelector } from '../../lib/selectors/selectors';
import { socketpair } from '../../lib/sockets/socket';
import { useLoop } from '../support/loops';

describe('a hosted turn', () => {
  const subject = useLoop('hosted');

  /** Sends a byte to and fro `times` times. @returns how often Node's own loop came round meanwhile, after each byte */
  async function pingPong(times: number, answer: (send: () => void) => void): Promise<number[]> {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    let rounds = 0;
    const count = (): void => {
      rounds += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const seen: number[] = [];
    loop.addReader(near, () => {
      near.recv(1);
      seen.push(rounds);
      if (seen.length === times) loop.stop();
      else answer(() => far.send(Buffer.from('x')));
    });
    far.send(Buffer.from('x'));
    await subject.current.runForever();
    clearImmediate(immediate);
    loop.removeReader(near);
    near.close();
    far.close();
    return seen;
  }

  test('goes on with what came while it worked', async () => {
    const seen = await pingPong(4, (send) => send());
    expect(new Set(seen).size).toBe(1);
  });

  test('gives way to Node after a bounded number of batches', async () => {
    const seen = await pingPong(100, (send) => send());
    const perTurn = [...new Set(seen)].map((round) => seen.filter((other) => other === round).length);
    // One of Node's rounds has room for two turns: what an immediate woke, and what the descriptor did.
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(8);
    expect(perTurn.length).toBeGreaterThanOrEqual(4);
  });

  test('stops looking for more where there never is, and tries again now and then', async () => {
    const { waitFor } = binding;
    let fruitless = 0;
    const spy = jest.spyOn(binding, 'waitFor').mockImplementation((...args) => {
      const count = waitFor(...args);
      if (count === 0) fruitless += 1;
      return count;
    });
    // The answer comes from Node's own loop, so a look at the end of a turn is always too early.
    await pingPong(200, (send) => setImmediate(send));
    spy.mockRestore();
    expect(fruitless).toBeGreaterThan(8);
    expect(fruitless).toBeLessThan(60);
  });
});

test('turns run in the context of whoever started the run, whatever woke them', async () => {
  const storage = new AsyncLocalStorage<string>();
  const contexts: (string | undefined)[] = [];
  class ListeningSelector extends DefaultSelector {
    override select(timeout: Seconds | null): ReadyEntry[] {
      contexts.push(storage.getStore());
      return super.select(timeout);
    }
  }
  const loop = newEventLoop({ selector: new ListeningSelector() });
  const [near, far] = socketpair();
  const woken: string[] = [];
  // Each wakes the loop for the next one: from outside of a turn, by a timer, by a descriptor.
  loop.addReader(near, () => {
    woken.push('a descriptor');
    loop.stop();
  });
  const run = storage.run('of the run', () => loop.runForever());
  storage.run('of somebody else', () =>
    setImmediate(() => {
      loop.callSoon(() => {
        woken.push('an immediate');
        loop.callLater(0.001, () => {
          woken.push('a timer');
          setImmediate(() => far.send(Buffer.from('x')));
        });
      });
    }),
  );
  await run;
  loop.removeReader(near);
  near.close();
  far.close();
  loop.close();
  expect(woken).toEqual(['an immediate', 'a timer', 'a descriptor']);
  expect(new Set(contexts)).toEqual(new Set(['of the run']));
});
