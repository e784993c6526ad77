// sock-messages.ts: messages with ancillary data, and descriptors, on bare sockets that wait through the loop. asyncio has no
// such verbs; these do as its sock_* do.

import type { Address } from '../sockets/address';
import { ancillary } from '../sockets/ancillary';
import { bytesOf } from '../sockets/arguments';
import type { AncillaryItem } from '../sockets/control';
import { closeAll, type Descriptor, type ReceivedFds } from '../sockets/descriptors';
import type { ReceivedMessage } from '../sockets/messages';
import type { Socket } from '../sockets/socket';
import type { CoroutineGenerator } from '../futures/frame';
import type { BaseSelectorEventLoop } from './selector-event-loop';
import { sockSendall, tryOrWait } from './sock-io';

export function sockRecvmsg(
  loop: BaseSelectorEventLoop,
  sock: Socket,
  bufsize: number,
  ancbufsize: number,
  flags: number,
): CoroutineGenerator<ReceivedMessage> {
  const attempt = (): ReceivedMessage => sock.recvmsg(bufsize, ancbufsize, flags);
  return tryOrWait(loop, sock, 'read', attempt, attempt, ([, items]) => closeAll(ancillary.fds.decode(items) ?? []));
}

export function sockSendmsg(
  loop: BaseSelectorEventLoop,
  sock: Socket,
  chunks: readonly Uint8Array[],
  items: readonly AncillaryItem[],
  flags: number,
  address: Address | null,
): CoroutineGenerator<number> {
  return tryOrWait(loop, sock, 'write', () => sock.sendmsg(chunks, items, flags, address));
}

export function sockRecvFds(
  loop: BaseSelectorEventLoop,
  sock: Socket,
  maxFds: number,
  bufsize: number,
): CoroutineGenerator<ReceivedFds> {
  const attempt = (): ReceivedFds => sock.recvFds(maxFds, bufsize);
  return tryOrWait(loop, sock, 'read', attempt, attempt, ({ fds }) => closeAll(fds));
}

export function* sockSendFds(
  loop: BaseSelectorEventLoop,
  sock: Socket,
  fds: readonly Descriptor[],
  data: Uint8Array,
): CoroutineGenerator<void> {
  const bytes = bytesOf(data);
  const sent = yield* tryOrWait(loop, sock, 'write', () => sock.sendFds(fds, bytes));
  if (sent < bytes.length) yield* sockSendall(loop, sock, bytes.subarray(sent));
}
