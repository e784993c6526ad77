// tls.ts: a TLS protocol between a protocol that notes, above, and a transport that notes, below; an engine of the other
// role answers it. Nothing moves but what the test moves.

import { inspect } from 'node:util';

import type { OSError } from '../../lib/base/errors';
import { type LogRecord, setLogReceiver } from '../../lib/base/log';
import type { Future } from '../../lib/futures/future';
import type { SSLOptions, SSLSettings } from '../../lib/tls/options';
import { SSLEngine } from '../../lib/tls/ssl-engine';
import { SSLProtocol } from '../../lib/tls/ssl-protocol';
import type { SSLTransport } from '../../lib/tls/ssl-transport';
import { FlowControlTransport } from '../../lib/transports/flow-control';
import type { BaseProtocol } from '../../lib/transports/protocol';
import { useCertificates } from './certificates';
import { type TestLoop, useLoop } from './loops';
import { NotingProtocol } from './protocols';

/** What is under the TLS protocol. */
export class NotingTransport extends FlowControlTransport {
  readonly calls: unknown[][] = [];
  readonly written: Uint8Array[] = [];
  lost = false;
  /** What `write` throws. */
  failure: Error | null = null;
  declare _protocol: SSLProtocol;

  override write(data: Uint8Array): void {
    if (this.failure !== null) throw this.failure;
    // Its memory may be gone when this has returned: nothing waits here, as getWriteBufferSize says.
    if (!this.lost) this.written.push(Buffer.from(data));
  }

  _writeTogether(chunks: readonly Uint8Array[]): void {
    this.write(Buffer.concat([...chunks]));
  }

  override getWriteBufferSize(): number {
    return 0;
  }

  override isClosing(): boolean {
    return this.lost;
  }

  override setProtocol(protocol: BaseProtocol): void {
    this._protocol = protocol as SSLProtocol;
  }

  override pauseReading(): void {
    this.calls.push(['pauseReading']);
  }

  override resumeReading(): void {
    this.calls.push(['resumeReading']);
  }

  override close(): void {
    this.calls.push(['close']);
    this.#lose(null);
  }

  override abort(): void {
    this._forceClose(null);
  }

  _forceClose(error: unknown): void {
    this.calls.push(['forceClose', error]);
    this.#lose(error);
  }

  #lose(error: unknown): void {
    if (this.lost) return;
    this.lost = true;
    this._loop?.callSoon(() => this._protocol.connectionLost(error));
  }

  [inspect.custom](): string {
    return '<NotingTransport>';
  }
}

export interface TlsCertificates {
  readonly serverSsl: SSLOptions;
  readonly clientSsl: SSLOptions;
  /** Where the suite's files are. */
  readonly folder: string;
  readonly keyFile: string;
  readonly certFile: string;
}

/** A server's options and a client's, who trusts him. Each test gets objects of its own: one object is one context. */
export function useTlsCertificates(): TlsCertificates {
  const certificates = useCertificates();
  let identity: ReturnType<typeof certificates.current.selfSigned>;
  beforeAll(() => {
    identity = certificates.current.selfSigned('server');
  });
  return {
    get serverSsl() {
      return { key: identity.key, cert: identity.cert };
    },
    get clientSsl() {
      return { ca: identity.cert };
    },
    get folder() {
      return certificates.current.folder;
    },
    get keyFile() {
      return identity.keyFile;
    },
    get certFile() {
      return identity.certFile;
    },
  };
}

export class TlsSubject {
  lower!: NotingTransport;
  protocol!: SSLProtocol;
  transport!: SSLTransport;
  waiter!: Future<void>;
  peer!: SSLEngine;
  peerOutput: Uint8Array[] = [];
  /** Texts, '<done>' for the handshake, '<end>' for our goodbye, '<code>' for a failure. */
  peerHeard: string[] = [];
  readonly logs: LogRecord[] = [];

  constructor(
    readonly subject: TestLoop,
    readonly certificates: TlsCertificates,
  ) {}

  get warnings(): string[] {
    return this.logs.filter(({ level }) => level === 'warning').map(({ message }) => message);
  }

  /** Timers that would still do something. */
  get liveTimers(): number {
    return [...this.subject.loop._scheduled].filter((timer) => !timer.cancelled()).length;
  }

  noted(reactions: ConstructorParameters<typeof NotingProtocol>[0] = {}): NotingProtocol {
    return new NotingProtocol(reactions);
  }

