// chunks.ts: pieces that wait, taken together.

/** Empties `chunks`. @returns all that was in it, without a copy if that was one; there must be one at least */
export function takeTogether(chunks: Uint8Array[]): Uint8Array {
  // The usual case: `pop` leaves the list its memory, for the next one.
  if (chunks.length === 1) return chunks.pop() as Uint8Array;
  return Buffer.concat(chunks.splice(0));
}
