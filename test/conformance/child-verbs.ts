// child-verbs.ts: what actions do with child processes. The counterpart of child_verbs.py, in the same order.
//
// A child is a shell that runs the lines which it is told, one at a time, and says when a line is done. Whatever ends it is waited
// for in the same breath. So at each look of the loop the kernel has told all that there is to tell. And a child that nobody ends is
// one that waits for a line: as long as the shell reads one, its standard input is another descriptor, and the kernel closes
// them by their numbers.

import { readlinkSync, readSync, writeSync } from 'node:fs';

import { SIGKILL, SIGTERM, type SignalNumber } from '../../lib/base/signal-number';
import { Coroutine } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { binding } from '../../lib/native/binding';
import type { NativeChild } from '../../lib/native/types';
import { DEVNULL, PIPE, type SpawnOptions, STDOUT } from '../../lib/processes/options';
import { createSubprocessExec, Process } from '../../lib/processes/process';
import type { SubprocessProtocol } from '../../lib/processes/protocol';
import type { Subprocess } from '../../lib/processes/subprocess';
import { UnixSubprocessTransport } from '../../lib/processes/subprocess-transport';
import { type OwnedFd, pipe } from '../../lib/sockets/owned-fd';
import type { UnixReadPipeTransport } from '../../lib/transports/read-pipe-transport';
import type { ReadTransport, Transport } from '../../lib/transports/transport';
import { untilEnded } from '../processes/kit';
import { makeProtocol } from './interpreter';
import type { Verb, WaitVerb } from './verbs';
import type { Frame, World } from './world';

const SCRIPT = 'exec 8<"/dev/fd/$1" 9>"/dev/fd/$2"; while read -r line <&8; do eval "$line"; echo >&9; done';
const streams = { pipe: PIPE, null: DEVNULL, stdout: STDOUT } as const;

type ProgramOptions = Partial<Record<'stdin' | 'stdout' | 'stderr', keyof typeof streams>>;

/** How a child is told, and the child. */
interface Channel {
  readonly told: OwnedFd;
  readonly acks: OwnedFd;
  readonly native: NativeChild;
}

const channels = new WeakMap<World, Map<number, Channel>>();

function channelsOf(w: World): Map<number, Channel> {
  const known = channels.get(w) ?? new Map<number, Channel>();
  channels.set(w, known);
  return known;
}

const { spawn, signalChild } = binding;

/** Linux only: elsewhere nobody sees the descriptors of others. */
function untilListening(native: NativeChild): void {
  const link = (fd: number): string => readlinkSync(`/proc/${binding.childPid(native)}/fd/${fd}`);
  while (process.platform === 'linux' && binding.childHasEnded(native) === 0) {
    try {
      if (link(0) === link(8)) return;
    } catch (error) {
      // Not yet, or not any more.
      if ((error as { code: string }).code !== 'ENOENT') throw error;
    }
  }
}

/** Runs a coroutine that starts a child; makes its channel known as soon as it is there. */
function start<T>(
  w: World,
  options: ProgramOptions,
  creating: (program: string, args: string[], options: SpawnOptions) => Coroutine<T>,
): Coroutine<T> {
  function* run(): CoroutineGenerator<T> {
    const [orders, told] = pipe();
    const [acks, done] = pipe();
    binding.spawn = (...args) => {
      const native = spawn(...args);
      if (typeof native !== 'number') channelsOf(w).set(binding.childPid(native), { told, acks, native });
      // At once, for what the child alone has comes to an end with it.
      orders.close();
      done.close();
      if (typeof native !== 'number') untilListening(native);
      return native;
    };
    binding.signalChild = (native, signal) => {
      const result = signalChild(native, signal);
      if (signal === SIGKILL || signal === SIGTERM) untilEnded(native);
      return result;
    };
    const chosen = Object.entries(options).map(([name, stream]) => [name, streams[stream]]);
    const fds = [orders.fileno(), done.fileno()];
    try {
      return yield* creating('/bin/sh', ['-c', SCRIPT, 'sh', ...fds.map(String)], {
        ...(Object.fromEntries(chosen) as SpawnOptions),
        passFds: fds,
      });
    } finally {
      orders.close();
      done.close();
    }
  }
  return new Coroutine(run(), w.loop);
}

const child = (w: World, f: Frame, name: string): UnixSubprocessTransport | Process =>
  w.get<UnixSubprocessTransport | Process>(f, name, 'transport', 'process');
const transport = (w: World, f: Frame, name: string): UnixSubprocessTransport =>
  w.get<UnixSubprocessTransport>(f, name, 'transport');
// A missing one is a TypeError, as Python's AttributeError counts.
const pipeOf = (w: World, f: Frame, name: string, fd: number): Transport & ReadTransport =>
  transport(w, f, name).getPipeTransport(fd) as Transport & ReadTransport;
