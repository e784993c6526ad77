// child-watcher.test.ts: how a loop hears of the end of a child, and that children of others are left alone.

import { execFileSync, spawn as spawnByNode } from 'node:child_process';

import { setLogReceiver, type LogRecord } from '../../lib/base/log';
import { SelectorEventLoop } from '../../lib/event-loop';
import { binding } from '../../lib/native/binding';
import type { NativeChild } from '../../lib/native/types';
import { watchChild } from '../../lib/processes/child-watcher';
import { DEVNULL, planSpawn } from '../../lib/processes/options';
import { createSubprocessShell } from '../../lib/processes/process';
import { SIGKILL } from '../../lib/base/signal-number';
import { spawn } from '../../lib/processes/spawn';
import { openDescriptors } from '../support/descriptors';
import { forEveryLoop, useLoop } from '../support/loops';
import { hasSyscalls, syscall } from '../support/syscalls';
import { describeOnPosix, testOnLinux } from '../support/systems';
import { isThere, untilEnded, withoutDescriptors } from './kit';

/** A child of the binding alone. */
const child = (command: string): NativeChild => spawn(planSpawn(command, {}, DEVNULL)).native;
/** Those that a watch has: a host may make and drop pipes. */
const ownDescriptors = () => [...openDescriptors()].filter(([, target]) => !target.startsWith('pipe:'));

/** Long enough to be ended by the test. */
const WAITING = 'kill -STOP $$';

describeOnPosix('the end of a child', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    setLogReceiver(null);
  });

  testOnLinux('UNIX-060: is heard by a descriptor of the process where there is one', async () => {
    const loop = new SelectorEventLoop();
    const one = child(WAITING);
    const watch = jest.spyOn(binding, 'watchChild');
    const codes: number[] = [];
    watchChild(loop, one, (code) => codes.push(code));
    const fd = binding.childDescriptor(one);
    expect(loop._isWatched(fd, 1)).toBe(true);
    binding.signalChild(one, SIGKILL);
    while (codes.length === 0) {
      loop.stop();
      await loop.runForever();
    }
    expect([codes, watch.mock.calls.length, loop._isWatched(fd, 1)]).toEqual([[-SIGKILL], 0, false]);
    expect(openDescriptors().has(fd)).toBe(false);
    loop.close();
  });

  forEveryLoop((name, use) =>
    describe(name, () => {
      const subject = use();

      test.each(['a descriptor', 'a thread'])('UNIX-060: is heard by %s, in any order', async (watcher) => {
        if (watcher === 'a thread') withoutDescriptors();
        // What a run needs is there.
        await subject.current.runOnce();
        const before = ownDescriptors();
        const children = [0, 1, 2].map(() => child(WAITING));
        const told: [index: number, code: number][] = [];
        for (const [index, one] of children.entries()) {
          watchChild(subject.current.loop, one, (code) => told.push([index, code]));
        }
        for (const index of [1, 2, 0]) {
          const count = told.length;
          binding.signalChild(children[index], SIGKILL);
          await subject.current.runUntil(() => told.length > count);
        }
        expect(told).toEqual([
          [1, -SIGKILL],
          [2, -SIGKILL],
          [0, -SIGKILL],
        ]);
        expect(ownDescriptors()).toEqual(before);
      });
    }),
  );

  describe.each(['a descriptor', 'a thread'])('by %s', (watcher) => {
    const subject = useLoop('sync');
    beforeEach(() => {
      if (watcher === 'a thread') withoutDescriptors();
    });

    test('UNIX-062: comes through callSoonThreadsafe', async () => {
      const threadsafe = jest.spyOn(subject.current.loop, 'callSoonThreadsafe');
      const code = await subject.current.run(async () => (await createSubprocessShell('exit 5')).wait());
      expect([code, threadsafe.mock.calls.length]).toEqual([5, 1]);
    });

    (hasSyscalls ? test : test.skip)('UNIX-061: is 255 if somebody else has read it, with a warning', async () => {
      const log: LogRecord[] = [];
      setLogReceiver((record) => log.push(record));
      const made = await subject.current.run(createSubprocessShell(WAITING));
      made.kill();
      syscall('wait4', made.pid, 0, 0, 0);
      await expect(subject.current.run(made.wait())).resolves.toBe(255);
      const warning = expect.stringContaining(`process ${made.pid} was read elsewhere`) as string;
      expect(log).toEqual([{ level: 'warning', message: warning, error: undefined }]);
    });

    (hasSyscalls ? test : test.skip)(
      'nobody is signalled by the number of a child that somebody else has read',
      async () => {
        const one = child('exit 0');
        syscall('wait4', binding.childPid(one), 0, 0, 0);
        expect(binding.signalChild(one, SIGKILL)).toBe(-binding.errnoByName.ESRCH);
        setLogReceiver(() => undefined);
        const codes: number[] = [];
        watchChild(subject.current.loop, one, (code) => codes.push(code));
        await subject.current.runUntil(() => codes.length > 0);
        expect(codes).toEqual([255]);
      },
    );

    test('keeps a virtual clock standing', () => {
      const one = child('exit 0');
      const { loop } = subject.current;
      expect(loop._hasOutsideWork()).toBe(false);
      watchChild(loop, one, () => loop.stop());
      expect(loop._hasOutsideWork()).toBe(true);
      untilEnded(one);
      loop.runForeverSync();
      expect(loop._hasOutsideWork()).toBe(false);
    });

    test('is not heard any more when the loop is closed', async () => {
      const before = openDescriptors();
      const loop = new SelectorEventLoop();
      const one = child(WAITING);
      const codes: number[] = [];
      watchChild(loop, one, (code) => codes.push(code));
      loop.close();
      binding.signalChild(one, SIGKILL);
      untilEnded(one);
      await subject.current.runOnce();
      expect(codes).toEqual([]);
      expect(binding.reapChild(one, new Int32Array(1))).toBe(0);
      expect(openDescriptors().size).toBe(before.size);
    });
  });

  describe('beside child_process', () => {
    const subject = useLoop('hosted');

    test('everybody hears of his own children', async () => {
      const byNode = Array.from({ length: 8 }, (_, code) => {
        const made = spawnByNode('sh', ['-c', `exit ${code}`]);
        return new Promise<number | null>((resolve) => made.on('exit', resolve));
      });
      const ours = await subject.current.run(async () => {
        const made = [];
        for (let code = 8; code < 16; code++) made.push(await createSubprocessShell(`exit ${code}`));
        const codes = [];
        for (const one of made) codes.push(await one.wait());
        return codes;
      });
      expect(await Promise.all(byNode)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(ours).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    });

    test('a synchronous one of Node’s leaves ours alone', async () => {
      const made = await subject.current.run(createSubprocessShell('exit 3'));
      expect(execFileSync('sh', ['-c', 'echo out'], { encoding: 'utf8' })).toBe('out\n');
      await expect(subject.current.run(made.wait())).resolves.toBe(3);
    });

    test('a synchronous run of ours hears of the end, and Node of its own afterwards', async () => {
      const loop = new SelectorEventLoop();
      const byNode = spawnByNode('sh', ['-c', 'exit 4']);
      const exit = new Promise((resolve) => byNode.on('exit', resolve));
      await new Promise<void>((resolve) => {
        setImmediate(() => {
          const code = loop.runUntilCompleteSync(async () => (await createSubprocessShell('exit 5')).wait());
          expect(code).toBe(5);
          loop.close();
          resolve();
        });
      });
      await expect(exit).resolves.toBe(4);
      expect(isThere(byNode.pid as number)).toBe(false);
    });
  });
});
