// reuse-port.ts: several sockets on one port. asyncio: base_events._set_reuseport.

import { OSError, ValueError } from '../base/errors';
import { SO_REUSEPORT, SOL_SOCKET } from '../sockets/constants';
import type { Socket } from '../sockets/socket';

/** @throws ValueError (ERR_NO_REUSEPORT) where the system cannot, or not for this family */
export function setReusePort(socket: Socket): void {
  try {
    if (SO_REUSEPORT !== undefined) {
      socket.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1);
      return;
    }
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
  }
  throw new ValueError('reusePort is not supported here', 'ERR_NO_REUSEPORT');
}