  /** Lets what is queued run: the loop's handles and Node's ticks. */
  async settle(times = 4): Promise<void> {
    for (let index = 0; index < times; index++) {
      await new Promise((resolve) => setImmediate(resolve));
      await this.subject.runOnce();
    }
  }

  /** Our protocol over a noting transport, the client unless told otherwise, and a peer. The handshake has begun. */
  async begin(app: BaseProtocol, more: Partial<SSLSettings> = {}, { made = true, peer = {} } = {}): Promise<void> {
    const { loop } = this.subject;
    const { serverSsl, clientSsl } = this.certificates;
    const serverSide = more.serverSide === true;
    const server: SSLSettings = { options: serverSsl, serverSide: true, serverHostname: null };
    const client: SSLSettings = { options: clientSsl, serverSide: false, serverHostname: 'localhost' };
    const settings = { ...(serverSide ? server : client), ...more };
    this.peerOutput = [];
    this.peerHeard = [];
    this.waiter = loop.createFuture<void>();
    this.waiter.addDoneCallback((done) => done.cancelled() || done.exception());
    await this.inLoop(() => {
      this.lower = new NotingTransport({ peername: 'below' }, loop);
      this.protocol = new SSLProtocol(loop, app, settings, this.waiter, made);
      this.lower._protocol = this.protocol;
      this.transport = this.protocol._appTransport;
      if (app instanceof NotingProtocol) app.transport = this.transport as never;
      this.protocol.connectionMade(this.lower);
    });
    this.subject.atEnd(() => this.transport.abort());
    this.peer = new SSLEngine(
      { ...(serverSide ? client : server), ...peer },
      {
        output: (chunk) => this.peerOutput.push(chunk),
        plain: (chunk) => this.peerHeard.push(String(chunk)),
        handshakeDone: () => this.peerHeard.push('<done>'),
        ended: () => this.peerHeard.push('<end>'),
        failed: (error: OSError) => this.peerHeard.push(`<${error.code}>`),
      },
    );
  }

  /** Runs `action` inside of the loop. */
  async inLoop<T>(action: () => T): Promise<T> {
    return this.subject.run(
      (function* () {
        yield;
        return action();
      })(),
    );
  }

  toPeer(): void {
    for (const chunk of this.lower.written.splice(0)) this.peer.feed(chunk);
  }

  /** @param limit bytes to deliver at the most; the rest waits */
  fromPeer(limit = Infinity): void {
    const all = Buffer.concat(this.peerOutput.splice(0));
    const chunk = all.subarray(0, limit);
    if (all.length > chunk.length) this.peerOutput.push(all.subarray(chunk.length));
    if (chunk.length > 0 && !this.lower.lost) this.deliver(chunk);
  }

  deliver(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += 262144) {
      const part = bytes.subarray(start, start + 262144);
      this.protocol.getBuffer().set(part);
      this.protocol.bufferUpdated(part.length);
    }
  }

  /** Everything that is written goes over, both ways, until all is quiet. */
  async exchange(): Promise<void> {
    let rounds = 0;
    do {
      this.toPeer();
      await this.settle(1);
      this.fromPeer();
      await this.settle(1);
    } while (rounds++ < 12 && (this.lower.written.length > 0 || this.peerOutput.length > 0));
  }

  /** The handshake is done. */
  async connected(...args: Parameters<TlsSubject['begin']>): Promise<void> {
    await this.begin(...args);
    await this.exchange();
    expect(this.waiter.result()).toBeUndefined();
  }

  /** The peer writes. */
  says(text: string | Uint8Array): void {
    this.peer.write(Buffer.from(text as string));
  }
}

/** One for each test, by a virtual clock. */
export function useTls(): TlsSubject {
  const certificates = useTlsCertificates();
  const loops = useLoop('virtual');
  let current: TlsSubject | null = null;
  beforeEach(() => {
    const made = new TlsSubject(loops.current, certificates);
    setLogReceiver((record) => made.logs.push(record));
    current = made;
  });
  afterEach(() => {
    current?.peer?.destroy();
    current = null;
    setLogReceiver(null);
  });
  // The test's own subject, by one name that a suite can keep.
  return new Proxy({} as TlsSubject, {
    get: (_target, name) => {
      if (current === null) throw new Error('there is a TLS subject only while a test runs');
      const value = Reflect.get(current, name) as unknown;
      return typeof value === 'function' ? (value as () => unknown).bind(current) : value;
    },
  });
}
