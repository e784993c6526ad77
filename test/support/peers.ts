// peers.ts: blocking clients of a server in the same thread, for tests that drive the loop by iterations.

import { Socket } from '../../lib/sockets/socket';
import type { Address } from '../../lib/sockets/address';
import type { Server } from '../../lib/network/server';
import type { TestLoop } from './loops';

/** The address of the first listening socket. */
export function addressOf(server: Server): [host: string, port: number] {
  return server.sockets[0].getsockname() as [string, number];
}

/** Connects in the kernel: the loop need not run for it. Closed at the end of the test. */
export function connectTo(subject: TestLoop, address: Address, family?: number): Socket {
  const socket = new Socket(family);
  subject.atEnd(() => socket.close());
  socket.setblocking(true);
  socket.connect(address);
  socket.setblocking(false);
  return socket;
}
