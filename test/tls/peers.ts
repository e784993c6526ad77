// peers.ts: programs that speak TLS and are not ours, in both roles: Node's tls, OpenSSL's s_client and s_server, CPython's
// asyncio. One side of a connection is told in the same words for all of them, and for us.
//
// A server answers what it hears. A client says its message, and ends as it was told when the answer is there.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect as tlsConnect, createServer as createTlsServer, type SecureVersion, type TLSSocket } from 'node:tls';

import type { Future } from '../../lib/futures/future';
import type { SSLOptions } from '../../lib/tls/options';
import type { BaseTransport } from '../../lib/transports/transport';
import type { Identity } from '../support/certificates';
import type { TestLoop } from '../support/loops';
import { addressOf } from '../support/peers';
import { NotingProtocol } from '../support/protocols';

export const MESSAGE = 'the quick brown fox\n';

/** One side of a connection. */
export interface Side {
  identity?: Identity;
  /** Whom it believes. A client without it believes nobody, a server without it asks for no certificate. */
  trust?: Identity;
  version?: SecureVersion;
  ciphers?: string;
  alpn?: string[];
  /** What a client calls the server; localhost if left out. */
  name?: string;
  /** Seconds for the handshake and for the end. */
  timeout?: number;
}

/** What our side, or asyncio in its place, saw of one connection. */
export interface Observation {
  /** What connecting failed with. */
  error: string | null;
  /** What the protocol was told, without data and flow. */
  events: string[];
  /** How many bytes it heard. */
  heard: number;
  /** What connectionLost was given. */
  lost: string | null;
  /** What the exception handler was told. */
  reported: string[];
  facts: { version: string | null; alpn: string | null; peer: string | null } | null;
}

export interface Listening {
  port: number;
  /** Drops every connection, without a goodbye. */
  cut(): unknown;
  stop(): unknown;
}

/** What a client does when the answer is there. A connection that is cut ends without a goodbye. */
export type Ending = 'goodbye' | 'cut' | 'wait';

export interface Peer {
  readonly name: string;
  serve(side: Side): Promise<Listening>;
  /** Until the connection is over, one way or another. */
  connect(port: number, side: Side, ending: Ending): Promise<unknown>;
}

// Ours.

export function sslOptions({ identity, trust, version, ciphers, alpn }: Side, server: boolean): SSLOptions {
  return {
    ...(identity === undefined ? {} : { key: identity.key, cert: identity.cert }),
    ca: trust === undefined ? [] : trust.cert,
    minVersion: version,
    maxVersion: version,
    ciphers,
    ALPNProtocols: alpn,
    requestCert: server && trust !== undefined,
  };
}

const nameOf = (error: unknown): string | null => (error === null ? null : (error as Error).name);

/** An end of a connection of ours: it does and notes what Noting of peers.py does and notes. */
export class Observed extends NotingProtocol {
  readonly over: Future<void>;
  /** Called when the whole message is there. */
  onHeard: (close: () => void) => void = () => undefined;
  /** What connecting failed with. */
  error: unknown = null;
  lost: unknown = null;
  #heard = 0;
  #facts: Observation['facts'] = null;

  constructor(
    readonly subject: TestLoop,
    readonly serves: boolean,
    readonly ending: Ending,
  ) {
    super();
    this.over = subject.loop.createFuture<void>();
  }

  override connectionMade(transport: BaseTransport): void {
    super.connectionMade(transport);
    const engine = transport.getExtraInfo<TLSSocket>('ssl_object') as TLSSocket;
    const peer = transport.getExtraInfo<{ subject: { CN: string } }>('peercert')?.subject.CN ?? null;
    this.#facts = { version: engine.getProtocol(), alpn: engine.alpnProtocol || null, peer };
    if (!this.serves) this.transport.write(Buffer.from(MESSAGE));
  }

