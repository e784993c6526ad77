// transport-map.ts: who owns a descriptor. The map does not keep a transport alive: one that is dropped without being closed
// can be collected, and no longer blocks its number (TR-049). asyncio: a WeakValueDictionary.

import type { SelectorTransport } from '../transports/selector-transport';

export class TransportMap {
  readonly #references = new Map<number, WeakRef<SelectorTransport>>();

  get(fd: number): SelectorTransport | undefined {
    const reference = this.#references.get(fd);
    if (reference === undefined) return undefined;
    const transport = reference.deref();
    if (transport === undefined) this.#references.delete(fd);
    return transport;
  }

  has(fd: number): boolean {
    return this.get(fd) !== undefined;
  }

  *values(): IterableIterator<SelectorTransport> {
    for (const fd of [...this.#references.keys()]) {
      const transport = this.get(fd);
      if (transport !== undefined) yield transport;
    }
  }

  set(fd: number, transport: SelectorTransport): void {
    transport._reference ??= new WeakRef(transport);
    this.#references.set(fd, transport._reference);
  }

  /** Forgets the descriptor if it still is the transport's, without a look behind the reference, which the engine would note. */
  release(fd: number, transport: SelectorTransport): void {
    if (this.#references.get(fd) === transport._reference) this.#references.delete(fd);
  }

  delete(fd: number): void {
    this.#references.delete(fd);
  }
}
