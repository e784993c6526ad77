// byte-queue.ts: bytes that arrived in pieces and are taken out in others. Nothing is copied unless what is taken lies in
// more than one piece.

/** Bytes in the order in which they came. */
export class ByteQueue {
  // The first chunk is the rest of what has been taken from; chunks before `#first` are gone.
  #chunks: Buffer[] = [];
  #first = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The memory is kept, not copied. */
  push(data: Uint8Array): void {
    this.#chunks.push(Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.length));
    this.#length += data.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#length = 0;
  }

  /** Takes the first `count` bytes out, or as many as there are. */
  take(count: number): Buffer {
    const wanted = Math.min(count, this.#length);
    const taken = this.#peek(0, wanted);
    this.#drop(wanted);
    return taken;
  }

  /** Takes everything out. */
  takeAll(): Buffer {
    return this.take(this.#length);
  }

  /** Where `bytes` begins, not before `from`; -1 if it is not there. */
  indexOf(bytes: Uint8Array, from = 0): number {
    const overlap = bytes.length - 1;
    let start = 0;
    for (let index = this.#first; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index];
      const end = start + chunk.length;
      if (end > from) {
        const found = chunk.indexOf(bytes, Math.max(0, from - start));
        if (found !== -1) return start + found;
        // It may begin in this chunk and end in a later one; a single byte cannot.
        const edge = Math.max(from, start, end - overlap);
        const across = edge === end ? -1 : this.#peek(edge, Math.min(end + overlap, this.#length)).indexOf(bytes);
        if (across !== -1) return edge + across;
      }
      start = end;
    }
    return -1;
  }

  #peek(from: number, to: number): Buffer {
    const pieces: Buffer[] = [];
    let start = 0;
    for (let index = this.#first; index < this.#chunks.length && start < to; index++) {
      const chunk = this.#chunks[index];
      const end = start + chunk.length;
      if (end > from) pieces.push(chunk.subarray(Math.max(0, from - start), Math.min(chunk.length, to - start)));
      start = end;
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  #drop(count: number): void {
    this.#length -= count;
    for (let left = count; left > 0;) {
      const chunk = this.#chunks[this.#first];
      if (chunk.length > left) {
        this.#chunks[this.#first] = chunk.subarray(left);
        return;
      }
      left -= chunk.length;
      this.#first += 1;
    }
    if (this.#length === 0) this.clear();
    else if (this.#first > 32 && this.#first > this.#chunks.length / 2) {
      this.#chunks = this.#chunks.slice(this.#first);
      this.#first = 0;
    }
  }
}
