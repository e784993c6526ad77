// options.test.ts: how a program is started: its streams, its environment, where it is looked for, what is refused.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { ValueError } from '../../lib/base/errors';
import { DEVNULL, PIPE, STDOUT, type SpawnOptions } from '../../lib/processes/options';
import { createSubprocessExec, createSubprocessShell, type ProcessOptions } from '../../lib/processes/process';
import { binding } from '../../lib/native/binding';
import { pipe } from '../../lib/sockets/owned-fd';
import { useLoop } from '../support/loops';
import { readAll } from '../support/pipes';
import { describeOnPosix, isLinux } from '../support/systems';
import { NotingProcess } from './kit';

describeOnPosix('options of a process', () => {
  const subject = useLoop('sync');
  let folder: string;

  beforeEach(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-')));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  /** What a shell says that runs `script`. */
  const output = (script: string, options: ProcessOptions = {}): Promise<string> =>
    subject.current.run(async () => {
      const shell = await createSubprocessExec('/bin/sh', ['-c', script], { stdout: PIPE, ...options });
      return String((await shell.communicate())[0]);
    });
  const running = (options: object, program: unknown = 'true', args: unknown = []): Promise<unknown> =>
    subject.current.run(async () => {
      const made = await createSubprocessExec(program as string, args as string[], options);
      return made.wait();
    });

  describe('refusals', () => {
    const refused: [string, unknown][] = [
      ['universalNewlines', true],
      ['text', true],
      ['encoding', 'utf8'],
      ['errors', 'strict'],
      ['bufsize', 1],
      ['bufsize', -1],
    ];
    const factory = jest.fn(() => new NotingProcess());
    const exec = (options: object) =>
      subject.current.run(subject.current.loop.subprocessExec(factory, 'true', [], options));
    const shell = (options: object, command: unknown = 'true') =>
      subject.current.run(subject.current.loop.subprocessShell(factory, command as string, options));

    afterEach(() => expect(factory).not.toHaveBeenCalled());

    test.each([...refused, ['shell', true]])('UNIX-047: subprocessExec refuses %s = %p', async (name, value) => {
      await expect(exec({ [name]: value })).rejects.toThrow(ValueError);
    });

    test.each([...refused, ['shell', false]])('UNIX-047: subprocessShell refuses %s = %p', async (name, value) => {
      await expect(shell({ [name]: value })).rejects.toThrow(ValueError);
    });

    test.each([1, null, ['true'], {}])('UNIX-047: a command that is %p is a ValueError', async (command) => {
      await expect(shell({}, command)).rejects.toThrow(ValueError);
    });

    test('an option that there is not is a TypeError', async () => {
      await expect(exec({ preexecFn: () => 1 })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
      await expect(exec({ detached: true })).rejects.toThrow("'detached'");
    });
  });

  test('UNIX-047: what is refused may be said to be as it is', async () => {
    const asIs = { universalNewlines: false, text: null, encoding: null, errors: undefined, bufsize: 0 };
    await expect(running({ ...asIs, shell: false })).resolves.toBe(0);
    await expect(
      subject.current.run(async () =>
        (await createSubprocessShell('exit 3', { ...asIs, shell: true } as object)).wait(),
      ),
    ).resolves.toBe(3);
  });

  test.each<[string, object, unknown?, unknown?]>([
    ['a program that is no text', {}, 5],
    ['arguments that are no array', {}, 'true', '-l'],
    ['an argument that is no text', {}, 'true', [5]],
    ['a directory that is no text', { cwd: 5 }],
    ['an environment with a number in it', { env: { PATH: '/bin', NUMBER: 5 } }],
    ['a umask that is no number', { umask: '022' }],
    ['a user that is no name', { user: true }],
    ['a group that is no name', { group: Buffer.from('root') }],
    ['a supplementary group that is no name', { extraGroups: [null] }],
    ['no list of supplementary groups', { extraGroups: 5 }],
    ['no list of descriptors', { passFds: 5 }],
  ])('%s is a TypeError', async (_what, ...[options, program, args]) => {
    await expect(running(options, program, args)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  test.each<[string, object, unknown?, unknown?]>([
    ['a program with a NUL', {}, 'tr\0ue'],
    ['an argument with a NUL', {}, 'true', ['\0']],
    ['a directory with a NUL', { cwd: '/\0' }],
    ['a variable with a NUL', { env: { NAME: '\0' } }],
    ['the name of a variable with a sign of equality', { env: { 'NAME=': 'value' } }],
    ['a stream that is nothing', { stdin: {} }],
    ['a negative descriptor', { stdout: -4 }],
    ['STDOUT for stdin', { stdin: STDOUT }],
    ['STDOUT for stdout', { stdout: STDOUT }],
    ['a process group below 0', { processGroup: -1 }],
    ['a user below 0', { user: -1 }],
    ['the user that means nobody', { user: 0xffffffff }],
    ['a supplementary group below 0', { extraGroups: [0, -1] }],
    ['the name of a user with a NUL', { user: 'ro\0ot' }],
    ['a name for a list of groups', { extraGroups: 'root' }],
    ['a text for a list of descriptors', { passFds: '1' }],
  ])('%s is a ValueError', async (_what, ...[options, program, args]) => {
    await expect(running(options, program, args)).rejects.toThrow(ValueError);
  });

  test.each<[string, string, object]>([
    ['a user', 'ERR_UNKNOWN_USER', { user: 'nobody of this name' }],
    ['a user without a name', 'ERR_UNKNOWN_USER', { user: '' }],
    ['a group', 'ERR_UNKNOWN_GROUP', { group: 'nobody of this name' }],
    ['a supplementary group', 'ERR_UNKNOWN_GROUP', { extraGroups: [0, 'nobody of this name'] }],
  ])('%s that the system does not know is a KeyError', async (_what, code, options) => {
    await expect(running(options)).rejects.toMatchObject({ name: 'KeyError', code });
  });

  test('a database of users that does not answer is told as the system does', async () => {
    const findUser = jest.spyOn(binding, 'findUser').mockReturnValue(-binding.errnoByName.EIO);
    await expect(running({ user: 'root' })).rejects.toMatchObject({ code: 'EIO', syscall: 'getpwnam' });
    findUser.mockRestore();
  });

  test('a limit of nothing is told before there is a process', async () => {
    const spawn = jest.spyOn(binding, 'spawn');
    await expect(running({ limit: 0, stdout: PIPE })).rejects.toThrow(ValueError);
    await expect(running({ limit: '64 KiB', stdout: PIPE })).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(spawn).not.toHaveBeenCalled();
    spawn.mockRestore();
  });

  describe('streams', () => {
    test('UNIX-048: the verbs of the loop make pipes of the standard streams', async () => {
      const { loop } = subject.current;
      const [transport, protocol] = await subject.current.run(loop.subprocessExec(() => new NotingProcess(), 'cat'));
      const names = [0, 1, 2].map((fd) => transport.getPipeTransport(fd)?.constructor.name);
      transport.close();
      await subject.current.runUntil(() => protocol.has('connectionLost'));
      expect(names).toEqual(['UnixWritePipeTransport', 'UnixReadPipeTransport', 'UnixReadPipeTransport']);
    });

    test('UNIX-048: the helpers leave the standard streams as they are', async () => {
      const file = fs.openSync(path.join(folder, 'out'), 'w+');
      const spawn = jest.spyOn(binding, 'spawn');
      const shell = await subject.current.run(createSubprocessShell('exit 0'));
      expect([shell.stdin, shell.stdout, shell.stderr]).toEqual([null, null, null]);
      expect([...spawn.mock.calls[0][4]]).toEqual([-1, -1, -1]);
      spawn.mockRestore();
      await subject.current.run(shell.wait());
      fs.closeSync(file);
    });

    test('a descriptor, or an object that has one, becomes a stream, and stays the caller’s', async () => {
      const file = fs.openSync(path.join(folder, 'file'), 'w+');
      const [readEnd, writeEnd] = pipe();
      fs.writeSync(writeEnd.fileno(), 'piped');
      writeEnd.close();
      await expect(output('cat; echo error >&2', { stdin: readEnd, stdout: file, stderr: file })).resolves.toBe('null');
      expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('pipederror\n');
      readEnd.close();
      fs.closeSync(file);
    });

    test('DEVNULL is nothing to read and nowhere to write', async () => {
      await expect(output('cat; echo lost >&2; echo done', { stdin: DEVNULL, stderr: DEVNULL })).resolves.toBe(
        'done\n',
      );
    });

    test('STDOUT sends stderr to where stdout goes', async () => {
      await expect(output('echo out; echo error >&2', { stderr: STDOUT })).resolves.toBe('out\nerror\n');
      const file = fs.openSync(path.join(folder, 'file'), 'w+');
      await output('echo out; echo error >&2', { stdout: file, stderr: STDOUT });
      fs.closeSync(file);
      expect(fs.readFileSync(path.join(folder, 'file'), 'utf8')).toBe('out\nerror\n');
    });

    test('STDOUT sends stderr to the stdout of this process if that is the one of the child', async () => {
      const spawn = jest.spyOn(binding, 'spawn');
      await running({ stderr: STDOUT });
      expect([...spawn.mock.calls[0][4]]).toEqual([-1, -1, 1]);
      spawn.mockRestore();
    });

    test('the pipes of the child are in its blocking mode, and not inheritable further', async () => {
      // dd would fail with EAGAIN.
      await expect(output('dd bs=1 count=1 2>/dev/null', { stdin: PIPE })).resolves.toBe('');
    });
  });

  describe('the program', () => {
    const script = (name: string, text: string, mode = 0o755): string => {
      const file = path.join(folder, name);
      fs.writeFileSync(file, `#!/bin/sh\n${text}\n`, { mode });
      return file;
    };

    test('is looked for in the PATH of its own environment', async () => {
      script('fdloop-program', 'exit 9');
      await expect(running({ env: { PATH: `/nowhere:${folder}` } }, 'fdloop-program')).resolves.toBe(9);
      await expect(running({}, 'fdloop-program')).rejects.toMatchObject({ code: 'ENOENT', path: 'fdloop-program' });
    });

    test('is looked for in the usual places without a PATH', async () => {
      await expect(running({ env: {} }, 'sh', ['-c', 'exit 8'])).resolves.toBe(8);
    });

    test('with a slash is a file', async () => {
      script('program', 'exit 9');
      await expect(running({ cwd: folder }, './program')).resolves.toBe(9);
      await expect(running({ env: { PATH: '/' } }, 'bin/sh')).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test('an empty folder in the PATH is the present one', async () => {
      script('program', 'exit 9');
      await expect(running({ cwd: folder, env: { PATH: '/nowhere:' } }, 'program')).resolves.toBe(9);
    });

    test('that must not be run is EACCES, though another folder does not have it', async () => {
      script('program', 'exit 9', 0o644);
      const env = { PATH: `/nowhere:${folder}:/nowhere` };
      await expect(running({ env }, 'program')).rejects.toMatchObject({ code: 'EACCES', syscall: 'execve' });
    });

    test('below a file is ENOTDIR, unless the last folder just does not have it', async () => {
      const file = script('file', '');
      const below = { name: 'NotADirectoryError', code: 'ENOTDIR', syscall: 'execve' };
      await expect(running({}, `${file}/program`)).rejects.toMatchObject({ ...below, path: `${file}/program` });
      await expect(running({ env: { PATH: `/nowhere:${file}` } }, 'program')).rejects.toMatchObject(below);
      await expect(running({ env: { PATH: `${file}:/nowhere` } }, 'program')).rejects.toMatchObject({ code: 'ENOENT' });
    });

    test('that is no program is ENOEXEC: no shell is asked', async () => {
      const file = path.join(folder, 'text');
      fs.writeFileSync(file, 'exit 0\n', { mode: 0o755 });
      await expect(running({}, file)).rejects.toMatchObject({ code: 'ENOEXEC', path: file });
    });

    test('may be another one than it is told to be', async () => {
      const shown = subject.current.run(async () => {
        const options = { executable: '/bin/sh', stdout: PIPE };
        const shell = await createSubprocessExec('my name', ['-c', 'echo $0'], options);
        return String((await shell.communicate())[0]);
      });
      await expect(shown).resolves.toBe('my name\n');
      await expect(running({ executable: '/nowhere' })).rejects.toMatchObject({ code: 'ENOENT', path: '/nowhere' });
    });

    test('texts are UTF-8, and bytes are as they are', async () => {
      const bytes = Buffer.from([0xff, 0xfe, 0x41]);
      const shown = subject.current.run(async () => {
        const options = { stdout: PIPE, env: { PATH: process.env.PATH, BYTES: bytes } };
        const shell = await createSubprocessExec('sh', ['-c', 'printf %s "$0$1$BYTES"', 'ü', bytes], options);
        return (await shell.communicate())[0];
      });
      await expect(shown).resolves.toEqual(Buffer.concat([Buffer.from('ü'), bytes, bytes]));
    });
  });

  describe('what the child is like', () => {
    test('its environment is that of this process, or what is given, and nothing else', async () => {
      process.env.FDLOOP_INHERITED = 'yes';
      try {
        await expect(output('echo $FDLOOP_INHERITED')).resolves.toBe('yes\n');
        const env = { PATH: process.env.PATH, ONLY: 'this', NOT: undefined };
        await expect(
          output('env | grep -v ^_ | grep -v ^PWD | grep -v ^SHLVL | cut -d= -f1 | sort', { env }),
        ).resolves.toBe('ONLY\nPATH\n');
      } finally {
        delete process.env.FDLOOP_INHERITED;
      }
    });

    test('it begins in its directory', async () => {
      await expect(output('pwd', { cwd: folder })).resolves.toBe(`${folder}\n`);
      await expect(output('pwd', { cwd: Buffer.from(folder) })).resolves.toBe(`${folder}\n`);
    });

    test('a directory that is not there is told by name', async () => {
      const error = { code: 'ENOENT', syscall: 'chdir', path: '/nowhere', name: 'FileNotFoundError' };
      await expect(output('', { cwd: '/nowhere' })).rejects.toMatchObject(error);
    });

    test('it has its umask', async () => {
      await expect(output('umask', { umask: 0o27 })).resolves.toMatch(/^0?0027\n$/);
    });

    test('it leads a session, or a process group, if it is to', async () => {
      const groupOf = (options: SpawnOptions) => output('echo $$; ps -o pgid= -p $$', options);
      const isLeader = async (options: SpawnOptions) => {
        const [pid, group] = (await groupOf(options)).trim().split(/\s+/);
        return pid === group;
      };
      await expect(isLeader({})).resolves.toBe(false);
      await expect(isLeader({ startNewSession: true })).resolves.toBe(true);
      await expect(isLeader({ processGroup: 0 })).resolves.toBe(true);
      await expect(isLeader({ processGroup: null })).resolves.toBe(false);
    });

    test('a process group that is not there is told', async () => {
      const error = { code: 'EPERM', syscall: 'setpgid' };
      await expect(output('', { processGroup: 0x3fffffff })).rejects.toMatchObject(error);
    });

    (process.getuid?.() === 0 ? test : test.skip)('root starts it as somebody else', async () => {
      const options = { user: 65534, group: 65533, extraGroups: [65532] };
      await expect(output('id -u; id -g; id -G', options)).resolves.toBe('65534\n65533\n65533 65532\n');
      expect(process.getuid?.()).toBe(0);
    });

    (process.getuid?.() === 0 ? test : test.skip)('root starts it as somebody who is given by name', async () => {
      const [user, group] = (await output('id -u daemon; id -g daemon')).split('\n');
      const options = { user: 'daemon', group: 'daemon', extraGroups: new Set(['daemon', 65532]) };
      await expect(output('id -u; id -g; id -G', options)).resolves.toBe(`${user}\n${group}\n${group} 65532\n`);
    });

    test('SIGPIPE ends it, though this process ignores it', async () => {
      const script = 'kill -PIPE $$; echo ignored';
      await expect(output(script)).resolves.toBe('');
      await expect(output(script, { restoreSignals: false })).resolves.toBe('ignored\n');
    });

    test('it has no descriptor that it was not given', async () => {
      const [readEnd, writeEnd] = pipe();
      binding.setInheritable(writeEnd.fileno(), true);
      const script = `{ echo written > /dev/fd/${writeEnd.fileno()}; } 2>/dev/null || echo none`;
      await expect(output(script)).resolves.toBe('none\n');
      await expect(output(script, { closeFds: false })).resolves.toBe('');
      writeEnd.close();
      expect(String(readAll(readEnd.fileno()))).toBe('written\n');
      readEnd.close();
    });

    test('it has the descriptors that are passed, under their numbers', async () => {
      const [readEnd, writeEnd] = pipe();
      const script = `echo written > /dev/fd/${writeEnd.fileno()}`;
      await output(script, { passFds: new Set([writeEnd, writeEnd.fileno()]) });
      expect(binding.getInheritable(writeEnd.fileno())).toBe(0);
      writeEnd.close();
      expect(String(readAll(readEnd.fileno()))).toBe('written\n');
      readEnd.close();
    });

    test('descriptors are passed in any order, and what lies between them is closed', async () => {
      const ends = [...pipe(), ...pipe()];
      const numbers = ends.map((end) => end.fileno());
      const [first, second, third, fourth] = numbers;
      binding.setInheritable(third, true);
      const script = `for fd in ${numbers.join(' ')}; do [ -e /dev/fd/$fd ] && echo $fd; done; :`;
      await expect(output(script, { passFds: [fourth, first, second] })).resolves.toBe(
        `${first}\n${second}\n${fourth}\n`,
      );
      for (const end of ends) end.close();
    });

    test('passing descriptors closes the others, with a warning if that was not wanted', async () => {
      const [readEnd, writeEnd] = pipe();
      binding.setInheritable(writeEnd.fileno(), true);
      const emitWarning = jest.spyOn(process, 'emitWarning').mockReturnValue();
      const script = `{ echo > /dev/fd/${writeEnd.fileno()}; } 2>/dev/null || echo none`;
      await expect(output(script, { closeFds: false, passFds: [readEnd] })).resolves.toBe('none\n');
      expect(emitWarning).toHaveBeenCalledWith('passFds overrides closeFds: false', 'RuntimeWarning');
      emitWarning.mockRestore();
      readEnd.close();
      writeEnd.close();
    });

    test('a descriptor that is not open cannot be passed', async () => {
      await expect(output('', { passFds: [900] })).rejects.toMatchObject({ code: 'EBADF' });
    });

    (isLinux ? test : test.skip)('it has no signal blocked or ignored', async () => {
      const masks = await output('grep -E "^Sig(Blk|Ign)" /proc/self/status');
      expect(masks).toMatch(/SigBlk:\t0{16}\nSigIgn:\t0{16}\n/);
    });
  });
});
