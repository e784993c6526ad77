// pipes.ts: both ends of whatever a pipe transport can have, and the transports on them.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { binding } from '../../lib/native/binding';
import { pipe } from '../../lib/sockets/owned-fd';
import { socketpair } from '../../lib/sockets/socket';
import type { PipeLike } from '../../lib/transports/pipe-end';
import type { BaseProtocol } from '../../lib/transports/protocol';
import { UnixReadPipeTransport } from '../../lib/transports/read-pipe-transport';
import { UnixWritePipeTransport } from '../../lib/transports/write-pipe-transport';
import type { TestLoop } from './loops';
import { widen } from './options';
import { hasSyscalls, pseudoTerminal } from './syscalls';

/** Something with a descriptor that is closed once, or never. */
type Closable = Exclude<PipeLike, number> & { fileno(): number };

/** An end that closes its number through Node. */
export class NodeEnd {
  isClosed = false;

  constructor(readonly fd: number) {}

  fileno(): number {
    return this.fd;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    fs.closeSync(this.fd);
  }
}

/** A pipe with a name: both ends, non-blocking. */
function fifo(): [NodeEnd, NodeEnd] {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
  try {
    const name = path.join(folder, 'fifo');
    if (spawnSync('mkfifo', [name]).status !== 0) throw new Error('mkfifo failed');
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
    const readEnd = new NodeEnd(fs.openSync(name, O_RDONLY | O_NONBLOCK));
    return [readEnd, new NodeEnd(fs.openSync(name, O_WRONLY | O_NONBLOCK))];
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Made by name: [the end to read from, the end to write to], non-blocking. */
const makers = {
  pipe: (): [Closable, Closable] => {
    const ends = pipe();
    for (const end of ends) binding.setNonBlocking(end.fileno(), true);
    return ends;
  },
  fifo,
  socket: (): [Closable, Closable] => {
    const pair = socketpair();
    widen(...pair);
    return pair;
  },
  'terminal, read at its master': (): [Closable, Closable] => {
    const { master, terminal } = pseudoTerminal();
    return [new NodeEnd(master), new NodeEnd(terminal)];
  },
  'terminal, written at its master': (): [Closable, Closable] => {
    const { master, terminal } = pseudoTerminal();
    return [new NodeEnd(terminal), new NodeEnd(master)];
  },
};

export type PipeKind = keyof typeof makers;
export const pipeKinds = (Object.keys(makers) as PipeKind[]).filter(
  (kind) => hasSyscalls || !kind.startsWith('terminal'),
);

/** Two ends, closed at the end of the test unless somebody was quicker. */
export function makePipe(subject: TestLoop, kind: PipeKind = 'pipe'): [readEnd: Closable, writeEnd: Closable] {
  const ends = makers[kind]();
  subject.atEnd(() => {
    for (const end of ends) end.close();
  });
  return ends;
}

/** Whether a number is open. */
export function isOpen(fd: number): boolean {
  try {
    fs.fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

export interface ReadingPipe<P extends BaseProtocol> {
  transport: UnixReadPipeTransport;
  protocol: P;
  fd: number;
  peer: Closable;
  send(text: string): void;
}

/** A transport that reads one end; one iteration has run, so that connectionMade was called. The test has the other end. */
export async function readPipe<P extends BaseProtocol>(
  subject: TestLoop,
  protocol: P,
  kind: PipeKind = 'pipe',
): Promise<ReadingPipe<P>> {
  const [near, peer] = makePipe(subject, kind);
  const fd = near.fileno();
  const transport = new UnixReadPipeTransport(subject.loop, near, protocol);
  subject.atEnd(() => transport.close());
  await subject.runOnce();
  return { transport, protocol, fd, peer, send: (text) => void fs.writeSync(peer.fileno(), text) };
}

export interface WritingPipe<P extends BaseProtocol> {
  transport: UnixWritePipeTransport;
  protocol: P;
  fd: number;
  peer: Closable;
  /** Everything that has arrived at the peer and was not read yet. */
  arrived(): Buffer;
}

/** A transport that writes to one end, as `readPipe`. */
export async function writePipe<P extends BaseProtocol>(
  subject: TestLoop,
  protocol: P,
  kind: PipeKind = 'pipe',
): Promise<WritingPipe<P>> {
  const [peer, near] = makePipe(subject, kind);
  const fd = near.fileno();
  const transport = new UnixWritePipeTransport(subject.loop, near, protocol);
  subject.atEnd(() => transport.abort());
  await subject.runOnce();
  return { transport, protocol, fd, peer, arrived: () => readAll(peer.fileno()) };
}

/** What can be read from a descriptor just now; EIO is how a terminal ends. */
export function readAll(fd: number): Buffer {
  const chunks: Buffer[] = [];
  const room = Buffer.alloc(1 << 20);
  for (;;) {
    try {
      const count = fs.readSync(fd, room);
      if (count === 0) break;
      chunks.push(Buffer.from(room.subarray(0, count)));
    } catch (error) {
      if (!['EAGAIN', 'EIO'].includes((error as { code: string }).code)) throw error;
      break;
    }
  }
  return Buffer.concat(chunks);
}
