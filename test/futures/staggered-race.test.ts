// staggered-race.test.ts: attempts that start one after the other until one succeeds.

import { KeyboardInterrupt } from '../../lib/base/errors';
import { Future } from '../../lib/futures/future';
import { sleep } from '../../lib/futures/sleep';
import { staggeredRace } from '../../lib/futures/staggered-race';
import { allTasks } from '../../lib/futures/task';
import { useLoop } from '../support/loops';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('staggeredRace', (subject, program) => {
  const give = (value: string) =>
    program(function* () {
      return value;
    });
  const fail = (message: string) =>
    program(function* (): Generator<never, string, never> {
      throw new Error(message);
    });

  test('RUN-055: gives the winner’s result, its place, and the exceptions of the attempts that started', async () => {
    const iteration = countIterations(subject.current.loop);
    const main = program(function* () {
      const start = iteration.count;
      const [result, index, exceptions] = yield* aw(
        staggeredRace([fail('first'), give('second'), give('third')], null),
      );
      return [result, index, exceptions.map(String), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['second', 1, ['Error: first', 'null'], 5]);
  });

  test('RUN-055: without a winner, result and place are null', async () => {
    const [result, index, exceptions] = await subject.current.run(() => staggeredRace([fail('a'), fail('b')], null));
    expect([result, index, exceptions.map(String)]).toEqual([null, null, ['Error: a', 'Error: b']]);
    expect(await subject.current.run(() => staggeredRace([], 1))).toEqual([null, null, []]);
  });

  test('RUN-055: the losers are cancelled and have ended', async () => {
    const { loop } = subject.current;
    const never = new Future<string>(loop);
    const waiting = program(function* () {
      return yield* aw(never);
    });
    const [result, index, exceptions] = await subject.current.run(() => staggeredRace([waiting, give('won')], 0.001));
    expect([result, index, exceptions.map((error) => (error as Error | null)?.name)]).toEqual([
      'won',
      1,
      ['CancelledError', undefined],
    ]);
    expect([never.cancelled(), allTasks(loop).size]).toEqual([true, 0]);
  });

  test('RUN-055: cancelling it cancels the attempts', async () => {
    const { loop } = subject.current;
    const never = new Future<string>(loop);
    const waiting = program(function* () {
      return yield* aw(never);
    });
    const task = loop.createTask(() => staggeredRace([waiting, give('not started')], 60));
    await subject.current.run(sleep(0));
    task.cancel();
    for (let round = 0; round < 3; round++) await subject.current.runOnce();
    expect([task.cancelled(), never.cancelled(), allTasks(loop).size]).toEqual([true, true, 0]);
  });
});

describe('staggeredRace', () => {
  const subject = useLoop('virtual');

  test('RUN-055: an attempt starts when the one before has failed, or the delay is over', async () => {
    const { loop } = subject.current;
    const starts: number[] = [];
    const attempt = (duration: number, succeeds: boolean) => async () => {
      starts.push(loop.time() - 1000);
      await sleep(duration);
      if (!succeeds) throw new Error('boom');
      return duration;
    };
    const attempts = [attempt(1, false), attempt(100, false), attempt(20, true), attempt(1, true)];
    const [result, index] = await subject.current.run(() => staggeredRace(attempts, 8));
    expect([starts, result, index, loop.time()]).toEqual([[0, 1, 9, 17], 1, 3, 1018]);
  });

  test('RUN-055: a loser that succeeds in spite of its cancellation changes nothing', async () => {
    const stubborn = async () => {
      await sleep(60).then(undefined, () => undefined);
      return 'too late';
    };
    const attempts = [stubborn, async () => 'first'];
    expect(await subject.current.run(() => staggeredRace(attempts, 1))).toEqual(['first', 1, [null, null]]);
  });

  test('RUN-055: attempts are taken one by one, as they start', async () => {
    let taken = 0;
    const attempts = (function* () {
      for (;;) {
        taken += 1;
        yield async () => taken;
      }
    })();
    expect(await subject.current.run(() => staggeredRace(attempts, null))).toEqual([1, 0, [null]]);
    expect(taken).toBe(1);
  });

  test('RUN-055: without any delay the attempts start four iterations apart, and a failure does not wait less', async () => {
    const { loop } = subject.current;
    const iteration = countIterations(loop);
    for (const fails of [false, true]) {
      const starts: number[] = [];
      const attempt = async () => {
        starts.push(iteration.count);
        if (fails) throw new Error('boom');
        await sleep(1);
      };
      await subject.current.run(() => staggeredRace([attempt, attempt, attempt], 0));
      expect([starts[1] - starts[0], starts[2] - starts[1]]).toEqual([4, 4]);
    }
  });

  test('RUN-055: an iterator that throws ends it with its error', async () => {
    const attempts = (function* () {
      yield async () => Promise.reject(new Error('attempt'));
      throw new Error('iterator');
    })();
    await expect(subject.current.run(() => staggeredRace(attempts, null))).rejects.toThrow('iterator');
    expect(allTasks(subject.current.loop).size).toBe(0);
  });

  test('RUN-055: an error of the fatal pair ends the run, and then the one in which the race hears of it', async () => {
    const fatal = new KeyboardInterrupt();
    const attempt = () => {
      throw fatal;
    };
    await expect(subject.current.run(() => staggeredRace([attempt], null))).rejects.toBe(fatal);
    await expect(subject.current.run(sleep(1))).rejects.toBe(fatal);
    await subject.current.run(sleep(2));
    expect(allTasks(subject.current.loop).size).toBe(0);
  });

  test('a delay that is NaN is refused, and so is what is no list', async () => {
    await expect(subject.current.run(() => staggeredRace(5 as never, 1))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_TYPE',
    });
    await expect(subject.current.run(() => staggeredRace([], NaN))).rejects.toMatchObject({ name: 'ValueError' });
  });
});
