// examples.test.ts: every program in examples/ does what its first lines say. The ones with a screen of their own (electron/) and
// the demo have other tests.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, readSync, rmSync, writeSync } from 'node:fs';
import { connect, type Socket as NodeSocket } from 'node:net';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

import { watch } from '../../lib/interop/watch';
import { Socket } from '../../lib/sockets/socket';
import { socketConstants } from '../../lib/sockets/constants';
import { useCompiledLibrary } from '../support/compiled-library';
import { hasSyscalls, pseudoTerminal } from '../support/syscalls';
import { testOnLinux, testOnPosix } from '../support/systems';

const folder = path.join(__dirname, '..', '..', 'examples');
const library = useCompiledLibrary();
const scratch = mkdtempSync(path.join(tmpdir(), 'fdloop-examples-'));
const running = new Set<ChildProcess>();

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** What is written to a stream, and the moment when something stands in it. */
class Output {
  text = '';
  readonly end: Promise<void>;
  #isOver = false;
  readonly #waiters = new Set<() => void>();

  constructor(stream: NodeJS.ReadableStream) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      this.text += text;
      this.#look();
    });
    this.end = new Promise((resolve) => {
      stream.on('end', () => {
        this.#isOver = true;
        this.#look();
        resolve();
      });
    });
  }

  #look(): void {
    for (const look of [...this.#waiters]) look();
  }

  until(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.text);
        if (match === null && !this.#isOver) return;
        this.#waiters.delete(look);
        if (match === null) reject(new Error(`${pattern} is not in ${JSON.stringify(this.text)}`));
        else resolve(match);
      };
      this.#waiters.add(look);
      look();
    });
  }
}

interface Running {
  input: NodeJS.WritableStream;
  output: Output;
  errors: Output;
  end: Promise<{ status: number | null; stdout: string; stderr: string }>;
  interrupt(signal?: NodeJS.Signals): void;
}

function start(program: string, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  running.add(child);
  const output = new Output(child.stdout);
  const errors = new Output(child.stderr);
  const end = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      running.delete(child);
      resolve({ status, stdout: output.text, stderr: errors.text });
    });
  });
  return { input: child.stdin, output, errors, end, interrupt: (signal = 'SIGINT') => void child.kill(signal) };
}

function example(name: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
  const source = readFileSync(path.join(folder, name), 'utf8').replace("require('..')", 'fdloop');
  return start(process.execPath, [library.script(source, path.join(scratch, name)), ...args], env);
}

async function portOf({ output }: Running): Promise<number> {
  return Number((await output.until(/listening on port (\d+)/))[1]);
}

/** Waits until something can be read. */
function readable(fd: number): Promise<void> {
  return new Promise((resolve) => {
    watch(fd, 'r', (_ready, watcher) => {
      watcher.close();
      resolve();
    });
  });
}

class Guest {
  readonly #socket: NodeSocket;
  readonly heard: Output;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.heard = new Output(this.#socket);
  }

  say(text: string): void {
    this.#socket.write(text);
  }

  leave(): void {
    this.#socket.end();
  }
}

/** A conversation with a chat server; what both guests heard. */
async function chat(port: number): Promise<string[]> {
  const ann = new Guest(port);
  await ann.heard.until(/your name/);
  ann.say('ann\nis anybody');
  await ann.heard.until(/ann is here/);
  ann.say(' here?\n');
  await ann.heard.until(/anybody here\?/);
  const bob = new Guest(port);
  bob.say('ann\n');
  await bob.heard.until(/another name/);
  bob.say('\nbob\nI am\n');
  await ann.heard.until(/bob: I am/);
  ann.leave();
  await bob.heard.until(/ann has left/);
  bob.leave();
  return [ann.heard.text, bob.heard.text];
}

const conversation = [
  'your name? ann is here, which makes 1\nann: is anybody here?\nbob is here, which makes 2\nbob: I am\n',
  'your name? another name, please: another name, please: bob is here, which makes 2\nbob: I am\nann has left\n',
];

test('chat.js serves a conversation', async () => {
  const server = example('chat.js');
  await expect(chat(await portOf(server))).resolves.toEqual(conversation);
});

testOnPosix('chat.py, the original, serves the same one', async () => {
  const server = start('python3', [path.join(folder, 'chat.py')]);
  await expect(chat(await portOf(server))).resolves.toEqual(conversation);
});

test('proxy.js passes a conversation on', async () => {
  const server = example('chat.js');
  const port = await portOf(server);
  const proxy = example('proxy.js', ['0', '127.0.0.1', String(port)]);
  await expect(chat(await portOf(proxy))).resolves.toEqual(conversation);
});

test('proxy.js lets a guest go when it cannot reach the other side, and tells why', async () => {
  const closed = example('chat.js');
  const port = await portOf(closed);
  for (const child of running) child.kill('SIGKILL');
  await closed.end;
  const proxy = example('proxy.js', ['0', '127.0.0.1', String(port)]);
  const guest = new Guest(await portOf(proxy));
  await guest.heard.end;
  await proxy.errors.until(/a connection failed: ConnectionRefusedError/);
  expect(guest.heard.text).toBe('');
});

testOnPosix('shutdown.js lets its guests finish, and ends with the last one', async () => {
  const server = example('shutdown.js', ['0']);
  const guest = new Guest(await portOf(server));
  guest.say('hello\n');
  await guest.heard.until(/hello/);
  server.interrupt('SIGHUP');
  await server.output.until(/connections: 1\n/);
  server.interrupt('SIGTERM');
  await server.output.until(/no new connections/);
  guest.say('still here\n');
  await guest.heard.until(/still here/);
  guest.leave();
  const { status, stdout, stderr } = await server.end;
  expect(stdout).toMatch(/\nconnections: 1\nno new connections\nthe end\n$/);
  expect([status, stderr]).toEqual([0, '']);
});

