// body.test.ts: what takes the place of `async with`: its body is a function.

import { sleep } from '../../lib/futures/sleep';
import { taskGroup } from '../../lib/futures/task-group';
import { timeout, timeoutAt } from '../../lib/futures/timeout';
import { Lock } from '../../lib/sync/lock';
import { useLoop } from '../support/loops';

type Body = () => unknown;

describe('a body', () => {
  const subject = useLoop('sync');
  const lock = new Lock();

  test.each([
    ['timeout', (body: Body) => timeout(1, body)],
    ['timeoutAt', (body: Body) => timeoutAt(1e9, body)],
    ['taskGroup', (body: Body) => taskGroup(body)],
    ['lock.run', (body: Body) => lock.run(body)],
  ])('of %s that is no function is refused, and nothing is entered', async (_name, verb) => {
    const refusal = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' };
    for (const body of [Promise.resolve(1), sleep(1), undefined]) {
      await expect(subject.current.run(verb(body as never))).rejects.toMatchObject(refusal);
    }
    expect([lock.locked(), subject.current.loop._tasks.size]).toEqual([false, 0]);
  });
});
