// options.ts: how a program is to be started: what may be asked for, and what that is to the system. Python: the arguments of
// subprocess.Popen.

import { inspect } from 'node:util';

import { isBytes } from '../base/bytes';
import { typeError, ValueError } from '../base/errors';
import { checkOptions, type OptionNames } from '../base/options';
import { toFd, type FileObject } from '../selectors/file-object';
import { describeType, size } from '../sockets/arguments';
import { type Account, groupNumber, userNumber } from './accounts';

/** A pipe to the child: the transport, or the process, has its other end. Python: subprocess.PIPE. */
export const PIPE = -1;
/** For stderr: where stdout goes. Python: subprocess.STDOUT. */
export const STDOUT = -2;
/** Nothing to read, and what is written is lost. Python: subprocess.DEVNULL. */
export const DEVNULL = -3;

/** `PIPE`, `DEVNULL`, a descriptor or an object that has one; null for the stream of this process. */
export type StandardStream = FileObject | null;

/** Text stands for its UTF-8 bytes. */
export type CommandText = string | Uint8Array;

export interface SpawnOptions {
  stdin?: StandardStream;
  stdout?: StandardStream;
  /** Also `STDOUT`. */
  stderr?: StandardStream;
  /** The program that is run, if it is not the one that it is told to be (its first argument). */
  executable?: CommandText | null;
  /** The directory in which the program begins; null for the present one. */
  cwd?: CommandText | null;
  /** All of its environment; null for a copy of `process.env`. The program is looked for in its PATH. */
  env?: Readonly<Record<string, CommandText | undefined>> | null;
  /** Descriptors that the program has under the same numbers. */
  passFds?: Iterable<FileObject>;
  /** False: descriptors that were made inheritable are inherited. */
  closeFds?: boolean;
  /** False: SIGPIPE stays ignored, as it is in Node. */
  restoreSignals?: boolean;
  /** The program is the leader of a session and of a process group. */
  startNewSession?: boolean;
  /** The process group to join; 0 for a new one. */
  processGroup?: number | null;
  umask?: number | null;
  /** Who the program is, by number or by name: only root may change that. A name is looked up before there is a process. */
  user?: Account | null;
  group?: Account | null;
  /** The supplementary groups; empty for none. */
  extraGroups?: Iterable<Account> | null;
}

const names: OptionNames<SpawnOptions> = {
  stdin: true,
  stdout: true,
  stderr: true,
  executable: true,
  cwd: true,
  env: true,
  passFds: true,
  closeFds: true,
  restoreSignals: true,
  startNewSession: true,
  processGroup: true,
  umask: true,
  user: true,
  group: true,
  extraGroups: true,
};

/** What asyncio has but does not allow, since its pipes are for bytes. */
const refusals: readonly [name: string, isRefused: (value: unknown, isShell: boolean) => boolean][] = [
  ['universalNewlines', Boolean],
  ['shell', (value, isShell) => Boolean(value) !== isShell],
  ['bufsize', (value) => value !== 0],
  ['text', Boolean],
  ['encoding', (value) => value !== null],
  ['errors', (value) => value !== null],
];

const allNames = { ...names, ...Object.fromEntries(refusals.map(([name]) => [name, true as const])) };

/**
 * @param isShell for a command of the shell, else for a program
 * @throws ValueError for what is not allowed, TypeError for an option that there is not
 */
export function checkNames(options: SpawnOptions, isShell: boolean): void {
  checkOptions('a process', options, allNames);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, isRefused] of refusals) {
    if (given[name] !== undefined && isRefused(given[name], isShell)) {
      throw new ValueError(`${name} cannot be ${inspect(given[name])} here`);
    }
  }
}

/** What a standard stream of the child is: of its own kind, or a descriptor of this process. */
export type StreamPlan = 'pipe' | 'null' | 'inherited' | 'stdout' | number;

function planStream(name: 'stdin' | 'stdout' | 'stderr', stream: unknown): StreamPlan {
  if (stream === null) return 'inherited';
  if (stream === PIPE) return 'pipe';
  if (stream === DEVNULL) return 'null';
  if (stream === STDOUT && name === 'stderr') return 'stdout';
  if (typeof stream === 'number' && stream < 0) throw new ValueError(`${name} cannot be ${stream}`);
  return toFd(stream as FileObject);
}

/** How a program is started, ready for `binding.spawn`, but for the pipes. */
export interface SpawnPlan {
  /** As it was asked for. */
  readonly program: CommandText;
  readonly executables: readonly Uint8Array[];
  readonly args: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly directory: Uint8Array | null;
  readonly streams: readonly [stdin: StreamPlan, stdout: StreamPlan, stderr: StreamPlan];
  readonly passFds: readonly number[];
  readonly settings: Int32Array;
}

/**
 * @param command the program and its arguments, or a command for the shell
 * @param standard what a stream is that nothing is said of
 * @throws TypeError, ValueError
 */