testOnPosix('shutdown.js ends its guests at the second Ctrl-C', async () => {
  const server = example('shutdown.js', ['0']);
  const guest = new Guest(await portOf(server));
  guest.say('hello\n');
  await guest.heard.until(/hello/);
  server.interrupt();
  await server.output.until(/no new connections/);
  server.interrupt();
  const { status, stdout, stderr } = await server.end;
  expect(stdout).toMatch(/\nno new connections\nthe end\n$/);
  expect([status, stderr]).toEqual([0, '']);
  guest.leave();
});

testOnPosix('watch-stdin.js counts what it is given, until the end', async () => {
  const counter = example('watch-stdin.js');
  counter.input.write('12345');
  await counter.output.until(/5 bytes, 5 in all/);
  counter.input.end('678');
  const { stdout, status } = await counter.end;
  expect(stdout).toContain('3 bytes, 8 in all\nthe end, after 8 bytes\n');
  expect(status).toBe(0);
});

testOnPosix('parallel.js runs commands side by side, and tells how they ended', async () => {
  // Each waits until the other one has begun.
  const [one, other] = [path.join(scratch, 'one'), path.join(scratch, 'other')];
  const meeting = (mine: string, theirs: string) => `: > ${mine}; until [ -e ${theirs} ]; do :; done`;
  const end = await example('parallel.js', [
    `${meeting(one, other)}; echo first; exit 3`,
    `${meeting(other, one)}; echo second >&2; kill -9 $$`,
  ]).end;
  expect(end.stdout.split('\n').sort()).toEqual(['', '1: ended with 3', '1: first', '2: ended with -9', '2: second']);
  expect([end.status, end.stderr]).toEqual([0, '']);
});

testOnPosix('parallel.js ends what runs when it is interrupted', async () => {
  const { output, end, interrupt } = example('parallel.js', ['echo $$; exec sleep 1000']);
  const pid = Number((await output.until(/1: (\d+)/))[1]);
  interrupt();
  await end;
  expect(() => process.kill(-pid, 0)).toThrow('ESRCH');
});

(hasSyscalls ? test : test.skip)('serial.js sends its lines to a device, and shows those of the device', async () => {
  const { master, terminal } = pseudoTerminal();
  try {
    const port = example('serial.js', [readlinkSync(`/proc/self/fd/${terminal}`)]);
    port.input.write('ping\n');
    const heard = Buffer.alloc(100);
    await readable(master);
    expect(heard.toString('utf8', 0, readSync(master, heard))).toBe('ping\r\n');
    writeSync(master, 'pong\n');
    await port.output.until(/^< pong$/m);
    port.input.end();
    const { stdout, stderr, status } = await port.end;
    expect({ stdout, stderr, status }).toEqual({ stdout: '< pong\n', stderr: '', status: 0 });
  } finally {
    for (const fd of [master, terminal]) closeSync(fd);
  }
});

testOnPosix('notify-systemd.js sends one datagram to the socket that the environment names', async () => {
  const { AF_UNIX, SOCK_DGRAM } = socketConstants;
  const manager = new Socket(AF_UNIX, SOCK_DGRAM);
  try {
    const name = path.join(scratch, 'notify');
    manager.bind(name);
    const { stdout, status } = await example('notify-systemd.js', [], { NOTIFY_SOCKET: name }).end;
    expect({ stdout, status }).toEqual({ stdout: 'systemd knows\n', status: 0 });
    expect(manager.recv(1000).toString()).toMatch(/^READY=1\nSTATUS=process \d+ listens$/);
  } finally {
    manager.close();
  }
});

testOnPosix('pass-descriptor.js reads a file through a descriptor of another process', async () => {
  const { stdout, stderr, status } = await example('pass-descriptor.js').end;
  expect({ stdout, stderr, status }).toEqual({
    stdout: expect.stringMatching(/^the source of this program: \d+ lines through descriptor \d+\n$/),
    stderr: '',
    status: 0,
  });
});

testOnLinux('asked-address.js is answered from the address that it asked', async () => {
  const { stdout, status } = await example('asked-address.js').end;
  expect({ stdout, status }).toEqual({
    stdout: ['127.0.0.1', '127.0.0.2', '127.9.9.9'].map((host) => `who is there at ${host}, says ${host}\n`).join(''),
    status: 0,
  });
});

testOnLinux('interfaces.js lists the interfaces until its time is up', async () => {
  const { stdout, status } = await example('interfaces.js', [], { WATCH_SECONDS: '0.2' }).end;
  expect(stdout).toMatch(/^lo is (up|down)$/m);
  expect(stdout).toMatch(/time is up\n$/);
  expect(status).toBe(0);
});

testOnLinux('watch-mounts.js counts the file systems until its time is up', async () => {
  const { stdout, status } = await example('watch-mounts.js', [], { WATCH_SECONDS: '0.2' }).end;
  expect(stdout).toMatch(/^\d+ file systems are mounted\n[^]*time is up\n$/);
  expect(status).toBe(0);
});

test('every example has a test here', () => {
  const source = readFileSync(__filename, 'utf8');
  const programs = readdirSync(folder).filter((name) => name.endsWith('.js') && name !== 'demo.js');
  expect(programs.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
});
