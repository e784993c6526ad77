// pipes.ts: a protocol and a transport for one end of a pipe. asyncio: base_events.connect_read_pipe, connect_write_pipe.

import { inspect } from 'node:util';

import { NotImplementedError } from '../base/errors';
import { logger } from '../base/log';
import type { Future } from '../futures/future';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import type { PipeLike } from '../transports/pipe-end';
import type { BaseProtocol } from '../transports/protocol';
import { UnixReadPipeTransport } from '../transports/read-pipe-transport';
import type { ReadTransport, Transport } from '../transports/transport';
import { UnixWritePipeTransport } from '../transports/write-pipe-transport';
import { checkFactory } from './factory';
import { untilMade } from './until-made';

/** What `connectReadPipe` gives. */
export type ReadPipe<P extends BaseProtocol> = [transport: ReadTransport, protocol: P];

/** What `connectWritePipe` gives: a transport without the methods of reading, which throw. */
export type WritePipe<P extends BaseProtocol> = [transport: Transport, protocol: P];

type PipeTransport = UnixReadPipeTransport | UnixWritePipeTransport;

function* connectPipe<P extends BaseProtocol, T extends PipeTransport>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  makeTransport: (protocol: P, waiter: Future<void>) => T,
): CoroutineGenerator<[T, P]> {
  if (process.platform === 'win32') throw new NotImplementedError('a loop has no pipe transports on Windows');
  checkFactory(protocolFactory);
  const protocol = protocolFactory();
  const waiter = loop.createFuture<void>();
  const transport = makeTransport(protocol, waiter);
  yield* untilMade(waiter, transport);
  if (loop.getDebug()) logger.debug(`pipe ${transport._fileno} connected: ${inspect(transport)}, ${inspect(protocol)}`);
  return [transport, protocol];
}

export function connectReadPipe<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  pipe: PipeLike,
): CoroutineGenerator<ReadPipe<P>> {
  return connectPipe(
    loop,
    protocolFactory,
    (protocol, waiter) => new UnixReadPipeTransport(loop, pipe, protocol, waiter),
  );
}

export function connectWritePipe<P extends BaseProtocol>(
  loop: BaseSelectorEventLoop,
  protocolFactory: () => P,
  pipe: PipeLike,
): CoroutineGenerator<WritePipe<P>> {
  return connectPipe(
    loop,
    protocolFactory,
    (protocol, waiter) => new UnixWritePipeTransport(loop, pipe, protocol, waiter),
  );
}
