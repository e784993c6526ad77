// windows.test.ts: a system on which a loop has no child processes; elsewhere it is told that it is there.

import { NotImplementedError } from '../../lib/base/errors';
import type { Coroutine } from '../../lib/futures/coroutine';
import { createSubprocessExec, createSubprocessShell } from '../../lib/processes/process';
import { useLoop } from '../support/loops';
import { NotingProcess } from './kit';

describe('on Windows', () => {
  const subject = useLoop('sync');
  const platform = process.platform;
  beforeEach(() => Object.defineProperty(process, 'platform', { value: 'win32' }));
  afterEach(() => Object.defineProperty(process, 'platform', { value: platform }));

  test('every verb for child processes is a NotImplementedError when awaited, and no protocol is made', async () => {
    const { loop } = subject.current;
    const factory = jest.fn(() => new NotingProcess());
    const attempts: (() => Coroutine<unknown>)[] = [
      () => loop.subprocessExec(factory, 'cmd', ['/c', 'exit']),
      () => loop.subprocessShell(factory, 'exit'),
      () => createSubprocessExec('cmd', ['/c', 'exit']),
      () => createSubprocessShell('exit'),
    ];
    for (const attempt of attempts) {
      await expect(subject.current.run(loop.createTask(attempt()))).rejects.toBeInstanceOf(NotImplementedError);
    }
    expect(factory).not.toHaveBeenCalled();
  });
});
