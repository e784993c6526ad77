// sleep.test.ts: waiting for time to pass.

import { RuntimeError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import { sleep } from '../../lib/futures/sleep';
import { outsideOfMicrotasks } from '../support/loops';
import { aw, forEveryKind } from '../support/programs';

forEveryKind('sleep', (subject, program) => {
  test('RUN-012: gives its result after the time, and leaves no timer', async () => {
    const { loop } = subject.current;
    const start = loop.time();
    const main = program(function* () {
      return yield* aw(sleep(0.002, 'rested'));
    });
    expect(await subject.current.run(main)).toBe('rested');
    expect(loop.time() - start).toBeGreaterThanOrEqual(0.002 - loop._clockResolution);
    expect(loop._scheduled.length).toBe(0);
  });

  test('RUN-012: the timer is cancelled when the task is', async () => {
    const { loop } = subject.current;
    const task = loop.createTask(
      program(function* () {
        yield* aw(sleep(60));
      }),
    );
    await subject.current.runOnce();
    task.cancel();
    await subject.current.runOnce();
    expect(task.cancelled()).toBe(true);
    expect(loop._scheduled.peek()?.cancelled()).toBe(true);
  });

  test('RUN-013: NaN is a ValueError, what is no number a TypeError', async () => {
    await expect(subject.current.run(sleep(NaN))).rejects.toMatchObject({ name: 'ValueError' });
    await expect(subject.current.run(sleep('1' as never))).rejects.toThrow(TypeError);
  });
});

test('a sleep of a task on another loop than the one given is a RuntimeError', async () => {
  const [loop, other] = [new SelectorEventLoop(), new SelectorEventLoop()];
  const run = () => loop.runUntilCompleteSync(() => sleep(1, undefined, other));
  await outsideOfMicrotasks(() => expect(run).toThrow(RuntimeError));
  loop.close();
  other.close();
});
