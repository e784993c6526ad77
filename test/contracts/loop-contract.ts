// loop-contract.ts: what every loop does, whatever it waits with and whoever drives it. One suite, many subjects.

import { RuntimeError } from '../../lib/base/errors';
import { getRunningLoop } from '../../lib/futures/current';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { SelectorEventLoop } from '../../lib/event-loop';
import { socketpair, type Socket } from '../../lib/sockets/socket';
import type { TestLoop } from '../support/loops';

export function loopContract(name: string, use: () => { readonly current: TestLoop }): void {
  describe(`loop contract: ${name}`, () => {
    const subject = use();
    let pair: [Socket, Socket];

    beforeEach(() => {
      pair = socketpair();
    });
    afterEach(() => {
      for (const socket of pair) socket.close();
    });

    describe('order', () => {
      test('LOOP-011, LOOP-022: callSoon and callSoonThreadsafe share one first-in first-out queue', async () => {
        const { loop } = subject.current;
        const seen: number[] = [];
        loop.callSoon(() => seen.push(1));
        loop.callSoonThreadsafe(() => seen.push(2));
        loop.callSoon(() => seen.push(3));
        await subject.current.runOnce();
        expect(seen).toEqual([1, 2, 3]);
      });

      test('LOOP-031: what a callback queues waits for the next iteration', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        loop.callSoon(() => {
          seen.push('first');
          loop.callSoon(() => seen.push('queued by first'));
        });
        loop.callSoon(() => seen.push('second'));
        await subject.current.runOnce();
        expect(seen).toEqual(['first', 'second']);
        await subject.current.runOnce();
        expect(seen).toEqual(['first', 'second', 'queued by first']);
      });

      test('LOOP-033: queued handles run before ready descriptors, and those before due timers', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        pair[1].send(Buffer.from('x'));
        loop.addReader(pair[0], () => seen.push('descriptor'));
        loop.callAt(loop.time() - 1, () => seen.push('timer'));
        loop.callSoon(() => seen.push('soon'));
        await subject.current.runOnce();
        loop.removeReader(pair[0]);
        expect(seen).toEqual(['soon', 'descriptor', 'timer']);
      });

      test('LOOP-034, LOOP-032: a handle cancelled by an earlier one of its batch does not run', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        pair[1].send(Buffer.from('x'));
        loop.callSoon(() => {
          soon.cancel();
        });
        const soon = loop.callSoon(() => seen.push('soon'));
        loop.addReader(pair[0], () => {
          seen.push('descriptor');
          timer.cancel();
        });
        const timer = loop.callAt(loop.time() - 1, () => seen.push('timer'));
        loop.callSoon(() => seen.push('last'));
        await subject.current.runOnce();
        loop.removeReader(pair[0]);
        expect(seen).toEqual(['last', 'descriptor']);
      });

      test('LOOP-096: a callback that queues itself for ever starves neither descriptors nor timers', async () => {
        const { loop } = subject.current;
        const seen = new Set<string>();
        const again = (): void => {
          if (seen.size === 2) loop.stop();
          else {
            if (subject.current.driver === 'virtual') seen.add('timer');
            loop.callSoon(again);
          }
        };
        pair[1].send(Buffer.from('x'));
        loop.addReader(pair[0], () => seen.add('descriptor'));
        loop.callLater(0.001, () => seen.add('timer'));
        loop.callSoon(again);
        await subject.current.runForever();
        loop.removeReader(pair[0]);
        expect(seen).toEqual(new Set(['descriptor', 'timer']));
      });

      test('FD-020: the reader of a descriptor runs before its writer', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        pair[1].send(Buffer.from('x'));
        loop.addWriter(pair[0], () => seen.push('writer'));
        loop.addReader(pair[0], () => seen.push('reader'));
        await subject.current.runOnce();
        loop.removeWriter(pair[0]);
        loop.removeReader(pair[0]);
        expect(seen).toEqual(['reader', 'writer']);
      });
    });

    describe('timers', () => {
      test('timers run by deadline, each not before its time', async () => {
        const { loop } = subject.current;
        const start = loop.time();
        const seen: [string, boolean][] = [];
        loop.callAt(start + 0.003, () => {
          seen.push(['c', loop.time() - start >= 0.003 - 1e-6]);
          loop.stop();
        });
        loop.callAt(start + 0.001, () => seen.push(['a', loop.time() - start >= 0.001 - 1e-6]));
        loop.callAt(start + 0.002, () => seen.push(['b', loop.time() - start >= 0.002 - 1e-6]));
        await subject.current.runForever();
        expect(seen).toEqual([
          ['a', true],
          ['b', true],
          ['c', true],
        ]);
      });

      test('LOOP-097: short sleeps in a row take about one iteration each', async () => {
        const { loop } = subject.current;
        let iterations = 0;
        const original = loop._runOnce.bind(loop);
        loop._runOnce = () => {
          iterations += 1;
          original();
        };
        await subject.current.run(async () => {
          for (const delay of [1e-2, 1e-4, 1e-6, 1e-8, 1e-10]) await sleep(delay);
        });
        expect(iterations).toBeLessThanOrEqual(20);
      });
    });

    describe('runs', () => {
      test('LOOP-038, LOOP-039: stop lets the iteration finish; before a run it gives exactly one', async () => {
        const { loop } = subject.current;
        const seen: number[] = [];
        loop.callSoon(() => {
          loop.stop();
          seen.push(1);
          loop.callSoon(() => seen.push(3));
        });
        loop.callSoon(() => seen.push(2));
        await subject.current.runForever();
        expect(seen).toEqual([1, 2]);
        await subject.current.runOnce();
        expect(seen).toEqual([1, 2, 3]);
      });

      test('LOOP-045, LOOP-043: the loop is running, and is the running loop, only inside of a run', async () => {
        const { loop } = subject.current;
        expect(loop.isRunning()).toBe(false);
        const inside = await subject.current.run(async () => [loop.isRunning(), getRunningLoop() === loop]);
        expect(inside).toEqual([true, true]);
        expect(loop.isRunning()).toBe(false);
        expect(() => getRunningLoop()).toThrow(expect.objectContaining({ code: 'ERR_NO_RUNNING_LOOP' }));
      });

      test('LOOP-042, LOOP-055: a running loop refuses to run again, to be closed, and to let another one run', async () => {
        const { loop } = subject.current;
        const other = new SelectorEventLoop();
        const codes: unknown[] = [];
        const attempt = (action: () => unknown): void => {
          try {
            action();
          } catch (error) {
            codes.push([(error as RuntimeError).constructor, (error as RuntimeError).code]);
          }
        };
        await subject.current.run(async () => {
          attempt(() => loop.runForever());
          attempt(() => loop.runForeverSync());
          attempt(() => loop.close());
          attempt(() => other.runForeverSync());
        });
        other.close();
        expect(codes).toEqual(new Array(4).fill([RuntimeError, 'ERR_LOOP_RUNNING']));
      });

      test('LOOP-053: a loop that is stopped early says that the future is not done', async () => {
        const { loop } = subject.current;
        loop.callSoon(() => loop.stop());
        const future = new Future(loop);
        await expect(subject.current.run(future)).rejects.toMatchObject({ code: 'ERR_LOOP_STOPPED' });
      });

      test('LOOP-054: a future that is done already costs one iteration', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        const future = new Future<number>(loop);
        future.setResult(5);
        loop.callSoon(() => seen.push('queued before'));
        expect(await subject.current.run(future)).toBe(5);
        expect(seen).toEqual(['queued before']);
      });

      test('an async function gets as far in one step as its awaits allow, before the next handle runs', async () => {
        const { loop } = subject.current;
        const seen: string[] = [];
        const inner = async (): Promise<void> => {
          await sleep(0);
          seen.push('inner');
        };
        const first = loop.createTask(async () => {
          await inner();
          seen.push('outer');
        });
        loop.createTask(async () => {
          await sleep(0);
          seen.push('second task');
        });
        await subject.current.run(first);
        await subject.current.runOnce();
        expect(seen).toEqual(['inner', 'outer', 'second task']);
      });
    });

    test('a loop that waits is woken by callSoonThreadsafe', async () => {
      const { loop } = subject.current;
      if (subject.current.driver === 'hosted') {
        setImmediate(() => loop.callSoonThreadsafe(() => loop.stop()));
      } else {
        loop.callSoonThreadsafe(() => loop.stop());
      }
      await subject.current.runForever();
      expect(loop.isRunning()).toBe(false);
    });

    test('LOOP-049: the iteration that completes the future is run to its end', async () => {
      const { loop } = subject.current;
      const seen: string[] = [];
      const future = new Future<void>(loop);
      future.addDoneCallback(() => seen.push('before'));
      loop.callSoon(() => future.setResult());
      const done = subject.current.run(future);
      future.addDoneCallback(() => {
        seen.push('after');
      });
      await done;
      expect(seen).toEqual(['before', 'after']);
    });
  });
}
