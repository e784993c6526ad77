// node-handles.ts: the descriptors of Node's own things, where Node shows them. What is not documented of Node is looked at
// here and nowhere else. Who may close a descriptor is not changed by looking at it.
//
//   net.Socket, net.Server, child.stdin, ...   _handle.fd        not on Windows, where a handle is no descriptor
//   dgram.Socket                               the handle in its state object
//   tty streams, FileHandle, fs streams        fd
//   anything of fdloop's                       fileno()

import { ChildProcess } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server, Socket as NodeSocket } from 'node:net';
import { inspect } from 'node:util';

import { RuntimeError, typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check } from '../native/check';
import { toFd, type FileObject } from '../selectors/file-object';
import { Socket } from '../sockets/socket';

/** A descriptor number, or something that has one. */
export type DescriptorOwner =
  | FileObject
  | { readonly fd: number }
  | NodeSocket
  | Server
  | DatagramSocket
  | NodeJS.ReadableStream
  | NodeJS.WritableStream;

/** What is looked at of a handle of Node's. */
interface NodeHandle {
  fd?: unknown;
  reading?: boolean;
  readStop?(): number;
  recvStop?(): number;
}

function noDescriptor(owner: object, reason: string): ValueError {
  const name = owner.constructor?.name ?? 'object';
  return new ValueError(`this ${name} has no descriptor: ${reason}`, 'ERR_NO_DESCRIPTOR');
}

// Its `_handle` is deprecated, and says so when it is looked at.
function datagramHandle(socket: DatagramSocket): NodeHandle | null {
  for (const symbol of Object.getOwnPropertySymbols(socket)) {
    const state = (socket as unknown as Record<symbol, unknown>)[symbol] as { handle?: NodeHandle | null } | undefined;
    if (symbol.description === 'state symbol') return state?.handle ?? null;
  }
  return null;
}

/** The handle of a stream, a server or a datagram socket; null if it is closed; undefined for what has none. */
function handleOf(owner: object): NodeHandle | null | undefined {
  if (owner instanceof DatagramSocket) return datagramHandle(owner);
  if (!('_handle' in owner)) return undefined;
  return owner._handle ?? null;
}

function handleFd(owner: object, handle: NodeHandle | null): number {
  if (handle === null) throw noDescriptor(owner, 'it is not open, or not yet');
  if ((owner as { encrypted?: unknown }).encrypted === true) {
    throw noDescriptor(owner, 'what its descriptor carries is encrypted, and read by Node alone');
  }
  const { fd } = handle;
  if (typeof fd === 'number' && fd >= 0) return fd;
  if (process.platform === 'win32') throw noDescriptor(owner, 'Node does not show it on this system');
  throw noDescriptor(owner, 'it is not open yet, or another process has it');
}

/**
 * The descriptor of something: of a `net.Socket`, `net.Server`, `dgram.Socket`, a terminal, a child's stdio, an
 * `fs.FileHandle` or stream, or whatever has a `fileno()`. It stays its owner's, who closes it and may do so at any time.
 * @throws ValueError (ERR_NO_DESCRIPTOR) if there is none to be had: destroyed, not open yet, TLS, Windows;
 * (ERR_INVALID_FD, ERR_INVALID_FILE_OBJECT) from a number or a `fileno()`; TypeError for what never has one
 */
export function fdOf(owner: DescriptorOwner): number {
  if (typeof owner === 'number') return toFd(owner);
  if (typeof owner !== 'object' || owner === null) {
    throw typeError(`a descriptor, or something that has one, is needed, not ${inspect(owner, { depth: 0 })}`);
  }
  if (typeof (owner as { fileno?: unknown }).fileno === 'function') return toFd(owner as FileObject);
  // The handle first: a terminal keeps its number when it is closed.
  const handle = owner instanceof ChildProcess ? undefined : handleOf(owner);
  if (handle !== undefined) return handleFd(owner, handle);
  if (!('fd' in owner) || owner instanceof ChildProcess) {
    throw typeError(
      `a descriptor, or something that has one, is needed, not ${inspect(owner, { depth: 0 })}; ` +
        'of a child process, one of its streams',
    );
  }
  const { fd } = owner;
  if (typeof fd !== 'number' || fd < 0) throw noDescriptor(owner, 'it is closed, or not open yet');
  return toFd(fd);
}

/** A socket on a duplicate of a descriptor of Node's: made by `adoptSocket`. */
export class AdoptedSocket extends Socket {
  /** What Node had read from it before, and nobody had taken. */
  head: Buffer = Buffer.alloc(0);
}

/** What Node has read and nobody has taken: as bytes again, if an encoding was set. */
function unreadBytes(socket: NodeSocket): Buffer {
  const chunks: Buffer[] = [];
  while (socket.readableLength > 0) {
    const chunk: unknown = socket.read();
    if (chunk === null) break;
    chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, socket.readableEncoding ?? 'utf8') : (chunk as Buffer));
  }
  return Buffer.concat(chunks);
}

/**
 * A socket of ours on a duplicate of the descriptor of one of Node's. Node stops reading from it; what it has read already is
 * the result's `head`. Both are open now, and the connection ends when both are closed: usually Node's is destroyed next,
 * which sends nothing. Until then, do not let Node read again (`resume`, `read`, a listener for 'data' or 'readable'), and
 * remember that options, O_NONBLOCK and `shutdown` (Node's `end`) belong to both. Of a `net.Server` Node goes on accepting
 * until it is closed.
 * @throws TypeError for what is no socket of Node's; ValueError (ERR_NO_DESCRIPTOR); RuntimeError (ERR_SOCKET_BUSY) while it
 * connects or has something to write; OSError (ENOTSOCK for a terminal or a pipe)
 */
export function adoptSocket(nodeSocket: NodeSocket | Server | DatagramSocket): AdoptedSocket {
  const isStream = nodeSocket instanceof NodeSocket;
  if (!isStream && !(nodeSocket instanceof Server) && !(nodeSocket instanceof DatagramSocket)) {
    throw typeError(`a socket of Node's is needed, not ${inspect(nodeSocket, { depth: 0 })}`);
  }
  const fd = fdOf(nodeSocket);
  if (isStream && (nodeSocket.connecting || nodeSocket.writableLength > 0)) {
    throw new RuntimeError('a socket that connects or writes cannot be adopted yet', 'ERR_SOCKET_BUSY');
  }
  const duplicate = check(binding.dup(fd), 'dup');
  let adopted: AdoptedSocket;
  try {
    adopted = AdoptedSocket.fromFd(duplicate) as AdoptedSocket;
  } catch (error) {
    binding.close(duplicate);
    throw error;
  }
  const handle = handleOf(nodeSocket);
  if (isStream) {
    nodeSocket.pause();
    adopted.head = unreadBytes(nodeSocket);
  }
  // Pausing alone lets Node fill its own buffer first, and taking what is there makes it read again.
  if (handle != null && isStream) {
    handle.reading = false;
    handle.readStop?.();
  } else handle?.recvStop?.();
  return adopted;
}
