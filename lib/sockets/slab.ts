// slab.ts: where received bytes go. A read lands in a large piece of memory that is handed out in slices, so that a
// message costs one small view and no copy. A slice keeps its slab alive.

import { markAsUntransferable } from 'node:worker_threads';

import { binding } from '../native/binding';

const SLAB_SIZE = 1024 * 1024;

let slab = newSlab();
let used = 0;

// Messages share the slab's memory: one that is sent to another thread is copied, or refused, but takes nothing along.
function newSlab(): Buffer {
  const buffer = Buffer.allocUnsafeSlow(SLAB_SIZE);
  markAsUntransferable(buffer.buffer);
  return buffer;
}

/**
 * Receives up to `maxBytes` bytes.
 * @returns a buffer of its own (empty at the end of the stream), or `-errno`
 */
export function recvSlice(fd: number, maxBytes: number, flags: number): Buffer | number {
  // The length is that of the memory that is still there: somebody may have detached it all the same.
  if (slab.length - used < maxBytes) {
    if (maxBytes > SLAB_SIZE / 2) return recvAlone(fd, maxBytes, flags);
    slab = newSlab();
    used = 0;
  }
  const count = binding.recv(fd, slab, used, maxBytes, flags);
  if (count < 0) return count;
  const slice = slab.subarray(used, used + count);
  // Slices start at multiples of eight, so that numeric views fit on them.
  used = (used + count + 7) & ~7;
  return slice;
}

function recvAlone(fd: number, maxBytes: number, flags: number): Buffer | number {
  const buffer = Buffer.allocUnsafeSlow(maxBytes);
  const count = binding.recv(fd, buffer, 0, maxBytes, flags);
  return count < 0 ? count : buffer.subarray(0, count);
}