  override dataReceived(data: Buffer): void {
    this.#heard += data.length;
    if (this.serves) this.transport.write(Buffer.from(String(data).toUpperCase()));
    if (this.#heard !== MESSAGE.length) return;
    if (this.ending === 'goodbye') this.transport.close();
    else if (this.ending === 'cut') this.transport.abort();
    else this.onHeard(() => this.transport.close());
  }

  override connectionLost(error: unknown): void {
    super.connectionLost(error);
    this.lost = error;
    this.over.setResult(undefined);
  }

  observation(): Observation {
    return {
      error: nameOf(this.error),
      events: this.names().filter((name) => !name.endsWith('Writing')),
      heard: this.#heard,
      lost: nameOf(this.lost),
      reported: this.subject.takeContexts().map(({ message }) => message ?? ''),
      facts: this.#facts,
    };
  }
}

/** Runs our loop until something of somebody else's is done. */
export function runUntil<T>(subject: TestLoop, promise: Promise<T>): Promise<T> {
  const future = subject.loop.createFuture<T>();
  promise.then(
    (value) => future.setResult(value),
    (error: unknown) => future.setException(error),
  );
  return subject.run(future);
}

/** Our client at a server: until the connection is over. */
export async function connectOurs(
  subject: TestLoop,
  port: number,
  side: Side,
  onHeard?: (close: () => void) => void,
): Promise<Observed> {
  const observed = new Observed(subject, false, onHeard === undefined ? 'goodbye' : 'wait');
  if (onHeard !== undefined) observed.onHeard = onHeard;
  const options = {
    ssl: sslOptions(side, false),
    serverHostname: side.name ?? 'localhost',
    sslHandshakeTimeout: side.timeout,
    sslShutdownTimeout: side.timeout,
  };
  try {
    await subject.run(subject.loop.createConnection(() => observed, '127.0.0.1', port, options));
  } catch (error) {
    observed.error = error;
    return observed;
  }
  await subject.run(observed.over);
  return observed;
}

/** Our server: `over` gives what was made, when no connection is left. */
export async function serveOurs(subject: TestLoop, side: Side) {
  const made: Observed[] = [];
  const factory = (): Observed => {
    const observed = new Observed(subject, true, 'wait');
    made.push(observed);
    return observed;
  };
  const ssl = sslOptions(side, true);
  const options = { ssl, sslHandshakeTimeout: side.timeout, sslShutdownTimeout: side.timeout };
  const server = await subject.run(subject.loop.createServer(factory, '127.0.0.1', 0, options));
  subject.atEnd(() => server.close());
  const over = async (): Promise<Observed[]> => {
    while (made.length === 0 || server._activeCount > 0) await subject.run(new Promise((done) => setImmediate(done)));
    await subject.runOnce();
    await subject.runOnce();
    return made;
  };
  return { port: addressOf(server)[1], over };
}

// Node's tls.

export const nodePeer: Peer = {
  name: "Node's tls",
  async serve(side) {
    const sockets = new Set<TLSSocket>();
    const server = createTlsServer(sslOptions(side, true), (socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => socket.write(String(chunk).toUpperCase()));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const cut = (): void => {
      for (const socket of sockets) socket.destroy();
    };
    return { port: (server.address() as AddressInfo).port, cut, stop: () => server.close() };
  },
  async connect(port, side, ending) {
    const options = { ...sslOptions(side, false), servername: side.name ?? 'localhost' };
    const socket = tlsConnect({ ...options, port, host: '127.0.0.1' });
    let heard = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.length;
      if (heard !== MESSAGE.length) return;
      if (ending === 'goodbye') socket.end();
      else if (ending === 'cut') socket.destroy();
    });
    socket.write(MESSAGE);
    await new Promise((resolve) => socket.on('close', resolve));
  },
};

// Programs.

/** A program: what it has said so far, and its end. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<unknown>;
  text = '';
  #onNews: () => void = () => undefined;

  constructor(command: string, args: string[]) {
    this.child = spawn(command, args, { env: { ...process.env, PYENV_VERSION: '3.12.1' } });
    const hear = (chunk: Buffer): void => {
      this.text += chunk.toString('latin1');
      this.#onNews();
    };
    this.child.stdout.on('data', hear);
    this.child.stderr.on('data', hear);
    this.child.stdin.on('error', () => undefined);
    this.child.on('error', (error) => {
      this.text += `the tests of TLS need the program ${command}: ${String(error)}`;
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', resolve);
    });
  }

  /** When it says so. @throws Error if it ends before */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null) return match;
      if (this.child.exitCode !== null || this.child.pid === undefined) throw new Error(`it ended: ${this.text}`);
      const news = new Promise<void>((resolve) => {
        this.#onNews = resolve;
      });
      await Promise.race([news, this.ended]);
    }
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

const opensslVersion = { 'TLSv1.2': '-tls1_2', 'TLSv1.3': '-tls1_3' } as Partial<Record<SecureVersion, string>>;

