// kit.ts: children that do what they are told, and protocols that note what they hear of them.

import { writeSync } from 'node:fs';

import type { SpawnOptions } from '../../lib/processes/options';
import { SubprocessProtocol } from '../../lib/processes/protocol';
import type { UnixSubprocessTransport } from '../../lib/processes/subprocess-transport';
import { binding } from '../../lib/native/binding';
import type { NativeChild } from '../../lib/native/types';
import { pipe } from '../../lib/sockets/owned-fd';
import type { BaseTransport } from '../../lib/transports/transport';
import type { TestLoop } from '../support/loops';

export type Event = [name: string, ...details: unknown[]];

/** Data of one pipe in one piece, whatever the pieces were. */
export class NotingProcess extends SubprocessProtocol {
  readonly events: Event[] = [];
  transport!: UnixSubprocessTransport;

  override connectionMade(transport: BaseTransport): void {
    this.transport = transport as UnixSubprocessTransport;
    this.events.push(['connectionMade']);
  }

  override pipeDataReceived(fd: number, data: Buffer): void {
    const last = this.events.at(-1);
    if (last?.[0] === 'pipeDataReceived' && last[1] === fd) last[2] = String(last[2]) + String(data);
    else this.events.push(['pipeDataReceived', fd, String(data)]);
  }

  override pipeConnectionLost(fd: number, error: unknown): void {
    this.events.push(['pipeConnectionLost', fd, error]);
  }

  override processExited(): void {
    this.events.push(['processExited', this.transport.getReturncode()]);
  }

  override connectionLost(error: unknown): void {
    this.events.push(['connectionLost', error]);
  }

  has(name: string, fd?: number): boolean {
    return this.events.some((event) => event[0] === name && (fd === undefined || event[1] === fd));
  }
}

/** A shell that runs the lines which it is told. */
export interface ToldShell {
  transport: UnixSubprocessTransport;
  protocol: NotingProcess;
  tell(line: string): void;
}

/** Its standard input is what it is told by; its outputs are pipes unless `options` say otherwise. */
export async function toldShell(subject: TestLoop, options: SpawnOptions = {}): Promise<ToldShell> {
  const [orders, told] = pipe();
  subject.atEnd(() => told.close());
  const made = await subject.run(
    subject.loop.subprocessExec(() => new NotingProcess(), 'sh', [], { stdin: orders, ...options }),
  );
  orders.close();
  const [transport, protocol] = made as [UnixSubprocessTransport, NotingProcess];
  subject.atEnd(() => endChild(transport));
  return { transport, protocol, tell: (line) => void writeSync(told.fileno(), `${line}\n`) };
}

/** The child itself, as the binding knows it. */
export function nativeOf(transport: UnixSubprocessTransport): NativeChild {
  return (transport.getExtraInfo('subprocess') as { native: NativeChild }).native;
}

/** Nothing of a test's child is left when the loop is closed. */
function endChild(transport: UnixSubprocessTransport): void {
  transport.close();
  untilEnded(nativeOf(transport));
}

const moment = new Int32Array(new SharedArrayBuffer(4));

/** Blocks the thread until the child has ended, and leaves it to be reaped. */
export function untilEnded(child: NativeChild): void {
  while (binding.childHasEnded(child) === 0) Atomics.wait(moment, 0, 0, 1);
}

/** Whether the process is there, running or not reaped. */
export function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** From now on no process has a descriptor: threads wait for them. */
export function withoutDescriptors(): void {
  jest.spyOn(binding, 'childDescriptor').mockReturnValue(-binding.errnoByName.ENOSYS);
}
