// byte-buffer.ts: bytes in one piece, to which is added behind and taken off in front. Python: bytearray.

const EMPTY = Buffer.alloc(0);
const SMALLEST = 4096;

export class ByteBuffer {
  #memory: Buffer = EMPTY;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Everything, until the next change. */
  get bytes(): Buffer {
    return this.#memory.subarray(this.#start, this.#end);
  }

  /** Adds a copy. */
  append(data: Uint8Array): void {
    this.#makeRoom(data.length);
    this.#memory.set(data, this.#end);
    this.#end += data.length;
  }

  /** Takes off the first `count` bytes. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.clear();
  }

  /** Takes off everything, and gives the memory back. */
  clear(): void {
    this.#memory = EMPTY;
    this.#start = 0;
    this.#end = 0;
  }

  #makeRoom(count: number): void {
    const memory = this.#memory;
    if (this.#end + count <= memory.length) return;
    const length = this.length;
    // Only if it moves less than it frees, so that each byte is moved a few times at the most.
    if (length + count <= memory.length && length <= this.#start) memory.copyWithin(0, this.#start, this.#end);
    else {
      this.#memory = Buffer.allocUnsafeSlow(Math.max(SMALLEST, 2 * memory.length, length + count));
      memory.copy(this.#memory, 0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = length;
  }
}