const processOf = (w: World, f: Frame, name: string): Process => w.get<Process>(f, name, 'process');

const nothing = (): null => null;
const factory = (w: World, template: string) => (): SubprocessProtocol =>
  makeProtocol(w, template) as unknown as SubprocessProtocol;

export const childVerbs: Record<string, Verb> = {
  tell(w, f, name: string, line: string) {
    const found = child(w, f, name);
    const { told, acks, native } = channelsOf(w).get(found instanceof Process ? found.pid : found.getPid()) as Channel;
    try {
      writeSync(told.fileno(), `${line}\n`);
    } catch (error) {
      if ((error as { code: string }).code !== 'EPIPE') throw error;
      return 'over';
    }
    if (readSync(acks.fileno(), new Uint8Array(1)) > 0) {
      untilListening(native);
      return 'done';
    }
    untilEnded(native);
    return 'ended';
  },
  childState(w, f, name: string) {
    const found = transport(w, f, name);
    const pipes = [0, 1, 2].map((fd) => found.getPipeTransport(fd)?.isClosing() ?? null);
    return [found.getReturncode(), found.isClosing(), pipes];
  },
  sendSignal: (w, f, name: string, signal: SignalNumber) => child(w, f, name).sendSignal(signal),
  terminate: (w, f, name: string) => child(w, f, name).terminate(),
  killChild: (w, f, name: string) => child(w, f, name).kill(),
  childWrite(w, f, name: string, size: number) {
    const stdin = pipeOf(w, f, name, 0);
    stdin.write.call(stdin, w.pattern(`child ${name}`, size));
  },
  childPipeClose: (w, f, name: string, fd: number) => pipeOf(w, f, name, fd).close(),
  childPipePause: (w, f, name: string, fd: number) => pipeOf(w, f, name, fd).pauseReading(),
  childPipeResume: (w, f, name: string, fd: number) => pipeOf(w, f, name, fd).resumeReading(),
  processState(w, f, name: string) {
    const { returncode, stdout, stderr } = processOf(w, f, name);
    return [returncode, stdout?.atEof() ?? null, stderr?.atEof() ?? null];
  },
  processWrite(w, f, name: string, size: number) {
    const { write } = processOf(w, f, name).stdin as unknown as { write: (data: Uint8Array) => void };
    write.call(processOf(w, f, name).stdin, w.pattern(`process ${name}`, size));
  },
  processClose: (w, f, name: string) => (processOf(w, f, name).stdin as { close(): void }).close(),
};

export const childWaits: Record<string, WaitVerb> = {
  spawn: (w, f, name: string, template: string, options: ProgramOptions) => ({
    awaitable: start(w, options, (program, args, settings) =>
      w.loop.subprocessExec(factory(w, template), program, args, settings),
    ),
    finish: ([made, protocol]: Subprocess<SubprocessProtocol>) => {
      w.bind(name, 'transport', made);
      return [made.isClosing(), protocol];
    },
  }),
  spawnMissing: (w, f, template: string) => ({
    awaitable: w.loop.subprocessExec(factory(w, template), '/nowhere/at/all'),
  }),
  childExit(w, f, name: string) {
    const found = child(w, f, name);
    return { awaitable: found instanceof Process ? found.wait() : new Coroutine(found._wait(), w.loop) };
  },
  process: (w, f, name: string, options: ProgramOptions) => ({
    awaitable: start(w, options, createSubprocessExec),
    finish: (made: Process) => {
      w.bind(name, 'process', made);
      return [made.stdin !== null, made.stdout !== null, made.stderr !== null];
    },
  }),
  processDrain: (w, f, name: string) => ({
    awaitable: (processOf(w, f, name).stdin as { drain(): Coroutine<void> }).drain(),
    finish: nothing,
  }),
  processRead: (w, f, name: string, size: number) => ({
    awaitable: (processOf(w, f, name).stdout as { read(size: number): Coroutine<Buffer> }).read(size),
  }),
  communicate: (w, f, name: string, size: number | null = null) => ({
    awaitable: processOf(w, f, name).communicate(size === null ? null : w.pattern(`process ${name}`, size)),
  }),
};

/** The program is over: nothing of its children is left. */
export function endChildren(w: World): void {
  Object.assign(binding, { spawn, signalChild });
  for (const made of w.names.keys()) {
    if (!(made instanceof UnixSubprocessTransport)) continue;
    for (const fd of [0, 1, 2]) {
      const end = made.getPipeTransport(fd) as unknown as UnixReadPipeTransport | null;
      if (end === null || end._pipe === null) continue;
      end._protocol = null;
      end._callConnectionLost(null);
    }
  }
  for (const { told, acks, native } of channelsOf(w).values()) {
    signalChild(native, SIGKILL);
    untilEnded(native);
    binding.reapChild(native, new Int32Array(1));
    told.close();
    acks.close();
  }
}