function opensslArguments({ identity, trust, version, ciphers, alpn }: Side): string[] {
  return [
    ...(identity === undefined ? [] : ['-key', identity.keyFile, '-cert', identity.certFile]),
    ...(trust === undefined ? [] : ['-CAfile', trust.certFile]),
    ...(version === undefined ? [] : [opensslVersion[version] ?? '']),
    ...(ciphers === undefined ? [] : ['-cipher', ciphers]),
    ...(alpn === undefined ? [] : ['-alpn', alpn.join(',')]),
  ];
}

/** s_server, which answers backwards. */
export async function sServer(side: Side, ...more: string[]): Promise<Listening & { program: Program }> {
  const asks = side.trust === undefined ? [] : ['-Verify', '1', '-verify_return_error'];
  const args = ['s_server', '-accept', '127.0.0.1:0', ...opensslArguments(side), ...asks, ...more];
  const program = new Program('openssl', args);
  const port = Number((await program.said(/ACCEPT 127.0.0.1:(\d+)/))[1]);
  return { program, port, cut: () => program.kill(), stop: () => program.kill() };
}

/** s_client. Its standard input is what it says, and closing that is its goodbye. */
export function sClient(port: number, side: Side, ...more: string[]): Program {
  const name = side.name ?? 'localhost';
  const where = ['-connect', `127.0.0.1:${port}`, '-servername', name];
  const checks = ['-verify_return_error', '-verify_hostname', name];
  const trust = side.trust === undefined ? ['-no-CAfile', '-no-CApath', '-no-CAstore'] : [];
  const args = [...where, ...checks, ...trust, ...opensslArguments(side), ...more, '-no_ign_eof'];
  return new Program('openssl', ['s_client', ...args]);
}

export const opensslPeer: Peer = {
  name: 'OpenSSL',
  serve: (side) => sServer(side, '-rev'),
  async connect(port, side, ending) {
    const program = sClient(port, side, '-quiet');
    program.child.stdin.write(MESSAGE);
    const isAnswered = await program.said(/THE QUICK BROWN FOX/).catch(() => null);
    if (isAnswered !== null && ending === 'goodbye') program.child.stdin.end();
    else if (isAnswered !== null && ending === 'cut') program.kill();
    await program.ended;
  },
};

/** A process of asyncio, for as many connections as one likes. */
export class Asyncio implements Peer {
  readonly name = 'asyncio';
  readonly #program = new Program('python3', [join(__dirname, 'peers.py')]);
  readonly #waiting = new Map<number, { resolve(answer: never): void; onHeard(): void }>();
  #count = 0;

  constructor() {
    createInterface({ input: this.#program.child.stdout }).on('line', (line) => {
      const { id, heard, ...answer } = JSON.parse(line) as { id: number; heard?: boolean };
      const waiting = this.#waiting.get(id);
      if (heard === true) waiting?.onHeard();
      else waiting?.resolve(answer as never);
    });
  }

  #ask<T>(command: object, onHeard: () => void = () => undefined): { id: number; answer: Promise<T> } {
    const id = ++this.#count;
    const answer = new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, { resolve, onHeard });
      void this.#program.ended.then(() => reject(new Error(`asyncio ended: ${this.#program.text}`)));
    });
    this.#program.child.stdin.write(`${JSON.stringify({ id, ...command })}\n`);
    return { id, answer };
  }

  /** `over` gives what was seen, when no connection is left. */
  async serve(side: Side): Promise<Listening & { over(): Promise<Observation[]> }> {
    const { id, answer } = this.#ask<{ port: number }>({ do: 'serve', side });
    const { port } = await answer;
    const over = async (): Promise<Observation[]> =>
      (await this.#ask<{ seen: Observation[] }>({ do: 'seen', server: id }).answer).seen;
    const cut = (): unknown => this.#ask({ do: 'cut', server: id }).answer;
    return { port, cut, stop: () => undefined, over };
  }

  /** @param onHeard called when the answer is there and the ending is to wait; `close` is the goodbye then */
  async connect(
    port: number,
    side: Side,
    ending: Ending,
    onHeard: (close: () => void) => void = () => undefined,
  ): Promise<Observation> {
    const close = (): void => void this.#ask({ do: 'close', connection: id });
    const { id, answer } = this.#ask<{ seen: Observation }>({ do: 'connect', port, side, ending }, () =>
      onHeard(close),
    );
    return (await answer).seen;
  }

  stop(): void {
    this.#program.kill();
  }
}
