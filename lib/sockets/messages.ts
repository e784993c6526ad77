// messages.ts: messages with everything that belongs to them (several buffers, an address, flags, ancillary data), one at
// a time and in batches, on a descriptor. The verbs of Socket that have such names end here.

import { typeError, ValueError } from '../base/errors';
import { binding } from '../native/binding';
import { check, errorFor } from '../native/check';
import { addressFields, decodeAddress, encodeAddress, type Address } from './address';
import { bytesOf, chunksOf, describeType, int32, size } from './arguments';
import { IOV_MAX } from './constants';
import { decodeControl, encodeControl, type AncillaryItem } from './control';

/** What `recvmsg` gives: the bytes, ancillary data, flags of the message (MSG_TRUNC, MSG_CTRUNC, ...), the sender. */
export type ReceivedMessage = [data: Buffer, ancillary: AncillaryItem[], flags: number, address: Address | null];

/** What `recvmsgInto` gives: as `ReceivedMessage`, with the number of bytes in place of them. */
export type ReceivedInto = [count: number, ancillary: AncillaryItem[], flags: number, address: Address | null];

/** One message for `sendmmsg`. */
export interface OutgoingMessage {
  /** The bytes, in one piece or in several. */
  data: Uint8Array | readonly Uint8Array[];
  ancillary?: readonly AncillaryItem[];
  /** The receiver; left out or null on a connected socket. */
  address?: Address | null;
}

/** A socket as far as messages are concerned. */
interface MessageSocket {
  readonly family: number;
  readonly proto: number;
  fileno(): number;
}

const NOTHING = new Uint8Array(0);
const ADDRESS_SIZE = binding.SOCKADDR_STORAGE_SIZE;

// Scratch space: filled by a call, read out before it returns.
const scratchAddress = new Uint8Array(ADDRESS_SIZE);
const scratchLengths = new Int32Array(3);
let scratchControl = new Uint8Array(1024);

function controlRoom(byteLength: number): Uint8Array {
  if (byteLength > scratchControl.length) scratchControl = new Uint8Array(byteLength);
  return scratchControl.subarray(0, byteLength);
}

export function recvMessageInto(
  socket: MessageSocket,
  buffers: readonly Uint8Array[],
  ancbufsize: number,
  flags: number,
): ReceivedInto {
  const chunks = chunksOf(buffers);
  // The system would take the first ones and cut the message.
  if (chunks.length > IOV_MAX) throw new ValueError(`a message is received into at most ${IOV_MAX} buffers`);
  const control = controlRoom(size(ancbufsize, 'size of the ancillary data'));
  const result = binding.recvMessage(
    socket.fileno(),
    chunks,
    chunks.length,
    int32(flags, 'flags'),
    control,
    scratchAddress,
    scratchLengths,
  );
  const count = check(result, 'recvmsg');
  const [addressLength, controlLength, messageFlags] = scratchLengths;
  const ancillary = decodeControl(control, controlLength);
  return [count, ancillary, messageFlags, decodeAddress(scratchAddress, addressLength, socket.proto)];
}

export function recvMessage(
  socket: MessageSocket,
  bufsize: number,
  ancbufsize: number,
  flags: number,
): ReceivedMessage {
  const buffer = Buffer.allocUnsafe(size(bufsize, 'byte count'));
  const [count, ...rest] = recvMessageInto(socket, [buffer], ancbufsize, flags);
  // MSG_TRUNC as an argument makes the count that of the whole datagram.
  return [buffer.subarray(0, count), ...rest];
}

export function sendMessage(
  socket: MessageSocket,
  buffers: readonly Uint8Array[],
  ancillary: readonly AncillaryItem[],
  flags: number,
  address: Address | null,
): number {
  const chunks = chunksOf(buffers);
  const control = encodeControl(ancillary);
  const target = encodeTarget(socket, address);
  const result = binding.sendMessage(
    socket.fileno(),
    chunks,
    chunks.length,
    int32(flags, 'flags'),
    control,
    control.length,
    target,
    target.length,
  );
  return check(result, 'sendmsg', addressFields(address, socket.family));
}

function encodeTarget(socket: MessageSocket, address: Address | null): Uint8Array {
  if (address === null) return NOTHING;
  const { bytes, length } = encodeAddress(socket.family, address);
  return bytes.subarray(0, length);
}

// What one native call looks at.
const MAX_BATCH = 256;
const RESULT_WORDS = 4;
const LAYOUT_WORDS = 3;
const { ENOSYS } = binding.errnoByName;

