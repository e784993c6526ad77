// transport-map.ts: who owns a descriptor. asyncio: a WeakValueDictionary. A transport that nobody uses can be collected, and
// no longer blocks its number (TR-049). It has to be watched for nothing then, for what is watched the selector keeps; so a
// reference is made weak only when watching ends: weak ones cost more than the rest of a connection's entry.

import { inspect } from 'node:util';

import type { SelectorTransport } from '../transports/selector-transport';
import type { SocketLike } from '../sockets/socket-io';

/** A transport was dropped without being closed: its socket is closed, nobody is told but the one who reads warnings. */
export function closeAbandoned(socket: SocketLike): void {
  process.emitWarning(`unclosed transport: its socket ${inspect(socket)} is closed now`, 'ResourceWarning');
  socket.close();
}

const abandoned = new FinalizationRegistry(closeAbandoned);

export class TransportMap {
  // By descriptor.
  readonly #owners: (SelectorTransport | WeakRef<SelectorTransport> | undefined)[] = [];
  /** The sockets of the transports that it keeps, by descriptor: what is to be closed when it is collected together with them. */
  readonly sockets: (SocketLike | undefined)[] = [];

  get(fd: number): SelectorTransport | undefined {
    const owner = this.#owners[fd];
    return owner instanceof WeakRef ? owner.deref() : owner;
  }

  has(fd: number): boolean {
    return this.get(fd) !== undefined;
  }

  *values(): IterableIterator<SelectorTransport> {
    for (let fd = 0; fd < this.#owners.length; fd++) {
      const transport = this.get(fd);
      if (transport !== undefined) yield transport;
    }
  }

  set(fd: number, transport: SelectorTransport): void {
    const reference = transport._reference;
    this.#owners[fd] = reference ?? transport;
    this.sockets[fd] = reference === null ? (transport._sock as SocketLike) : undefined;
  }

  /** From now on only those who use `transport` keep it. */
  loosen(fd: number, transport: SelectorTransport): void {
    if (transport._reference !== null) return;
    transport._reference = new WeakRef(transport);
    abandoned.register(transport, transport._sock as SocketLike, transport);
    if (this.#owners[fd] === transport) this.set(fd, transport);
  }

  /** The connection is lost: forgets the descriptor, if it still is the transport's. */
  release(fd: number, transport: SelectorTransport): void {
    const reference = transport._reference;
    if (reference !== null) abandoned.unregister(transport);
    // Without a look behind the reference, which the engine would note.
    if (this.#owners[fd] === (reference ?? transport)) this.delete(fd);
  }

  delete(fd: number): void {
    this.#owners[fd] = undefined;
    this.sockets[fd] = undefined;
  }
}
