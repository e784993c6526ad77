// chunks.ts: pieces that wait, taken together, and given back.

import { binding } from '../native/binding';

/** Empties `chunks`. @returns all that was in it, without a copy if that was one; there must be one at least */
export function takeTogether(chunks: Uint8Array[]): Uint8Array {
  // The usual case: `pop` leaves the list its memory, for the next one.
  if (chunks.length === 1) return chunks.pop() as Uint8Array;
  return Buffer.concat(chunks.splice(0));
}

/** What newer engines have, for the same as our own. */
interface Transferable {
  transfer?(newLength: number): ArrayBuffer;
}

/** Bytes from which on it is cheaper to give memory back than to leave it to the collector. */
const LARGE = 4096;

/**
 * Gives back the memory of a chunk that nobody will read any more. Left to the collector it would come back late, and every
 * record would be written to memory that no cache knows.
 */
export function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (chunk.length < LARGE || chunk.length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  const memory = buffer as ArrayBuffer & Transferable;
  if (memory.transfer === undefined) binding.detach(buffer);
  else memory.transfer(0);
}
