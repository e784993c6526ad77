// subprocess-transport.test.ts: what the protocol of a child process hears, in which order, and what its transport can do.

import { inspect } from 'node:util';

import { FileNotFoundError, OSError, ProcessLookupError } from '../../lib/base/errors';
import { setLogReceiver, type LogRecord } from '../../lib/base/log';
import { DEVNULL, PIPE } from '../../lib/processes/options';
import { SubprocessTransport } from '../../lib/processes/transport';
import type { UnixSubprocessTransport } from '../../lib/processes/subprocess-transport';
import { binding } from '../../lib/native/binding';
import type { NativeChild } from '../../lib/native/types';
import { openDescriptors } from '../support/descriptors';
import { forEveryLoop, useLoop } from '../support/loops';
import { describeOnPosix, isLinux } from '../support/systems';
import { isThere, nativeOf, NotingProcess, toldShell, untilEnded, withoutDescriptors } from './kit';

/** The children that are spawned from now on. */
function spawned(): NativeChild[] {
  const children: NativeChild[] = [];
  const { spawn } = binding;
  jest.spyOn(binding, 'spawn').mockImplementation((...args) => {
    const child = spawn(...args);
    if (typeof child !== 'number') children.push(child);
    return child;
  });
  return children;
}

describeOnPosix('a subprocess transport', () => {
  let before: number[];
  beforeEach(() => {
    before = [...openDescriptors().keys()];
  });
  afterEach(() => {
    jest.restoreAllMocks();
    setLogReceiver(null);
  });

  forEveryLoop((name, use) =>
    describe(name, () => {
      const subject = use();

      test('UNIX-052: a process exits, its pipes are closed, the connection is lost', async () => {
        const { loop } = subject.current;
        const command = 'read line; echo "$line"; echo error >&2; exit 3';
        const made = await subject.current.run(loop.subprocessShell(() => new NotingProcess(), command));
        const [transport, protocol] = made;
        transport.getPipeTransport(0)?.write(Buffer.from('line\n'));
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(protocol.events[0]).toEqual(['connectionMade']);
        expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
        expect(protocol.events).toContainEqual(['pipeDataReceived', 1, 'line\n']);
        expect(protocol.events).toContainEqual(['pipeDataReceived', 2, 'error\n']);
        for (const fd of [0, 1, 2]) expect(protocol.events).toContainEqual(['pipeConnectionLost', fd, null]);
        expect(protocol.events).toContainEqual(['processExited', 3]);
        expect([protocol.events.length, transport.getReturncode()]).toEqual([8, 3]);
        expect(isThere(transport.getPid())).toBe(false);
      });
    }),
  );

  describe.each(['sync', 'hosted'] as const)('%s', (driver) => {
    const subject = useLoop(driver);

    describe.each(['a descriptor', 'a thread'])('told of the end by %s', (watcher) => {
      beforeEach(() => {
        if (watcher === 'a thread') withoutDescriptors();
      });

      test('UNIX-053: of exit and closed pipes, the exit may come first', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current, { stderr: DEVNULL });
        // What is left behind has the output still, and waits to be told.
        tell('exec 9<&0; { read line <&9; echo "$line"; } & exit 5');
        await subject.current.runUntil(() => protocol.has('processExited'));
        expect(protocol.events).toEqual([['connectionMade'], ['processExited', 5]]);
        expect(isThere(transport.getPid())).toBe(false);
        tell('late');
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(protocol.events.slice(2)).toEqual([
          ['pipeDataReceived', 1, 'late\n'],
          ['pipeConnectionLost', 1, null],
          ['connectionLost', null],
        ]);
      });

      test('UNIX-053: of exit and closed pipes, the pipes may come first', async () => {
        const { protocol, tell } = await toldShell(subject.current);
        tell('exec >&-');
        await subject.current.runUntil(() => protocol.has('pipeConnectionLost', 1));
        tell('exec 2>&-');
        await subject.current.runUntil(() => protocol.has('pipeConnectionLost', 2));
        expect(protocol.has('processExited')).toBe(false);
        tell('exit 4');
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(protocol.events).toEqual([
          ['connectionMade'],
          ['pipeConnectionLost', 1, null],
          ['pipeConnectionLost', 2, null],
          ['processExited', 4],
          ['connectionLost', null],
        ]);
      });

      test('UNIX-054: who waits gets a code that is known at once, and else after connectionLost', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current, { stderr: DEVNULL });
        const { loop } = subject.current;
        const early = loop.createTask(function* () {
          const returncode = yield* transport._wait();
          protocol.events.push(['waited', returncode]);
        });
        tell('exec 9<&0; { read line <&9; } & exit 6');
        await subject.current.runUntil(() => protocol.has('processExited'));
        await expect(subject.current.run(transport._wait())).resolves.toBe(6);
        expect(early.done()).toBe(false);
        tell('');
        await subject.current.run(early);
        expect(protocol.events.slice(-2)).toEqual([
          ['connectionLost', null],
          ['waited', 6],
        ]);
        await expect(subject.current.run(transport._wait())).resolves.toBe(6);
      });

      test('a cancelled wait leaves the others alone', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current);
        const { loop } = subject.current;
        const [one, other] = [0, 1].map(() => loop.createTask(transport._wait()));
        await subject.current.runOnce();
        one.cancel();
        tell('exit 7');
        await expect(subject.current.run(other)).resolves.toBe(7);
        expect([one.cancelled(), protocol.events.at(-1)]).toEqual([true, ['connectionLost', null]]);
      });

      test('UNIX-055: close closes the pipes and kills the child, once', async () => {
        const { transport, protocol } = await toldShell(subject.current);
        const signal = jest.spyOn(binding, 'signalChild');
        expect(transport.isClosing()).toBe(false);
        transport.close();
        transport.close();
        expect(transport.isClosing()).toBe(true);
        expect(transport.getPipeTransport(1)?.isClosing()).toBe(true);
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(signal).toHaveBeenCalledTimes(1);
        expect(protocol.events).toContainEqual(['processExited', -9]);
        transport.close();
        expect(signal).toHaveBeenCalledTimes(1);
      });

      test('UNIX-055: close leaves a child alone that has ended, and its code is told', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current);
        const signal = jest.spyOn(binding, 'signalChild');
        tell('exit 8');
        const native = nativeOf(transport);
        untilEnded(native);
        transport.close();
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(signal).not.toHaveBeenCalled();
        expect(protocol.events).toContainEqual(['processExited', 8]);
      });

      test('UNIX-056: a process that is over cannot be sent a signal', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current);
        tell('exit 0');
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        for (const send of [() => transport.sendSignal(0), () => transport.terminate(), () => transport.kill()]) {
          expect(send).toThrow(ProcessLookupError);
        }
      });

      test('UNIX-057: a signal to a process that has just ended is nothing, and its code is told', async () => {
        const { transport, protocol, tell } = await toldShell(subject.current);
        tell('exit 9');
        untilEnded(nativeOf(transport));
        transport.terminate();
        transport.kill();
        transport.sendSignal('SIGTERM');
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(protocol.events).toContainEqual(['processExited', 9]);
      });

      test.each([
        ['terminate', -15],
        ['kill', -9],
      ] as const)('%s ends the process', async (verb, code) => {
        const { transport, protocol } = await toldShell(subject.current);
        transport[verb]();
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        expect(transport.getReturncode()).toBe(code);
      });

      test('UNIX-051: what happens before connectionMade is held back, in order', async () => {
        const { loop } = subject.current;
        const children = spawned();
        // Runs when the process does, before the first pipe is connected.
        const blocking = () => untilEnded(children[0]);
        const [, protocol] = await subject.current.run(function* () {
          loop.callSoon(blocking);
          const options = { stdin: DEVNULL };
          return yield* loop.subprocessExec(() => new NotingProcess(), 'sh', ['-c', 'echo out; exit 2'], options);
        });
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        const exit = protocol.events.findIndex(([event]) => event === 'processExited');
        expect(protocol.events.splice(exit, 1)).toEqual([['processExited', 2]]);
        // A thread tells when it likes to.
        expect(exit).toBeGreaterThan(0);
        if (watcher === 'a descriptor' && isLinux) expect(exit).toBe(1);
        expect(protocol.events).toEqual([
          ['connectionMade'],
          ['pipeDataReceived', 1, 'out\n'],
          ['pipeConnectionLost', 1, null],
          ['pipeConnectionLost', 2, null],
          ['connectionLost', null],
        ]);
      });
    });

    test('UNIX-050: stdin, stdout and stderr are connected in this order, then the connection is made', async () => {
      const { loop } = subject.current;
      const order: unknown[] = [];
      const addReader = jest.spyOn(loop, '_addReader');
      const protocol = new NotingProcess();
      protocol.connectionMade = (transport) => {
        protocol.transport = transport as UnixSubprocessTransport;
        const fds = [0, 1, 2].map(
          (fd) => (protocol.transport.getPipeTransport(fd) as unknown as { _fileno: number })._fileno,
        );
        const watched = addReader.mock.calls.map(([fd]) => fd as number);
        order.push(fds.map((fd) => watched.indexOf(fd)));
      };
      const [transport] = await subject.current.run(loop.subprocessExec(() => protocol, 'cat'));
      await subject.current.runUntil(() => order.length > 0);
      const [places] = order as [number[]];
      expect(places[0]).toBeGreaterThanOrEqual(0);
      expect(places).toEqual([...places].sort((one, other) => one - other));
      transport.close();
      await subject.current.runUntil(() => protocol.has('connectionLost'));
    });

    test('UNIX-049: a program that is not there is FileNotFoundError, and nobody is told', async () => {
      const protocol = new NotingProcess();
      const creating = subject.current.run(subject.current.loop.subprocessExec(() => protocol, '/nowhere/at/all'));
      await expect(creating).rejects.toThrow(FileNotFoundError);
      expect(protocol.events).toEqual([]);
      expect([...openDescriptors().keys()].filter((fd) => !before.includes(fd)).length).toBeLessThanOrEqual(3);
    });

    test('a process without a watch is ended, and nothing is left of it', async () => {
      withoutDescriptors();
      const own = new Set(openDescriptors().keys());
      const children = spawned();
      jest.spyOn(binding, 'watchChild').mockReturnValue(-binding.errnoByName.EMFILE);
      const protocol = new NotingProcess();
      const creating = subject.current.run(subject.current.loop.subprocessExec(() => protocol, 'cat'));
      await expect(creating).rejects.toMatchObject({ code: 'EMFILE' });
      untilEnded(children[0]);
      binding.reapChild(children[0], new Int32Array(1));
      expect([...openDescriptors().keys()].filter((fd) => !own.has(fd))).toEqual([]);
      expect(protocol.events).toEqual([]);
    });

    test('a pipe that cannot be connected ends the process, which is waited for', async () => {
      const { loop } = subject.current;
      const own = new Set(openDescriptors().keys());
      const { setNonBlocking } = binding;
      let left = 1;
      jest.spyOn(binding, 'setNonBlocking').mockImplementation((fd, on) => {
        if (left-- > 0) return setNonBlocking(fd, on);
        return -binding.errnoByName.EIO;
      });
      const protocol = new NotingProcess();
      const children = spawned();
      await expect(subject.current.run(loop.subprocessExec(() => protocol, 'cat'))).rejects.toThrow(OSError);
      expect(isThere(binding.childPid(children[0]))).toBe(false);
      await subject.current.runOnce();
      expect([...openDescriptors().keys()].filter((fd) => !own.has(fd))).toEqual([]);
      expect(protocol.events).toEqual([]);
    });

    test('UNIX-058: the transport of a pipe is given by its descriptor, of no pipe none', async () => {
      const { transport, tell, protocol } = await toldShell(subject.current, { stderr: DEVNULL });
      expect(transport.getPipeTransport(0)).toBeNull();
      expect(transport.getPipeTransport(1)?.isReading()).toBe(true);
      expect([2, 3, -1].map((fd) => transport.getPipeTransport(fd))).toEqual([null, null, null]);
      tell('exit 0');
      await subject.current.runUntil(() => protocol.has('connectionLost'));
    });

    test('UNIX-064: a creation that is cancelled ends the child and waits for it', async () => {
      const { loop } = subject.current;
      const own = new Set(openDescriptors().keys());
      const children = spawned();
      const protocol = new NotingProcess();
      const task = loop.createTask(loop.subprocessExec(() => protocol, 'cat'));
      await subject.current.runUntil(() => children.length > 0);
      const pid = binding.childPid(children[0]);
      task.cancel();
      await subject.current.runOnce();
      expect([task.done(), isThere(pid)]).toEqual([false, true]);
      await expect(subject.current.run(task)).rejects.toMatchObject({ code: 'ERR_CANCELLED' });
      expect(isThere(pid)).toBe(false);
      expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
      expect([...openDescriptors().keys()].filter((fd) => !own.has(fd))).toEqual([]);
    });

    test('the protocol may be another one later', async () => {
      const { transport, protocol, tell } = await toldShell(subject.current);
      const other = new NotingProcess();
      other.transport = transport;
      expect(transport.getProtocol()).toBe(protocol);
      transport.setProtocol(other);
      tell('echo out; exit 0');
      await subject.current.runUntil(() => other.has('connectionLost'));
      expect(protocol.events).toEqual([['connectionMade']]);
      expect(other.events).toContainEqual(['pipeDataReceived', 1, 'out\n']);
      expect(transport.getProtocol()).toBeNull();
    });

    test('writing is paused and resumed by the pipe of stdin', async () => {
      const { loop } = subject.current;
      const told: string[] = [];
      class Pausing extends NotingProcess {
        override pauseWriting(): void {
          told.push('pause');
        }
        override resumeWriting(): void {
          told.push('resume');
        }
      }
      const [transport, protocol] = await subject.current.run(
        loop.subprocessExec(() => new Pausing(), 'sh', ['-c', 'cat > /dev/null']),
      );
      const stdin = transport.getPipeTransport(0);
      stdin?.write(Buffer.alloc(1 << 20, 'x'));
      expect(told).toEqual(['pause']);
      stdin?.close();
      await subject.current.runUntil(() => protocol.has('connectionLost'));
      expect(told).toEqual(['pause', 'resume']);
    });

    test('a protocol that throws is reported by the name of its method, and the end is told all the same', async () => {
      const { protocol, tell } = await toldShell(subject.current, { stderr: DEVNULL });
      protocol.processExited = () => {
        throw new Error('of the protocol');
      };
      tell('exit 0');
      await subject.current.runUntil(() => protocol.has('connectionLost'));
      const contexts = subject.current.takeContexts();
      expect(contexts.map(({ message, exception }) => [message, String(exception)])).toEqual([
        [expect.stringMatching(/^Exception in callback processExited\(/), 'Error: of the protocol'],
      ]);
    });

    test('those who wait are told the code though connectionLost throws', async () => {
      const { transport, protocol, tell } = await toldShell(subject.current, { stderr: DEVNULL });
      protocol.connectionLost = () => {
        throw new Error('of the protocol');
      };
      const waiting = subject.current.loop.createTask(transport._wait());
      await subject.current.runOnce();
      tell('exit 3');
      await expect(subject.current.run(waiting)).resolves.toBe(3);
      expect(subject.current.takeContexts()).toHaveLength(1);
    });

    test('a signal is a number or a name that there is', async () => {
      const { transport, protocol } = await toldShell(subject.current);
      expect(() => transport.sendSignal('SIGNONE' as never)).toThrow(
        expect.objectContaining({ code: 'ERR_UNKNOWN_SIGNAL' }),
      );
      for (const wrong of [1.5, NaN, null, {}, '9']) {
        expect(() => transport.sendSignal(wrong as never)).toThrow(
          expect.objectContaining({ code: expect.any(String) }),
        );
      }
      expect(() => transport.sendSignal(9999)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
      expect(() => transport.sendSignal(0)).not.toThrow();
      transport.sendSignal('SIGINT');
      transport.kill();
      await subject.current.runUntil(() => protocol.has('connectionLost'));
    });

    test('what it is can be seen', async () => {
      const { transport, protocol, tell } = await toldShell(subject.current, { stderr: DEVNULL });
      const pid = transport.getPid();
      expect(transport).toBeInstanceOf(SubprocessTransport);
      expect(inspect(transport)).toMatch(
        new RegExp(`^<UnixSubprocessTransport pid=${pid} running stdout=<UnixReadPipeTransport fd=\\d+ polling>>$`),
      );
      tell('exit 2');
      await subject.current.runUntil(() => protocol.has('connectionLost'));
      transport.close();
      expect(inspect(transport)).toMatch(`<UnixSubprocessTransport closed pid=${pid} returncode=2 `);
    });

    describe('in debug mode', () => {
      let log: LogRecord[];
      beforeEach(() => {
        log = [];
        subject.current.loop.setDebug(true);
        // asyncio tells of slow callbacks as well.
        subject.current.loop.slowCallbackDuration = 1000;
        setLogReceiver((record) => log.push(record));
      });

      test('UNIX-055: close warns that it kills a running child', async () => {
        const { transport, protocol } = await toldShell(subject.current);
        transport.close();
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        const warnings = log.filter(({ level }) => level === 'warning').map(({ message }) => message);
        expect(warnings).toEqual([
          expect.stringMatching(/^Close running child process: kill <UnixSubprocessTransport/),
        ]);
      });

      test('the log has the program, but not its arguments', async () => {
        const { loop } = subject.current;
        const creating = loop.subprocessExec(() => new NotingProcess(), 'true', ['secret'], {
          stdin: DEVNULL,
          stdout: PIPE,
        });
        const [transport, protocol] = await subject.current.run(creating);
        await subject.current.runUntil(() => protocol.has('connectionLost'));
        const texts = log.map(({ message }) => message).join('\n');
        expect(texts).toContain("execute program 'true' stdin, stdout, stderr: -3, -1, -1");
        expect(texts).toContain(`process 'true' created: pid ${transport.getPid()}`);
        expect(texts).toContain('exited with return code 0');
        expect(texts).not.toContain('secret');
        const shell = loop.subprocessShell(() => new NotingProcess(), 'exit 0');
        const [, other] = await subject.current.run(shell);
        await subject.current.runUntil(() => other.has('connectionLost'));
        expect(log.map(({ message }) => message).join('\n')).toContain("run shell command 'exit 0'");
      });
    });
  });
});
