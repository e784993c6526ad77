// subprocess.ts: the loop's verbs for child processes. asyncio: base_events.subprocess_exec, subprocess_shell,
// unix_events._make_subprocess_transport.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { isFatal, NotImplementedError, typeError, ValueError } from '../base/errors';
import { logger } from '../base/log';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { checkFactory } from '../network/factory';
import { describeType } from '../sockets/arguments';
import { checkNames, PIPE, planSpawn, type CommandText, type SpawnOptions } from './options';
import type { SubprocessProtocol } from './protocol';
import { UnixSubprocessTransport } from './subprocess-transport';
import type { SubprocessTransport } from './transport';

/** What the verbs of the loop give. */
export type Subprocess<P extends SubprocessProtocol> = [transport: SubprocessTransport, protocol: P];

/** asyncio: subprocess_exec. */
export function* subprocessExec<P extends SubprocessProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  program: CommandText,
  args: readonly CommandText[],
  options: SpawnOptions,
): CoroutineGenerator<Subprocess<P>> {
  checkNames(options, false);
  if (!Array.isArray(args)) throw typeError(`the arguments of a program are an array, not ${describeType(args)}`);
  return yield* run(loop, protocolFactory, [program, ...(args as CommandText[])], options);
}

/** asyncio: subprocess_shell. */
export function* subprocessShell<P extends SubprocessProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  command: CommandText,
  options: SpawnOptions,
): CoroutineGenerator<Subprocess<P>> {
  if (typeof command !== 'string' && !isBytes(command)) {
    throw new ValueError(`a command is a string or bytes, not ${describeType(command)}`);
  }
  checkNames(options, true);
  return yield* run(loop, protocolFactory, command, options);
}

function* run<P extends SubprocessProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  command: readonly CommandText[] | CommandText,
  options: SpawnOptions,
): CoroutineGenerator<Subprocess<P>> {
  if (process.platform === 'win32') throw new NotImplementedError('a loop has no child processes on Windows');
  checkFactory(protocolFactory);
  const protocol = protocolFactory();
  const debugged = loop.getDebug() ? describe(command) : null;
  if (debugged !== null) logger.debug(`${debugged} stdin, stdout, stderr: ${describeStreams(options)}`);
  const transport = yield* makeTransport(loop, protocol, command, options);
  if (debugged !== null) logger.info(`${debugged}: ${inspect(transport)}`);
  return [transport, protocol];
}

// Arguments are kept out of the log: they may be secret, and long.
function describe(command: readonly CommandText[] | CommandText): string {
  if (Array.isArray(command)) return `execute program ${inspect((command as CommandText[])[0])}`;
  return `run shell command ${inspect(command)}`;
}

function describeStreams({ stdin = PIPE, stdout = PIPE, stderr = PIPE }: SpawnOptions): string {
  return [stdin, stdout, stderr].map((stream) => inspect(stream, { depth: 0 })).join(', ');
}

function* makeTransport(
  loop: BaseSelectorEventLoop,
  protocol: SubprocessProtocol,
  command: readonly CommandText[] | CommandText,
  options: SpawnOptions,
): CoroutineGenerator<SubprocessTransport> {
  const plan = planSpawn(command, options, PIPE);
  const waiter = loop.createFuture<void>();
  const transport = new UnixSubprocessTransport(loop, protocol, plan, waiter);
  try {
    yield* waiter;
  } catch (error) {
    if (isFatal(error)) throw error;
    transport.close();
    yield* transport._wait();
    throw error;
  }
  return transport;
}
