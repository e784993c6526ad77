// spawn.ts: a child process and its pipes. Python: what subprocess.Popen does until the program runs.

import { binding } from '../native/binding';
import { errorFor } from '../native/check';
import type { NativeChild } from '../native/types';
import { type OwnedFd, pipe } from '../sockets/owned-fd';
import type { CommandText, SpawnPlan } from './options';

/** A process that runs, and the ends of its pipes that are ours. */
export interface ChildProcess {
  readonly native: NativeChild;
  readonly pid: number;
  /** null for a stream that is no pipe. */
  readonly pipes: readonly [stdin: OwnedFd | null, stdout: OwnedFd | null, stderr: OwnedFd | null];
}

/** What the child can fail at, by the numbers of the addon. */
const steps = ['spawn', 'dup2', 'chdir', 'setsid', 'setpgid', 'setgroups', 'setregid', 'setreuid', 'execve'];

const INHERITED = -1;
const NULL_DEVICE = -2;
const STDOUT_FILENO = 1;

/** @throws OSError: of the program (ENOENT, EACCES, ...), of `cwd`, of the system (EMFILE, EAGAIN, ...); nothing is left then */
export function spawn(plan: SpawnPlan): ChildProcess {
  const ours: (OwnedFd | null)[] = [null, null, null];
  const theirs: OwnedFd[] = [];
  try {
    const fds: number[] = [];
    for (const [index, stream] of plan.streams.entries()) {
      if (stream === 'pipe') {
        const [readEnd, writeEnd] = pipe();
        const [own, other] = index === 0 ? [writeEnd, readEnd] : [readEnd, writeEnd];
        ours[index] = own;
        theirs.push(other);
        fds.push(other.fileno());
      } else if (stream === 'null') fds.push(NULL_DEVICE);
      else if (stream === 'inherited') fds.push(INHERITED);
      else if (stream === 'stdout') fds.push(fds[1] === INHERITED ? STDOUT_FILENO : fds[1]);
      else fds.push(stream);
    }
    const native = start(plan, fds);
    return { native, pid: binding.childPid(native), pipes: ours as unknown as ChildProcess['pipes'] };
  } catch (error) {
    for (const end of ours) end?.close();
    throw error;
  } finally {
    for (const end of theirs) end.close();
  }
}

function start(plan: SpawnPlan, streams: readonly number[]): NativeChild {
  const failed = new Int32Array(1);
  const { executables, args, environment, directory, passFds, settings } = plan;
  const fds = Int32Array.of(...streams, ...passFds);
  const result = binding.spawn(executables, args, environment, directory, fds, settings, failed);
  if (typeof result !== 'number') return result;
  const step = steps[failed[0]];
  const path = step === 'chdir' ? directory : step === 'execve' ? plan.program : null;
  throw errorFor(result, step, path === null ? {} : { path: textOf(path) });
}

function textOf(path: CommandText): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString();
}
