// server-socket.ts: listening sockets in one call. Python: socket.create_server, socket.has_dualstack_ipv6.

import { OSError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import type { Address } from './address';
import { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM } from './constants';
import { socketOptions } from './options';
import { Socket } from './socket';

export interface ServerSocketOptions {
  /** AF_INET if left out. */
  family?: number;
  /** SOCK_STREAM if left out; SOCK_SEQPACKET where the family has it. */
  type?: number;
  /** Connections that wait to be accepted, at the most; the system's own limit if left out. */
  backlog?: number;
  /** Several listeners on one port, among which the kernel divides. */
  reusePort?: boolean;
  /** An IPv6 socket that takes IPv4 too. Otherwise it leaves IPv4 alone. */
  dualStack?: boolean;
}

/** Whether an IPv6 socket can take IPv4 too on this system. Python: socket.has_dualstack_ipv6. */
export function hasDualstackIPv6(): boolean {
  let socket: Socket | undefined;
  try {
    socket = new Socket(AF_INET6, SOCK_STREAM);
    socketOptions.v6Only.set(socket, false);
    return true;
  } catch (error) {
    if (error instanceof OSError) return false;
    throw error;
  } finally {
    socket?.close();
  }
}

/**
 * A socket that listens at `address`, non-blocking, with SO_REUSEADDR where addresses have ports (but not on Windows).
 * Python: socket.create_server.
 * @throws OSError (EADDRINUSE, ...) with `address` and `port`; ValueError for `dualStack` where it cannot be had, or without
 * IPv6
 */
export function createServerSocket(address: Address, options: ServerSocketOptions = {}): Socket {
  const { family = AF_INET, type = SOCK_STREAM, reusePort = false, dualStack = false } = options;
  if (dualStack && family !== AF_INET6) throw new ValueError('dualStack needs the family AF_INET6');
  if (dualStack && !hasDualstackIPv6()) throw new ValueError('this system has no sockets for IPv6 and IPv4 at once');
  const socket = new Socket(family, type);
  try {
    // On Windows it would let others have the port too.
    if (family !== AF_UNIX && process.platform !== 'win32') socketOptions.reuseAddress.set(socket, true);
    if (reusePort) socketOptions.reusePort.set(socket, true);
    if (family === AF_INET6) socketOptions.v6Only.set(socket, !dualStack);
    socket.bind(address);
    socket.listen(options.backlog ?? binding.constants.SOMAXCONN);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}