export function recvMessages(
  socket: MessageSocket,
  maxMessages: number,
  bufsize: number,
  ancbufsize: number,
  flags: number,
): ReceivedMessage[] {
  const most = Math.min(size(maxMessages, 'message count'), MAX_BATCH);
  const messageSize = size(bufsize, 'byte count');
  const controlSize = size(ancbufsize, 'size of the ancillary data');
  if (most === 0) return [];
  const buffer = Buffer.allocUnsafeSlow(size(most * messageSize, 'size of all messages'));
  const control = controlRoom(size(most * controlSize, 'size of all ancillary data'));
  const addresses = new Uint8Array(most * ADDRESS_SIZE);
  const results = new Int32Array(most * RESULT_WORDS);
  const received = binding.recvMessages(
    socket.fileno(),
    buffer,
    messageSize,
    most,
    int32(flags, 'flags'),
    control,
    controlSize,
    addresses,
    results,
  );
  if (received === -ENOSYS) return recvOneByOne(socket, most, bufsize, ancbufsize, flags);
  return Array.from({ length: check(received, 'recvmmsg') }, (_, index): ReceivedMessage => {
    const [count, messageFlags, addressLength, controlLength] = results.subarray(index * RESULT_WORDS);
    const start = index * messageSize;
    return [
      buffer.subarray(start, start + Math.min(count, messageSize)),
      decodeControl(control.subarray(index * controlSize), controlLength),
      messageFlags,
      decodeAddress(addresses.subarray(index * ADDRESS_SIZE), addressLength, socket.proto),
    ];
  });
}

/** For systems without the call: what is there, as far as the first error. */
function recvOneByOne(
  socket: MessageSocket,
  most: number,
  bufsize: number,
  ancbufsize: number,
  flags: number,
): ReceivedMessage[] {
  const messages: ReceivedMessage[] = [];
  const { MSG_DONTWAIT = 0 } = binding.constants;
  // Only the first one may be waited for. Where no flag says so, a socket that blocks gives no other.
  const isAlone = MSG_DONTWAIT === 0 && binding.getNonBlocking(socket.fileno()) === 0;
  while (messages.length < (isAlone ? Math.min(most, 1) : most)) {
    try {
      const further = messages.length > 0 ? MSG_DONTWAIT : 0;
      messages.push(recvMessage(socket, bufsize, ancbufsize, flags | further));
    } catch (error) {
      // An error that was the socket's comes again or is gone; the messages are here.
      if (messages.length === 0) throw error;
      break;
    }
  }
  return messages;
}

export function sendMessages(socket: MessageSocket, given: readonly OutgoingMessage[], flags: number): number {
  if (!Array.isArray(given)) throw typeError(`messages must be an array, not ${describeType(given)}`);
  const messages = given as readonly OutgoingMessage[];
  const chunks: Uint8Array[] = [];
  const controls: Uint8Array[] = [];
  const targets: Uint8Array[] = [];
  const layout: number[] = [];
  for (const message of messages) {
    if (typeof message !== 'object' || message === null) {
      throw typeError(`a message must be an object, not ${describeType(message)}`);
    }
    const own = Array.isArray(message.data) ? chunksOf(message.data) : [bytesOf(message.data)];
    const control = encodeControl(message.ancillary ?? []);
    const target = encodeTarget(socket, message.address ?? null);
    for (const chunk of own) chunks.push(chunk);
    controls.push(control);
    targets.push(target);
    layout.push(own.length, control.length, target.length);
  }
  let sent = 0;
  let begun = 0;
  while (sent < messages.length) {
    const until = Math.min(sent + MAX_BATCH, messages.length);
    const result = binding.sendMessages(
      socket.fileno(),
      chunks.slice(begun, begun + IOV_MAX),
      until - sent,
      int32(flags, 'flags'),
      Int32Array.from(layout.slice(sent * LAYOUT_WORDS, until * LAYOUT_WORDS)),
      Buffer.concat(controls.slice(sent, until)),
      Buffer.concat(targets.slice(sent, until)),
    );
    if (result === -ENOSYS) return sendOneByOne(socket, messages, flags);
    if (result < 0) {
      if (sent > 0) break;
      throw errorFor(result, 'sendmmsg', addressFields(messages[0].address ?? null, socket.family));
    }
    if (result === 0) break;
    for (const end = sent + result; sent < end; sent++) begun += layout[sent * LAYOUT_WORDS];
  }
  return sent;
}

function sendOneByOne(socket: MessageSocket, messages: readonly OutgoingMessage[], flags: number): number {
  for (const [sent, { data, ancillary = [], address = null }] of messages.entries()) {
    try {
      sendMessage(socket, Array.isArray(data) ? data : [data as Uint8Array], ancillary, flags, address);
    } catch (error) {
      if (sent === 0) throw error;
      return sent;
    }
  }
  return messages.length;
}
