// pipe-verbs.ts: what actions do with the ends of pipes. The counterpart of pipe_verbs.py, in the same order.

import { ValueError } from '../../lib/base/errors';
import type { Future } from '../../lib/futures/future';
import { binding } from '../../lib/native/binding';
import { check } from '../../lib/native/check';
import { type OwnedFd, pipe } from '../../lib/sockets/owned-fd';
import type { Socket } from '../../lib/sockets/socket';
import type { BaseProtocol } from '../../lib/transports/protocol';
import { UnixReadPipeTransport } from '../../lib/transports/read-pipe-transport';
import type { ReadTransport } from '../../lib/transports/transport';
import { UnixWritePipeTransport } from '../../lib/transports/write-pipe-transport';
import { makeProtocol } from './interpreter';
import type { Verb, WaitVerb } from './verbs';
import type { Frame, World } from './world';

/** The end of a pipe, or a socket. */
const end = (w: World, f: Frame, name: string): OwnedFd | Socket => w.get<OwnedFd | Socket>(f, name, 'pipe', 'sock');

function descriptor(w: World, f: Frame, name: string): number {
  const fd = end(w, f, name).fileno();
  // Python's files say so, and ours give -1.
  if (fd < 0 && w.things.get(name)?.kind === 'pipe') throw new ValueError('closed');
  return fd;
}

const memory = new ArrayBuffer(65_536);

function read(fd: number, size: number): Buffer {
  const count = check(binding.readAt(fd, memory, 0, size), 'read');
  return Buffer.from(memory.slice(0, count));
}

function makeTransport(
  w: World,
  f: Frame,
  name: string,
  pipeName: string,
  template: string,
  waiter: string | null,
  Transport: typeof UnixReadPipeTransport | typeof UnixWritePipeTransport,
): void {
  const owned = end(w, f, pipeName);
  const waiting = waiter === null ? null : w.get<Future<void>>(f, waiter, 'future');
  const protocol = makeProtocol(w, template);
  protocol.transport = w.bind(name, 'transport', new Transport(w.loop, owned, protocol, waiting));
}

function shown(w: World, name: string) {
  return ([made, protocol]: [ReadTransport, BaseProtocol]): unknown => {
    w.bind(name, 'transport', made);
    return [made.isClosing(), protocol];
  };
}

export const pipeVerbs: Record<string, Verb> = {
  /** Both ends of a pipe. */
  pipe(w, f, reader: string, writer: string) {
    for (const [index, made] of pipe().entries()) {
      binding.setNonBlocking(made.fileno(), true);
      w.bind(index === 0 ? reader : writer, 'pipe', made);
    }
  },
  pipeWrite(w, f, name: string, size: number) {
    const fd = descriptor(w, f, name);
    const key = `pipe ${name}`;
    const data = w.pattern(key, size);
    let written = 0;
    try {
      written = check(binding.writeFrom(fd, data), 'write');
    } finally {
      w.counters.set(key, (w.counters.get(key) ?? 0) - (size - written));
    }
    return written;
  },
  pipeRead: (w, f, name: string, size: number) => read(descriptor(w, f, name), size),
  pipeDrain(w, f, name: string) {
    const fd = descriptor(w, f, name);
    const chunks: Buffer[] = [];
    for (;;) {
      try {
        const chunk = read(fd, memory.byteLength);
        if (chunk.length === 0) return [Buffer.concat(chunks), 'eof'];
        chunks.push(chunk);
      } catch (error) {
        return (error as { code: string }).code === 'EAGAIN' ? [Buffer.concat(chunks)] : [Buffer.concat(chunks), error];
      }
    }
  },
  pipeClose: (w, f, name: string) => end(w, f, name).close(),
  pipeIsOpen: (w, f, name: string) => end(w, f, name).fileno() >= 0,
  readPipe: (w, f, name: string, pipeName: string, template: string, waiter: string | null = null) =>
    makeTransport(w, f, name, pipeName, template, waiter, UnixReadPipeTransport),
  writePipe: (w, f, name: string, pipeName: string, template: string, waiter: string | null = null) =>
    makeTransport(w, f, name, pipeName, template, waiter, UnixWritePipeTransport),
};

export const pipeWaits: Record<string, WaitVerb> = {
  connectReadPipe: (w, f, name: string, pipeName: string, template: string) => ({
    awaitable: w.loop.connectReadPipe(() => makeProtocol(w, template) as BaseProtocol, end(w, f, pipeName)),
    finish: shown(w, name),
  }),
  connectWritePipe: (w, f, name: string, pipeName: string, template: string) => ({
    awaitable: w.loop.connectWritePipe(() => makeProtocol(w, template) as BaseProtocol, end(w, f, pipeName)),
    finish: shown(w, name),
  }),
};

/** The program is over: what still has its pipe lets go of it. */
export function closePipes(w: World): void {
  for (const [thing, name] of w.names) {
    const isTransport = thing instanceof UnixReadPipeTransport || thing instanceof UnixWritePipeTransport;
    if (isTransport && thing._pipe !== null) {
      thing._protocol = null;
      thing._callConnectionLost(null);
    } else if (w.things.get(name)?.kind === 'pipe') (thing as OwnedFd).close();
  }
}
