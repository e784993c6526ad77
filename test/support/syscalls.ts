// syscalls.ts: descriptors of kinds that Node cannot make: eventfd, timerfd, signalfd, inotify, a pseudo-terminal. Made by
// the system calls themselves, through an addon of one function that is compiled when it is needed (Linux, a C compiler).

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { binding } from '../../lib/native/binding';

interface SyscallAddon {
  call(number: number, ...args: (number | Uint8Array)[]): number;
  [name: string]: unknown;
}

const compiler = ['cc', 'gcc', 'clang', 'g++'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Whether the functions here work. */
export const hasSyscalls = process.platform === 'linux' && compiler !== undefined;

let addon: SyscallAddon | null = null;

function load(): SyscallAddon {
  if (addon !== null) return addon;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
  try {
    const file = path.join(folder, 'syscall.node');

    const { include_dir: headers } = require('node-api-headers') as { include_dir: string };
    const source = path.join(__dirname, 'syscall.c');
    const { status, stderr } = spawnSync(
      compiler as string,
      ['-x', 'c', '-shared', '-fPIC', '-O1', `-I${headers}`, '-o', file, source],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);

    addon = require(file) as SyscallAddon;
    return addon;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes a system call by name. @throws Error with the errno's name */
export function syscall(name: string, ...args: (number | Uint8Array)[]): number {
  const { call, [name]: number } = load();
  const result = call(number as number, ...args);
  if (result >= 0) return result;
  const code = Object.keys(binding.errnoByName).find((key) => binding.errnoByName[key] === -result);
  throw Object.assign(new Error(`${name}: ${binding.errorMessage(-result)}`), { code });
}

const NON_BLOCKING = 0o4000;
const CLOSE_ON_EXEC = 0o2000000;
const FLAGS = NON_BLOCKING | CLOSE_ON_EXEC;
const CLOCK_MONOTONIC = 1;

/** A counter: readable while it is not 0. Write 8 bytes to add, read 8 bytes to take all. */
export const eventfd = (): number => syscall('eventfd2', 0, FLAGS);

export const timerfd = (): number => syscall('timerfd_create', CLOCK_MONOTONIC, FLAGS);

/** Lets a timer expire once, after `ns` nanoseconds. */
export function startTimer(fd: number, ns: number): void {
  const spec = new BigInt64Array([0n, 0n, 0n, BigInt(ns)]);
  syscall('timerfd_settime', fd, 0, spec as unknown as Uint8Array, 0);
}

const signalMask = (signal: number): Uint8Array =>
  new Uint8Array(new BigUint64Array([1n << BigInt(signal - 1)]).buffer);

/** Readable while a signal waits for this thread, in which it is blocked from now on. */
export function signalfd(signal: number): number {
  syscall('rt_sigprocmask', 0, signalMask(signal), 0, 8);
  return syscall('signalfd4', -1, signalMask(signal), 8, FLAGS);
}

/** Undoes the blocking of `signalfd`. */
export const unblockSignal = (signal: number): number => syscall('rt_sigprocmask', 1, signalMask(signal), 0, 8);

/** Sends a signal to this very thread. */
export const signalThisThread = (signal: number): number => syscall('tgkill', process.pid, syscall('gettid'), signal);

/** Readable when files were created in `folder`. */
export function inotify(folder: string): number {
  const fd = syscall('inotify_init1', FLAGS);
  const IN_CREATE = 0x100;
  syscall('inotify_add_watch', fd, Buffer.from(`${folder}\0`), IN_CREATE);
  return fd;
}

/** A pseudo-terminal in raw mode of the kernel's making: both ends, non-blocking. */
export function pseudoTerminal(): { master: number; terminal: number } {
  const flags = fs.constants.O_RDWR | fs.constants.O_NOCTTY | fs.constants.O_NONBLOCK;
  const master = fs.openSync('/dev/ptmx', flags);
  const TIOCSPTLCK = 0x40045431;
  const TIOCGPTN = 0x80045430;
  const number = new Uint32Array(1);
  syscall('ioctl', master, TIOCSPTLCK, new Uint8Array(4));
  syscall('ioctl', master, TIOCGPTN, number as unknown as Uint8Array);
  return { master, terminal: fs.openSync(`/dev/pts/${number[0]}`, flags) };
}
