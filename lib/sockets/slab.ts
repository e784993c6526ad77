// slab.ts: where received bytes go. A read lands in a large piece of memory that is handed out in slices, so that a
// message costs one small view and no copy. A slice keeps its slab alive.

import { binding } from '../native/binding';

const SLAB_SIZE = 1024 * 1024;

let slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
let used = 0;

/**
 * Receives up to `maxBytes` bytes.
 * @returns a buffer of its own (empty at the end of the stream), or `-errno`
 */
export function recvSlice(fd: number, maxBytes: number, flags: number): Buffer | number {
  if (SLAB_SIZE - used < maxBytes) {
    if (maxBytes > SLAB_SIZE / 2) return recvAlone(fd, maxBytes, flags);
    slab = Buffer.allocUnsafeSlow(SLAB_SIZE);
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
