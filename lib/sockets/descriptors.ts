// descriptors.ts: descriptors that travel over Unix sockets, and who is at the other end of one.

import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check, errorFor } from '../native/check';
import type { Address } from './address';
import { bytesOf, describeType, descriptorOf, size } from './arguments';
import { SOL_SOCKET, socketConstants } from './constants';
import { cmsgSpace, type AncillaryItem } from './control';
import { recvMessage, sendMessage } from './messages';

/** A process as a Unix socket names it. */
export interface Credentials {
  /** Process id, as seen from here; 0 if unknown. */
  pid: number;
  /** User and group id. */
  uid: number;
  gid: number;
}

/** A descriptor, or an object that has one. */
export type Descriptor = number | { fileno(): number };

/** What `recvFds` gives. */
export interface ReceivedFds {
  data: Buffer;
  /** Close-on-exec; the caller's, who has to close them. */
  fds: number[];
  /** MSG_CTRUNC: there were more descriptors than were wanted, or than the process may have. */
  flags: number;
  address: Address | null;
  /** What else came along, such as credentials. */
  ancillary: AncillaryItem[];
}

type UnixSocket = Parameters<typeof sendMessage>[0];

const { SCM_RIGHTS, SO_PEERCRED, MSG_CTRUNC } = socketConstants;
const FD_SIZE = 4;
/** As many as one message can carry. */
const MAX_FDS = 253;
/** Room for what may be in front of the descriptors: credentials, a security label, a process descriptor, a time. */
const FURTHER_ROOM = 1024;
const CREDENTIALS_SIZE = 12;

/** @throws TypeError @internal */
export function encodeFdList(fds: readonly Descriptor[]): Uint8Array {
  if (!Array.isArray(fds)) throw typeError(`descriptors to send are in an array, not ${describeType(fds)}`);
  return new Uint8Array(Int32Array.from(fds, descriptorOf).buffer);
}

/** @internal */
export function decodeFdList(data: Uint8Array): number[] {
  // A copy in memory of its own, aligned: a Buffer's slice would be neither.
  const copy = new Uint8Array(data);
  return [...new Int32Array(copy.buffer, 0, Math.floor(copy.length / FD_SIZE))];
}

/** Of descriptors that were received and that nobody wants. @internal */
export function closeAll(fds: readonly number[]): void {
  for (const fd of fds) binding.close(fd);
}

/** @internal */
export function encodeCredentials({ pid, uid, gid }: Credentials): Uint8Array {
  return new Uint8Array(Uint32Array.from([pid, uid, gid]).buffer);
}

/** @internal */
export function decodeCredentials(data: Uint8Array): Credentials {
  const copy = new Uint8Array(data).buffer;
  const [, uid, gid] = new Uint32Array(copy, 0, CREDENTIALS_SIZE / FD_SIZE);
  return { pid: new Int32Array(copy, 0, 1)[0], uid, gid };
}

export function sendFds(
  socket: UnixSocket,
  fds: readonly Descriptor[],
  data: Uint8Array | readonly Uint8Array[],
  flags: number,
): number {
  if (SCM_RIGHTS === undefined) throw errorFor(-binding.errnoByName.EOPNOTSUPP, 'sendmsg');
  const items: AncillaryItem[] = [[SOL_SOCKET, SCM_RIGHTS, encodeFdList(fds)]];
  const chunks = Array.isArray(data) ? (data as readonly Uint8Array[]) : [bytesOf(data)];
  return sendMessage(socket, chunks, items, flags, null);
}

// Room for every descriptor that can come, and not for maxFds only: credentials in front would take some of it, and
// where the gap behind an odd count is, the system would put one more. What is too much is closed here.
export function recvFds(socket: UnixSocket, maxFds: number, bufsize: number, flags: number): ReceivedFds {
  const wanted = size(maxFds, 'descriptor count');
  if (wanted > MAX_FDS) throw new ValueError(`a message carries at most ${MAX_FDS} descriptors, not ${wanted}`);
  const room = wanted === 0 ? 0 : cmsgSpace(MAX_FDS * FD_SIZE) + FURTHER_ROOM;
  const [data, items, messageFlags, address] = recvMessage(socket, bufsize, room, flags);
  const isFdList = ([level, type]: AncillaryItem): boolean => level === SOL_SOCKET && type === SCM_RIGHTS;
  const all = items.filter(isFdList).flatMap(([, , bytes]) => decodeFdList(bytes));
  const surplus = all.splice(wanted);
  closeAll(surplus);
  return {
    data,
    fds: all,
    flags: surplus.length > 0 ? messageFlags | MSG_CTRUNC : messageFlags,
    address,
    ancillary: items.filter((item) => !isFdList(item)),
  };
}

export function peerCredentials(socket: UnixSocket): Credentials {
  if (SO_PEERCRED === undefined) throw errorFor(-binding.errnoByName.ENOPROTOOPT, 'getsockopt');
  const value = new Uint8Array(CREDENTIALS_SIZE);
  const lengths = new Int32Array(1);
  check(binding.getsockopt(socket.fileno(), SOL_SOCKET, SO_PEERCRED, value, lengths), 'getsockopt');
  return decodeCredentials(value);
}
