// process.test.ts: child processes to await: streams, communicate, codes.

import { inspect } from 'node:util';

import { ProcessLookupError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { gather } from '../../lib/futures/gather';
import { sleep } from '../../lib/futures/sleep';
import { waitFor } from '../../lib/futures/wait-for';
import { DEVNULL, PIPE, STDOUT } from '../../lib/processes/options';
import { createSubprocessExec, createSubprocessShell, Process, type ProcessOptions } from '../../lib/processes/process';
import { SubprocessStreamProtocol } from '../../lib/processes/subprocess-stream-protocol';
import { StreamReader } from '../../lib/streams/stream-reader';
import { StreamWriter } from '../../lib/streams/stream-writer';
import { openDescriptors } from '../support/descriptors';
import { useLoop } from '../support/loops';
import { describeOnPosix } from '../support/systems';
import { isThere } from './kit';

const all = { stdin: PIPE, stdout: PIPE, stderr: PIPE };

describeOnPosix('a process', () => {
  afterEach(() => {
    setLogReceiver(null);
  });

  describe.each(['sync', 'hosted'] as const)('%s', (driver) => {
    const subject = useLoop(driver);
    const run = <T>(body: () => Promise<T>): Promise<T> => subject.current.run(body);
    const shell = (command: string, options: ProcessOptions = {}) => createSubprocessShell(command, options);
    /** A process that ends when its input does. */
    const cat = (options: ProcessOptions = {}) => createSubprocessExec('cat', [], { ...all, ...options });

    test('its pipes are a writer and readers', () =>
      run(async () => {
        const made = await cat();
        expect([made.stdin, made.stdout, made.stderr].map((stream) => stream?.constructor)).toEqual([
          StreamWriter,
          StreamReader,
          StreamReader,
        ]);
        made.stdin?.write(Buffer.from('one\ntwo\n'));
        await made.stdin?.drain();
        const lines = [await made.stdout?.readline(), await made.stdout?.readline()];
        expect(lines.map(String)).toEqual(['one\n', 'two\n']);
        made.stdin?.close();
        await made.stdin?.waitClosed();
        await expect(made.wait()).resolves.toBe(0);
        expect([made.stdout?.atEof(), isThere(made.pid)]).toEqual([true, false]);
      }));

    test('a generator runs it as an async function does', async () => {
      const output = await subject.current.run(function* () {
        const made = yield* createSubprocessExec('cat', [], { stdin: PIPE, stdout: PIPE });
        return yield* made.communicate(Buffer.from('text'));
      });
      expect(output).toEqual([Buffer.from('text'), null]);
    });

    test.each([0, 1, 127, 255])('the code of one that exits with %d is that', (code) =>
      run(async () => {
        const made = await shell(`exit ${code}`);
        expect(made.returncode).toBeNull();
        await expect(made.wait()).resolves.toBe(code);
        expect(made.returncode).toBe(code);
        await expect(made.wait()).resolves.toBe(code);
      }),
    );

    test.each([
      ['SIGHUP', 1],
      ['SIGKILL', 9],
      ['SIGSEGV', 11],
      ['SIGTERM', 15],
    ] as const)('UNIX-059: the code of one that %s ended is minus its number', (signal, number) =>
      run(async () => {
        const made = await cat();
        made.sendSignal(signal);
        await expect(made.wait()).resolves.toBe(-number);
        const other = await shell(`kill -${number} $$`);
        await expect(other.wait()).resolves.toBe(-number);
      }),
    );

    test('terminate and kill end it, after which there is nobody to end', () =>
      run(async () => {
        const [one, other] = [await cat(), await cat()];
        one.terminate();
        other.kill();
        await expect(gather([one.wait(), other.wait()])).resolves.toEqual([-15, -9]);
        expect(() => one.kill()).toThrow(ProcessLookupError);
        expect(() => one.terminate()).toThrow(ProcessLookupError);
        expect(() => one.sendSignal(0)).toThrow(ProcessLookupError);
      }));

    test('its transport is closed when it is over', async () => {
      const { loop } = subject.current;
      const factory = () => new SubprocessStreamProtocol(100, loop);
      const [transport, protocol] = await subject.current.run(loop.subprocessShell(factory, 'cat; exit 3'));
      protocol.stdin?.close();
      expect(transport.isClosing()).toBe(false);
      await subject.current.runUntil(() => transport.isClosing());
      expect([protocol.stdout?.atEof(), transport.getReturncode()]).toEqual([true, 3]);
      await subject.current.runUntil(() => transport.getProtocol() === null);
    });

    test('who gives up waiting for the end of stdin does no harm', () =>
      run(async () => {
        const made = await cat();
        await expect(waitFor((made.stdin as StreamWriter).waitClosed(), 0.01)).rejects.toMatchObject({
          name: 'TimeoutError',
        });
        await made.communicate();
        expect(subject.current.takeContexts()).toEqual([]);
      }));

    test('a time limit for its end leaves it running', () =>
      run(async () => {
        const made = await cat();
        await expect(waitFor(made.wait(), 0.01)).rejects.toMatchObject({ name: 'TimeoutError' });
        expect([made.returncode, isThere(made.pid)]).toEqual([null, true]);
        made.kill();
        await made.wait();
      }));

    test('a limit is that of its readers', () =>
      run(async () => {
        const made = await cat({ limit: 4 });
        made.stdin?.write(Buffer.from('longer\n'));
        await expect(made.stdout?.readline()).rejects.toMatchObject({ code: 'ERR_LINE_TOO_LONG' });
        await made.communicate();
      }));

    test('many run side by side', () =>
      run(async () => {
        const codes = await gather(
          Array.from({ length: 12 }, (_, code) => async () => (await shell(`exit ${code}`)).wait()),
        );
        expect(codes).toEqual(Array.from({ length: 12 }, (_, code) => code));
      }));

    test('what it is can be seen', () =>
      run(async () => {
        const made = await shell('exit 0');
        expect(made).toBeInstanceOf(Process);
        expect(inspect(made)).toBe(`<Process ${made.pid}>`);
        await made.wait();
      }));

    describe('communicate', () => {
      test('UNIX-063: feeds stdin, reads both outputs, waits for the end', () =>
        run(async () => {
          const made = await shell('cat; echo error >&2; exit 3', all);
          const outputs = await made.communicate(Buffer.from('input'));
          expect(outputs.map(String)).toEqual(['input', 'error\n']);
          expect([made.returncode, isThere(made.pid)]).toEqual([3, false]);
        }));

      test('UNIX-063: is null for what is no pipe', () =>
        run(async () => {
          const none = await shell('exit 0', { stdin: DEVNULL, stdout: DEVNULL, stderr: DEVNULL });
          await expect(none.communicate()).resolves.toEqual([null, null]);
          const one = await shell('echo out; echo error >&2', { stdout: PIPE, stderr: STDOUT });
          await expect(one.communicate()).resolves.toEqual([Buffer.from('out\nerror\n'), null]);
          const other = await shell('echo error >&2', { stderr: PIPE });
          await expect(other.communicate(Buffer.from('not read'))).resolves.toEqual([null, Buffer.from('error\n')]);
        }));

      test('UNIX-063: reads both outputs at once, whichever is full', () =>
        run(async () => {
          const fill = 'head -c 262144 /dev/zero';
          const made = await shell(`${fill}; ${fill} >&2; ${fill}; ${fill} >&2`, all);
          const [out, errors] = await made.communicate();
          expect([out?.length, errors?.length]).toEqual([1 << 19, 1 << 19]);
        }));

      test('UNIX-063: more than pipes hold goes through', () =>
        run(async () => {
          const input = Buffer.alloc(1 << 20, 'a line of text\n');
          const made = await cat();
          const [out] = await made.communicate(input);
          expect(out?.equals(input)).toBe(true);
        }));

      test('UNIX-063: a process that reads nothing is no error', () =>
        run(async () => {
          const made = await shell('exec <&-; echo out', all);
          const [out] = await made.communicate(Buffer.alloc(1 << 20));
          expect([String(out), made.returncode]).toEqual(['out\n', 0]);
        }));

      test('UNIX-063: a process that ends before it has read all is no error, but stdin’s', () =>
        run(async () => {
          const made = await shell('echo stopped; kill -STOP $$', all);
          const communicating = subject.current.loop.createTask(made.communicate(Buffer.alloc(1 << 20)));
          while (made.stdin?.transport.getWriteBufferSize() === 0) await sleep(0);
          made.kill();
          await expect(communicating).resolves.toEqual([expect.any(Buffer), Buffer.alloc(0)]);
          expect(made.returncode).toBe(-9);
          await expect(made.stdin?.waitClosed()).rejects.toMatchObject({ code: 'EPIPE' });
        }));

      test('UNIX-063: a process that is over is no error', () =>
        run(async () => {
          const made = await shell('echo out', all);
          await made.wait();
          const [out] = await made.communicate(Buffer.alloc(1 << 20));
          expect(String(out)).toBe('out\n');
        }));

      test('nothing as input closes stdin', () =>
        run(async () => {
          const made = await cat();
          await expect(made.communicate()).resolves.toEqual([Buffer.alloc(0), Buffer.alloc(0)]);
          expect(made.returncode).toBe(0);
        }));

      test('cancelled, it leaves the process running', () =>
        run(async () => {
          const made = await shell('kill -STOP $$', { stdout: PIPE });
          await expect(waitFor(made.communicate(), 0.01)).rejects.toMatchObject({ name: 'TimeoutError' });
          expect(isThere(made.pid)).toBe(true);
          made.kill();
          await made.wait();
        }));

      test('tells in debug mode what it does', () =>
        run(async () => {
          const messages: string[] = [];
          const made = await cat();
          setLogReceiver(({ message }) => messages.push(message));
          subject.current.loop.setDebug(true);
          await made.communicate(Buffer.from('four'));
          subject.current.loop.setDebug(false);
          const told = messages.filter((message) => message.includes('communicate'));
          // The child ends both streams at once: which end is heard of first is the kernel's choice.
          expect([...told.slice(0, 4), ...told.slice(4).sort()]).toEqual(
            [
              'feeds stdin (4 bytes)',
              'closes stdin',
              'reads stdout',
              'reads stderr',
              'closes stderr',
              'closes stdout',
            ].map((text) => `<Process ${made.pid}> communicate: ${text}`),
          );
        }));
    });

    test('nothing is left of processes that ended', async () => {
      const before = openDescriptors();
      await run(async () => {
        for (const command of ['exit 0', 'exec >&-; exit 1', 'kill -9 $$', 'cat']) {
          await (await shell(command, all)).communicate();
        }
        await expect(createSubprocessExec('/nowhere', [], all)).rejects.toMatchObject({ code: 'ENOENT' });
        await expect(shell('', { ...all, cwd: '/nowhere' })).rejects.toMatchObject({ code: 'ENOENT' });
      });
      expect(openDescriptors()).toEqual(before);
    });
  });
});
