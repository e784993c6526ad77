// protocols.ts: protocols that note what they are told.

import { BufferedProtocol, Protocol } from '../../lib/transports/protocol';
import type { SelectorSocketTransport } from '../../lib/transports/socket-transport';
import type { BaseTransport } from '../../lib/transports/transport';

export type Event = [name: string, ...details: unknown[]];

/** What a protocol does besides noting, by the name of its method. */
export type Reactions = Partial<Record<string, (transport: SelectorSocketTransport, ...args: unknown[]) => unknown>>;

function react(protocol: { reactions: Reactions; transport: SelectorSocketTransport }, name: string, args: unknown[]) {
  return protocol.reactions[name]?.(protocol.transport, ...args);
}

export class NotingProtocol extends Protocol {
  readonly events: Event[] = [];
  readonly received: Buffer[] = [];
  transport!: SelectorSocketTransport;

  constructor(readonly reactions: Reactions = {}) {
    super();
  }

  override connectionMade(transport: BaseTransport): void {
    this.transport = transport as SelectorSocketTransport;
    this.events.push(['connectionMade']);
    react(this, 'connectionMade', []);
  }

  override dataReceived(data: Buffer): void {
    this.received.push(data);
    this.events.push(['dataReceived', data.length]);
    react(this, 'dataReceived', [data]);
  }

  override eofReceived(): unknown {
    this.events.push(['eofReceived']);
    return react(this, 'eofReceived', []);
  }

  override pauseWriting(): void {
    this.events.push(['pauseWriting']);
    react(this, 'pauseWriting', []);
  }

  override resumeWriting(): void {
    this.events.push(['resumeWriting']);
    react(this, 'resumeWriting', []);
  }

  override connectionLost(error: unknown): void {
    this.events.push(['connectionLost', error]);
    react(this, 'connectionLost', [error]);
  }

  names(): string[] {
    return this.events.map(([name]) => name);
  }
}

export class NotingBufferedProtocol extends BufferedProtocol {
  readonly events: Event[] = [];
  transport!: SelectorSocketTransport;
  buffer: Uint8Array = new Uint8Array(16);

  constructor(readonly reactions: Reactions = {}) {
    super();
  }

  override connectionMade(transport: BaseTransport): void {
    this.transport = transport as SelectorSocketTransport;
    this.events.push(['connectionMade']);
  }

  override getBuffer(sizeHint: number): Uint8Array {
    this.events.push(['getBuffer', sizeHint]);
    const given = react(this, 'getBuffer', []);
    return given === undefined ? this.buffer : (given as Uint8Array);
  }

  override bufferUpdated(byteCount: number): void {
    this.events.push(['bufferUpdated', byteCount]);
    react(this, 'bufferUpdated', [byteCount]);
  }

  override eofReceived(): unknown {
    this.events.push(['eofReceived']);
    return react(this, 'eofReceived', []);
  }

  override connectionLost(error: unknown): void {
    this.events.push(['connectionLost', error]);
  }

  names(): string[] {
    return this.events.map(([name]) => name);
  }
}
