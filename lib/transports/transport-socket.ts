// transport-socket.ts: the socket that a transport shows: options and addresses, but no reading, writing or closing.
// asyncio: trsock.TransportSocket.

import { inspect } from 'node:util';

import { ValueError } from '../base/errors';
import { shownAddresses, type Address } from '../sockets/address';
import type { SocketLike } from '../sockets/socket-io';
import type { Socket } from '../sockets/socket';

export class TransportSocket {
  readonly #socket: SocketLike;

  constructor(socket: SocketLike) {
    this.#socket = socket;
  }

  get family(): number {
    return this.#socket.family;
  }

  get type(): number {
    return this.#socket.type;
  }

  get proto(): number {
    return this.#socket.proto;
  }

  fileno(): number {
    return this.#socket.fileno();
  }

  /** A socket of its own on a duplicate of the descriptor. */
  dup(): Socket {
    return (this.#socket as Socket).dup();
  }

  getInheritable(): boolean {
    return (this.#socket as Socket).getInheritable();
  }

  shutdown(how: number): void {
    this.#socket.shutdown(how);
  }

  getsockopt(level: number, option: number): number;
  getsockopt(level: number, option: number, byteLength: number): Buffer;
  getsockopt(level: number, option: number, byteLength?: number): number | Buffer {
    return byteLength === undefined
      ? this.#socket.getsockopt(level, option)
      : this.#socket.getsockopt(level, option, byteLength);
  }

  setsockopt(level: number, option: number, value: number | boolean | Uint8Array): void {
    this.#socket.setsockopt(level, option, value);
  }

  getpeername(): Address | null {
    return this.#socket.getpeername();
  }

  getsockname(): Address | null {
    return this.#socket.getsockname();
  }

  /** Always 0: the socket of a transport is non-blocking. */
  gettimeout(): 0 {
    return 0;
  }

  /** @throws ValueError for anything but 0 */
  settimeout(timeout: number | null): void {
    if (timeout !== 0) throw new ValueError(`the timeout of a transport's socket is 0, not ${inspect(timeout)}`);
  }

  /** @throws ValueError for true */
  setblocking(blocking: boolean): void {
    if (blocking) throw new ValueError('the socket of a transport cannot be blocking');
  }

  [inspect.custom](): string {
    const fd = this.#socket.fileno();
    const ends = fd < 0 ? '' : shownAddresses(this.#socket);
    return `<TransportSocket fd=${fd} family=${this.family} type=${this.type} proto=${this.proto}${ends}>`;
  }
}
