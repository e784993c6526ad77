// subprocess-stream-protocol.ts: feeds the readers of a child process, and tells the writer when to wait. asyncio:
// subprocess.SubprocessStreamProtocol.

import { inspect } from 'node:util';

import type { CoroutineGenerator } from '../futures/frame';
import { Future } from '../futures/future';
import type { BaseEventLoop } from '../loop/base-event-loop';
import { checkedLimit, StreamReader } from '../streams/stream-reader';
import { StreamWriter } from '../streams/stream-writer';
import { settleClosed, WriteGate, type WriterProtocol } from '../streams/write-gate';
import type { BaseTransport } from '../transports/transport';
import { SubprocessProtocol } from './protocol';
import type { SubprocessTransport } from './transport';

export class SubprocessStreamProtocol extends SubprocessProtocol implements WriterProtocol {
  stdin: StreamWriter | null = null;
  stdout: StreamReader | null = null;
  stderr: StreamReader | null = null;
  readonly #loop: BaseEventLoop;
  readonly #limit: number;
  readonly #gate: WriteGate;
  #transport: SubprocessTransport | null = null;
  #processExited = false;
  /** Those that are still read from. */
  readonly #open = new Set<number>();
  /** Done when stdin is closed. @internal */
  readonly _closed: Future<void>;

  constructor(limit: number, loop: BaseEventLoop) {
    super();
    // Differs from asyncio: told before there is a process, and not when its readers are made.
    this.#limit = checkedLimit(limit);
    this.#loop = loop;
    this.#gate = new WriteGate(loop, this);
    this._closed = new Future<void>(loop);
  }

  override connectionMade(transport: BaseTransport): void {
    const process = transport as SubprocessTransport;
    this.#transport = process;
    this.stdout = this.#readerOf(process, 1);
    this.stderr = this.#readerOf(process, 2);
    const stdin = process.getPipeTransport(0);
    if (stdin !== null) this.stdin = new StreamWriter(stdin, this, null, this.#loop);
  }

  #readerOf(process: SubprocessTransport, fd: number): StreamReader | null {
    const transport = process.getPipeTransport(fd);
    if (transport === null) return null;
    const reader = new StreamReader({ limit: this.#limit, loop: this.#loop });
    reader.setTransport(transport);
    this.#open.add(fd);
    return reader;
  }

  #reader(fd: number): StreamReader | null {
    return fd === 1 ? this.stdout : fd === 2 ? this.stderr : null;
  }

  override pipeDataReceived(fd: number, data: Buffer): void {
    this.#reader(fd)?.feedData(data);
  }

  override pipeConnectionLost(fd: number, error: unknown): void {
    if (fd === 0) {
      this.#stdinLost(error);
      return;
    }
    const reader = this.#reader(fd);
    if (error === null) reader?.feedEof();
    else reader?.setException(error);
    this.#open.delete(fd);
    this.#closeIfOver();
  }

  #stdinLost(error: unknown): void {
    this.stdin?.close();
    this.connectionLost(error);
    // Differs from asyncio: whoever gave up waiting for it is no error.
    settleClosed(this._closed, error);
  }

  override processExited(): void {
    this.#processExited = true;
    this.#closeIfOver();
  }

  #closeIfOver(): void {
    if (this.#open.size > 0 || !this.#processExited) return;
    this.#transport?.close();
    this.#transport = null;
  }

  override connectionLost(error: unknown): void {
    this.#gate.lose(error);
  }

  override pauseWriting(): void {
    this.#gate.pause();
  }

  override resumeWriting(): void {
    this.#gate.resume();
  }

  /** @internal */
  _drain(): CoroutineGenerator<void> {
    return this.#gate.drain();
  }

  [inspect.custom](): string {
    const streams = (['stdin', 'stdout', 'stderr'] as const).filter((name) => this[name] !== null);
    return `<SubprocessStreamProtocol${streams.map((name) => ` ${name}=${inspect(this[name])}`).join('')}>`;
  }
}
