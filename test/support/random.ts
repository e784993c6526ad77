// random.ts: random numbers that can be had again. FDLOOP_SEED takes the seed that a failed run has printed.

/** A small generator (mulberry32) that prints its seed. */
export class Random {
  #state: number;

  constructor(seed = Number(process.env.FDLOOP_SEED ?? Date.now() % 2 ** 31)) {
    this.#state = seed;
    const { currentTestName } = expect.getState();
    process.stdout.write(`FDLOOP_SEED=${seed} (${currentTestName})\n`);
  }

  /** A number from 0 up to, but not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
}
