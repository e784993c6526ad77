// event.test.ts: a flag that tasks wait for.

import { inspect } from 'node:util';

import { sleep } from '../../lib/futures/sleep';
import { Event } from '../../lib/sync/event';
import { aw, countIterations, forEveryKind } from '../support/programs';

forEveryKind('Event', (subject, program) => {
  const waiter = (event: Event, name: string, seen: unknown[]) =>
    program(function* () {
      seen.push([name, yield* aw(event.wait())]);
    });

  test('SYNC-008: a raised flag is not waited for', async () => {
    const iteration = countIterations(subject.current.loop);
    const event = new Event();
    const main = program(function* () {
      event.set();
      const start = iteration.count;
      return [yield* aw(event.wait()), event.isSet(), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual([true, true, 0]);
  });

  test('SYNC-008: set wakes everybody, in order; clear only lowers the flag', async () => {
    const { loop } = subject.current;
    const event = new Event();
    const seen: unknown[] = [];
    const main = program(function* () {
      for (const name of ['a', 'b', 'c']) loop.createTask(waiter(event, name, seen));
      yield* aw(sleep(0));
      event.set();
      yield* aw(sleep(0));
      event.clear();
      const late = loop.createTask(waiter(event, 'late', seen));
      yield* aw(sleep(0));
      seen.push(event.isSet(), inspect(event));
      event.set();
      yield* aw(late);
      return seen;
    });
    expect(await subject.current.run(main)).toEqual([
      ['a', true],
      ['b', true],
      ['c', true],
      false,
      '<Event [unset, waiters:1]>',
      ['late', true],
    ]);
  });

  test('SYNC-009: a flag that is raised and lowered at once has woken whoever waited', async () => {
    const { loop } = subject.current;
    const event = new Event();
    const seen: unknown[] = [];
    const main = program(function* () {
      const task = loop.createTask(waiter(event, 'a', seen));
      yield* aw(sleep(0));
      event.set();
      event.clear();
      yield* aw(task);
      return [...seen, event.isSet()];
    });
    expect(await subject.current.run(main)).toEqual([['a', true], false]);
  });

  test('SYNC-034: a cancelled wait leaves no waiter behind', async () => {
    const { loop } = subject.current;
    const event = new Event();
    const main = program(function* () {
      const task = loop.createTask(() => event.wait());
      yield* aw(sleep(0));
      const before = inspect(event);
      task.cancel();
      yield* aw(sleep(0));
      return [before, task.cancelled(), inspect(event)];
    });
    expect(await subject.current.run(main)).toEqual(['<Event [unset, waiters:1]>', true, '<Event [unset]>']);
  });
});

test('SYNC-035: an event shows whether it is set', () => {
  const event = new Event();
  event.set();
  expect(inspect(event)).toBe('<Event [set]>');
});
