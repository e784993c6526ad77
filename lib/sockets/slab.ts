// slab.ts: where received bytes go. A read lands in a large piece of memory that is handed out in slices, so that a message
// costs one small view and no copy. A slice keeps its slab alive, however small it is: so what is tiny is copied, which
// costs less than a slice does, into small slabs that are made of nothing else.

import { markAsUntransferable } from 'node:worker_threads';

import { binding } from '../native/binding';

/** Room for the longest read of a transport, and as much again to be handed out. */
const SLAB_SIZE = 512 * 1024;
const TINY_SLAB_SIZE = 16 * 1024;
/** Bytes up to which a message is copied. */
const TINY = 256;

// The class behind Buffer, where it can be had: a view of memory without a look at what else it could be.
type BufferView = new (memory: ArrayBuffer, offset: number, length: number) => Buffer;
const species = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species] as BufferView | undefined;
const FastBuffer = species !== undefined && species.prototype === Buffer.prototype ? species : null;

function viewOf(memory: ArrayBuffer, offset: number, length: number): Buffer {
  return FastBuffer === null ? Buffer.from(memory, offset, length) : new FastBuffer(memory, offset, length);
}

/** Memory that is handed out from the front. Its words are how tiny messages are copied, and tell if it was detached. */
class Slab {
  readonly memory: ArrayBuffer;
  readonly words: Int32Array;
  used = 0;

  constructor(size: number) {
    // Not zeroed: pages that nothing is received into are never touched.
    this.memory = size === 0 ? new ArrayBuffer(0) : Buffer.allocUnsafeSlow(size).buffer;
    this.words = new Int32Array(this.memory);
    // Messages share it: one that is sent to another thread is copied, or refused, but takes nothing along.
    markAsUntransferable(this.memory);
  }
}

// Nothing is held before the first read.
let large = new Slab(0);
let tiny = new Slab(0);

/** The slab that a read of up to `maxBytes` bytes may go into; null if it is too long for one. */
function roomFor(maxBytes: number): Slab | null {
  // The length is that of the memory that is still there: somebody may have detached it all the same.
  if (large.words.length * 4 - large.used >= maxBytes) return large;
  if (maxBytes > SLAB_SIZE / 2) return null;
  return (large = new Slab(SLAB_SIZE));
}

/** Hands out the `count` bytes that were received into `slab`. */
function take(slab: Slab, count: number): Buffer {
  if (count <= TINY) return copyOfTiny(slab, count);
  const slice = viewOf(slab.memory, slab.used, count);
  slab.used = afterSlice(slab.used + count);
  return slice;
}

/**
 * Receives up to `maxBytes` bytes.
 * @returns a buffer of its own, 0 at the end of the stream, or `-errno`
 */
export function recvSlice(fd: number, maxBytes: number, flags: number): Buffer | number {
  const slab = roomFor(maxBytes);
  if (slab === null) return recvAlone(fd, maxBytes, flags);
  const count =
    flags === 0
      ? binding.recvAt(fd, slab.memory, slab.used, maxBytes)
      : binding.recv(fd, new Uint8Array(slab.memory), slab.used, maxBytes, flags);
  // MSG_TRUNC makes the count that of the whole datagram: behind what fits lies what is none of this one's.
  return count <= 0 ? count : take(slab, Math.min(count, maxBytes));
}

/**
 * Receives one datagram of up to `maxBytes` bytes, at most half a slab.
 * @param sender gets the sender's address: its length as an int32, and from byte SENDER_ADDRESS on the sockaddr
 * @returns a buffer of its own, or `-errno`
 */
export function recvfromSlice(fd: number, maxBytes: number, sender: ArrayBuffer): Buffer | number {
  const slab = roomFor(maxBytes) as Slab;
  const count = binding.recvfromAt(fd, slab.memory, slab.used, maxBytes, sender);
  return count < 0 ? count : take(slab, count);
}

/** As `recvSlice`, from a descriptor of any kind; `maxBytes` is at most half a slab. */
export function readSlice(fd: number, maxBytes: number): Buffer | number {
  const slab = roomFor(maxBytes) as Slab;
  const count = binding.readAt(fd, slab.memory, slab.used, maxBytes);
  return count <= 0 ? count : take(slab, count);
}

/** Slices start at multiples of eight, so that numeric views fit on them. */
function afterSlice(end: number): number {
  return (end + 7) & ~7;
}

/** A copy of the `count` bytes that lie where the next slice of `from` would begin. */
function copyOfTiny(from: Slab, count: number): Buffer {
  if (tiny.words.length * 4 - tiny.used < TINY) tiny = new Slab(TINY_SLAB_SIZE);
  const to = tiny;
  const source = from.words;
  const target = to.words;
  // Four words at a time, so a few bytes more than asked for; nobody was given these yet. For so few, a loop beats a call.
  const words = ((count + 15) >> 4) << 2;
  const first = from.used >> 2;
  const start = to.used >> 2;
  for (let index = 0; index < words; index += 4) {
    const at = (first + index) | 0;
    const into = (start + index) | 0;
    target[into] = source[at];
    target[into + 1] = source[at + 1];
    target[into + 2] = source[at + 2];
    target[into + 3] = source[at + 3];
  }
  const slice = viewOf(to.memory, to.used, count);
  to.used = afterSlice(to.used + count);
  return slice;
}

function recvAlone(fd: number, maxBytes: number, flags: number): Buffer | number {
  const buffer = Buffer.allocUnsafeSlow(maxBytes);
  const count = binding.recv(fd, buffer, 0, maxBytes, flags);
  return count <= 0 ? count : buffer.subarray(0, count);
}
