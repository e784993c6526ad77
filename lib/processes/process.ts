// process.ts: a child process to await, with streams. asyncio: subprocess.Process, create_subprocess_exec,
// create_subprocess_shell.

import { inspect } from 'node:util';

import { BrokenPipeError, ConnectionResetError } from '../base/errors';
import { logger } from '../base/log';
import type { SignalNumber } from '../base/signal-number';
import { Coroutine } from '../futures/coroutine';
import { getRunningLoop } from '../futures/current';
import type { CoroutineGenerator } from '../futures/frame';
import { gather } from '../futures/gather';
import type { BaseEventLoop } from '../loop/base-event-loop';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { DEFAULT_LIMIT, type StreamReader } from '../streams/stream-reader';
import type { StreamWriter } from '../streams/stream-writer';
import type { CommandText, SpawnOptions } from './options';
import { type Subprocess, subprocessExec, subprocessShell } from './subprocess';
import { SubprocessStreamProtocol } from './subprocess-stream-protocol';
import type { UnixSubprocessTransport } from './subprocess-transport';

export interface ProcessOptions extends SpawnOptions {
  /** The limit of the readers of stdout and stderr, in bytes (64 KiB): see `StreamReader`. */
  limit?: number;
}

/** What the outputs of a process were; null for one that was no pipe. */
export type Outputs = [stdout: Buffer | null, stderr: Buffer | null];

/** A child process. asyncio: subprocess.Process. */
export class Process {
  /** Writes to its standard input; null if that is no pipe. */
  readonly stdin: StreamWriter | null;
  /** Reads its output; null if that is no pipe. */
  readonly stdout: StreamReader | null;
  readonly stderr: StreamReader | null;
  /** The number of the process. */
  readonly pid: number;
  readonly #transport: UnixSubprocessTransport;
  readonly #loop: BaseEventLoop;

  /** @internal */
  constructor(transport: UnixSubprocessTransport, protocol: SubprocessStreamProtocol, loop: BaseEventLoop) {
    this.#transport = transport;
    this.#loop = loop;
    this.stdin = protocol.stdin;
    this.stdout = protocol.stdout;
    this.stderr = protocol.stderr;
    this.pid = transport.getPid();
  }

  /** What it exited with, or minus the signal that ended it; null while it runs. */
  get returncode(): number | null {
    return this.#transport.getReturncode();
  }

  /**
   * Waits for the exit of the process, and gives its code. With pipes that nobody reads, a process that writes much never
   * comes to its end: then `communicate`.
   */
  wait(): Coroutine<number> {
    return new Coroutine(this.#transport._wait(), this.#loop);
  }

  /**
   * Sends a signal, by number or name; nothing happens if the process has just exited. asyncio: send_signal.
   * @throws ProcessLookupError when its exit was told; TypeError, ValueError for what is no signal; OSError (EPERM, EINVAL)
   */
  sendSignal(signal: SignalNumber): void {
    this.#transport.sendSignal(signal);
  }

  /** Sends SIGTERM; otherwise as `sendSignal`. */
  terminate(): void {
    this.#transport.terminate();
  }

  /** Sends SIGKILL; otherwise as `sendSignal`. */
  kill(): void {
    this.#transport.kill();
  }

  /**
   * Writes `input` and closes stdin, reads both outputs to their ends, and waits for the exit. That the process does not read
   * all of its input is no error.
   */
  communicate(input: Uint8Array | null = null): Coroutine<Outputs> {
    return new Coroutine(this.#communicate(input), this.#loop);
  }

  *#communicate(input: Uint8Array | null): CoroutineGenerator<Outputs> {
    const { stdin, stdout, stderr } = this;
    const [, output, errors] = yield* gather([
      stdin === null ? nothing() : this.#feed(stdin, input),
      stdout === null ? nothing() : this.#drain(stdout, 1),
      stderr === null ? nothing() : this.#drain(stderr, 2),
    ]);
    yield* this.#transport._wait();
    return [output, errors];
  }

  *#feed(stdin: StreamWriter, input: Uint8Array | null): CoroutineGenerator<null> {
    try {
      if (input !== null) {
        stdin.write(input);
        this.#debug(`feeds stdin (${input.length} bytes)`);
      }
      yield* stdin.drain();
    } catch (error) {
      if (!(error instanceof BrokenPipeError || error instanceof ConnectionResetError)) throw error;
      this.#debug(`stdin: ${inspect(error)}`);
    }
    this.#debug('closes stdin');
    stdin.close();
    return null;
  }

  *#drain(reader: StreamReader, fd: 1 | 2): CoroutineGenerator<Buffer> {
    const transport = this.#transport.getPipeTransport(fd);
    const name = fd === 1 ? 'stdout' : 'stderr';
    this.#debug(`reads ${name}`);
    const output = yield* reader.read();
    this.#debug(`closes ${name}`);
    transport?.close();
    return output;
  }

  #debug(text: string): void {
    if (this.#loop.getDebug()) logger.debug(`${inspect(this)} communicate: ${text}`);
  }

  [inspect.custom](): string {
    return `<Process ${this.pid}>`;
  }
}

function* nothing(): CoroutineGenerator<null> {
  return null;
}

/**
 * Starts a program with arguments, and gives its process. Its standard streams are those of this process unless `options` say
 * otherwise. asyncio: create_subprocess_exec.
 * @throws (when awaited) as `loop.subprocessExec`
 */
export function createSubprocessExec(
  program: CommandText,
  args: readonly CommandText[] = [],
  options: ProcessOptions = {},
): Coroutine<Process> {
  return new Coroutine(creating(options, (loop, factory, rest) => subprocessExec(loop, factory, program, args, rest)));
}

/**
 * Has /bin/sh run a command; otherwise as `createSubprocessExec`. What comes from elsewhere does not belong into a command:
 * give it as an argument of a program. asyncio: create_subprocess_shell.
 * @throws (when awaited) as `loop.subprocessShell`
 */
export function createSubprocessShell(command: CommandText, options: ProcessOptions = {}): Coroutine<Process> {
  return new Coroutine(creating(options, (loop, factory, rest) => subprocessShell(loop, factory, command, rest)));
}

function* creating(
  { limit = DEFAULT_LIMIT, stdin = null, stdout = null, stderr = null, ...rest }: ProcessOptions,
  start: (
    loop: BaseSelectorEventLoop,
    factory: () => SubprocessStreamProtocol,
    options: SpawnOptions,
  ) => CoroutineGenerator<Subprocess<SubprocessStreamProtocol>>,
): CoroutineGenerator<Process> {
  const loop = getRunningLoop() as BaseSelectorEventLoop;
  const factory = () => new SubprocessStreamProtocol(limit, loop);
  const [transport, protocol] = yield* start(loop, factory, { ...rest, stdin, stdout, stderr });
  return new Process(transport as UnixSubprocessTransport, protocol, loop);
}
