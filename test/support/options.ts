// options.ts: socket options that tests set and the library does not.

import { SOL_SOCKET, socketConstants } from '../../lib/sockets/constants';
import type { Socket } from '../../lib/sockets/socket';

export const { SO_SNDBUF, SO_RCVBUF } = socketConstants;

/** Gives the ends of a pair the room that they have on Linux, which tests count on: macOS begins with 8 KiB. */
export function widen(...ends: Socket[]): void {
  // Not by systems.ts, which needs jest: random programs run without.
  if (process.platform !== 'darwin') return;
  for (const end of ends) for (const option of [SO_SNDBUF, SO_RCVBUF]) end.setsockopt(SOL_SOCKET, option, 212_992);
}