export function planSpawn(
  command: readonly CommandText[] | CommandText,
  options: SpawnOptions,
  standard: StandardStream,
): SpawnPlan {
  const isShell = !Array.isArray(command);
  const { stdin = standard, stdout = standard, stderr = standard } = options;
  const executable = options.executable ?? null;
  const words = isShell ? [executable ?? '/bin/sh', '-c', command as CommandText] : (command as readonly CommandText[]);
  const program = executable ?? words[0];
  const environment = options.env ?? process.env;
  const passed = listOf<FileObject>(options.passFds ?? [], 'passFds');
  const passFds = [...new Set(Array.from(passed, toFd))].sort((one, other) => one - other);
  return {
    program,
    executables: searchProgram(toBytes(program, 'a program'), environment.PATH),
    args: words.map((word) => toBytes(word, 'an argument')),
    environment: [...environmentBytes(environment)],
    directory: options.cwd === undefined || options.cwd === null ? null : toBytes(options.cwd, 'cwd'),
    streams: [planStream('stdin', stdin), planStream('stdout', stdout), planStream('stderr', stderr)],
    passFds,
    settings: settingsOf(options, passFds.length > 0),
  };
}

/** @throws TypeError, and ValueError for a text, whose letters are not meant */
function listOf<Item>(items: Iterable<Item>, what: string): Iterable<Item> {
  if (typeof items === 'string') throw new ValueError(`${what} is a list, not ${inspect(items)}`);
  if (typeof (items as Partial<Iterable<Item>>)[Symbol.iterator] === 'function') return items;
  throw typeError(`${what} is a list, not ${describeType(items)}`);
}

const NUL = 0;

function toBytes(text: unknown, what: string): Buffer {
  if (typeof text !== 'string' && !isBytes(text)) {
    throw typeError(`${what} is a string or bytes, not ${describeType(text)}`);
  }
  const bytes = Buffer.from(text as string);
  if (bytes.includes(NUL)) throw new ValueError(`${what} cannot have a NUL in it: ${inspect(text)}`);
  return bytes;
}

const SLASH = Buffer.from('/');
const STANDARD_PATH = '/bin:/usr/bin';

/** The files that could be meant. An empty folder in a path is the present one. */
function searchProgram(program: Buffer, path: unknown): Buffer[] {
  if (program.includes(SLASH)) return [program];
  const folders = path === undefined ? Buffer.from(STANDARD_PATH) : toBytes(path, 'PATH');
  return splitPath(folders).map((folder) => {
    if (folder.length === 0) return program;
    return Buffer.concat(folder[folder.length - 1] === SLASH[0] ? [folder, program] : [folder, SLASH, program]);
  });
}

// Not by way of a string: a name of a file need not be UTF-8.
function splitPath(path: Buffer): Buffer[] {
  const folders: Buffer[] = [];
  for (let start = 0; ;) {
    const end = path.indexOf(':', start);
    if (end === -1) return [...folders, path.subarray(start)];
    folders.push(path.subarray(start, end));
    start = end + 1;
  }
}

function* environmentBytes(environment: Readonly<Record<string, unknown>>): Generator<Buffer> {
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined) continue;
    if (name.includes('=')) throw new ValueError(`${inspect(name)} cannot be the name of an environment variable`);
    yield Buffer.concat([toBytes(name, 'a name'), Buffer.from('='), toBytes(value, `${name} in the environment`)]);
  }
}

const CLOSE_OTHERS = 1;
const RESTORE_SIGNALS = 2;
const START_SESSION = 4;
const SET_GROUPS = 8;

/** The numbers of `binding.spawn`. */
function settingsOf(options: SpawnOptions, passes: boolean): Int32Array {
  const { closeFds = true, restoreSignals = true, startNewSession = false } = options;
  if (passes && !closeFds) process.emitWarning('passFds overrides closeFds: false', 'RuntimeWarning');
  const { extraGroups = null } = options;
  const groups = extraGroups === null ? null : Array.from(listOf(extraGroups, 'extraGroups'), groupNumber);
  const flags =
    (closeFds || passes ? CLOSE_OTHERS : 0) |
    (restoreSignals ? RESTORE_SIGNALS : 0) |
    (startNewSession ? START_SESSION : 0) |
    (groups === null ? 0 : SET_GROUPS);
  return Int32Array.of(
    flags,
    optional(options.umask, 'umask', size),
    optional(options.processGroup, 'processGroup', size),
    optional(options.group, 'group', groupNumber),
    optional(options.user, 'user', userNumber),
    ...(groups ?? []),
  );
}

const NONE = -1;

function optional<Value>(
  value: Value | null | undefined,
  what: string,
  read: (value: Value, what: string) => number,
): number {
  return value === undefined || value === null ? NONE : read(value, what);
}
