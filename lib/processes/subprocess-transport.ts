// subprocess-transport.ts: a child process, its pipes, and what its protocol hears of them. asyncio:
// base_subprocess.BaseSubprocessTransport, unix_events._UnixSubprocessTransport.
//
//   construction   the process runs; a task connects stdin, stdout, stderr, then queues connectionMade
//   until then     what pipes and process have to say is held back, in order
//   the end        the process has exited, all pipes are disconnected: connectionLost, then those who wait for the exit

import { inspect } from 'node:util';

import { AssertionError, isFatal, ProcessLookupError } from '../base/errors';
import { logger } from '../base/log';
import { SIGKILL, signalNumber, SIGTERM, type SignalNumber } from '../base/signal-number';
import type { CoroutineGenerator } from '../futures/frame';
import type { Future } from '../futures/future';
import type { BaseSelectorEventLoop } from '../loop/selector-event-loop';
import { binding } from '../native/binding';
import { check } from '../native/check';
import { connectReadPipe, connectWritePipe } from '../network/pipes';
import type { OwnedFd } from '../sockets/owned-fd';
import { BaseProtocol, type Protocol } from '../transports/protocol';
import type { BaseTransport, ReadTransport, Transport } from '../transports/transport';
import { watchChild } from './child-watcher';
import type { SpawnPlan } from './options';
import { SubprocessProtocol } from './protocol';
import { spawn, type ChildProcess } from './spawn';
import { SubprocessTransport } from './transport';

type AnyTransport = Transport & ReadTransport;

// What the loop calls. They have names, for its reports.

const connectionMade = (protocol: SubprocessProtocol, transport: UnixSubprocessTransport): void =>
  protocol.connectionMade(transport);
const pipeDataReceived = (protocol: SubprocessProtocol, fd: number, data: Buffer): void =>
  protocol.pipeDataReceived(fd, data);
const pipeConnectionLost = (protocol: SubprocessProtocol, fd: number, error: unknown): void =>
  protocol.pipeConnectionLost(fd, error);
const processExited = (protocol: SubprocessProtocol): void => protocol.processExited();
const connectionLost = (transport: UnixSubprocessTransport): void => transport._connectionLost();
const exited = (transport: UnixSubprocessTransport, returncode: number): void => transport._processExited(returncode);

/** Between the transport of a pipe and that of the process. asyncio: WriteSubprocessPipeProto, ReadSubprocessPipeProto. */
class PipeProtocol extends BaseProtocol implements Pick<Protocol, 'dataReceived' | 'eofReceived'> {
  readonly fd: number;
  pipe: AnyTransport | null = null;
  disconnected = false;
  #process: UnixSubprocessTransport | null;

  constructor(process: UnixSubprocessTransport, fd: number) {
    super();
    this.fd = fd;
    this.#process = process;
  }

  override connectionMade(transport: BaseTransport): void {
    this.pipe = transport as AnyTransport;
  }

  override connectionLost(error: unknown): void {
    this.disconnected = true;
    const process = this.#process;
    this.#process = null;
    process?._pipeConnectionLost(this.fd, error);
  }

  override pauseWriting(): void {
    this.#process?._protocol?.pauseWriting();
  }

  override resumeWriting(): void {
    this.#process?._protocol?.resumeWriting();
  }

  dataReceived(data: Buffer): void {
    this.#process?._pipeDataReceived(this.fd, data);
  }

  eofReceived(): void {}

  [inspect.custom](): string {
    return `<PipeProtocol fd=${this.fd} pipe=${inspect(this.pipe)}>`;
  }
}

/** What the loop will call, and with what. */
type Call = [callback: (...args: unknown[]) => void, ...args: unknown[]];

// What a transport leads to, so that a dropped one can be cleaned up after; nothing here may lead to the transport.
interface Held {
  readonly child: ChildProcess;
  /** The ends of pipes that no transport has yet. */
  readonly unconnected: Set<OwnedFd>;
}

const dropped = new FinalizationRegistry<Held>(({ child, unconnected }) => {
  process.emitWarning(`unclosed transport: its process, ${child.pid}, is killed now if it runs`, 'ResourceWarning');
  for (const end of unconnected) end.close();
  binding.signalChild(child.native, SIGKILL);
});

export class UnixSubprocessTransport extends SubprocessTransport {
  /** null once the connection is lost. @internal */ _loop: BaseSelectorEventLoop | null;
  /** @internal */ _protocol: SubprocessProtocol | null;
  readonly #child: ChildProcess;
  readonly #held: Held;
  /** By descriptor of the child; null until it is connected. */
  readonly #pipes = new Map<number, PipeProtocol | null>();
  #closed = false;
  #returncode: number | null = null;
  #finished = false;
  #exitWaiters: Future<number>[] = [];
  /** What happened before connectionMade; null from then on. */
  #heldBack: Call[] | null = [];

  /**
   * @param waiter done when the pipes are connected
   * @throws OSError if the process cannot be started or watched
   */
  constructor(
    loop: BaseSelectorEventLoop,
    protocol: SubprocessProtocol,
    plan: SpawnPlan,
    waiter: Future<void> | null = null,
    extra: Record<string, unknown> = {},
  ) {
    super(extra);
    this._loop = loop;
    this._protocol = protocol;
    this.#child = spawn(plan);
    const ends = this.#child.pipes;
    this.#held = { child: this.#child, unconnected: new Set(ends.filter((end) => end !== null)) };
    dropped.register(this, this.#held, this);
    for (const [fd, end] of ends.entries()) if (end !== null) this.#pipes.set(fd, null);
    this._extra.subprocess = this.#child;
    if (loop.getDebug()) logger.debug(`process ${inspect(plan.program)} created: pid ${this.#child.pid}`);
    try {
      watchChild(loop, this.#child.native, (returncode) => {
        loop.callSoonThreadsafe(exited, this, returncode);
      });
      loop.createTask(this.#connectPipes(waiter));
    } catch (error) {
      // Differs from asyncio, where the process runs on.
      this.#giveUpPipes();
      this.close();
      throw error;
    }
  }

  override getPid(): number {
    return this.#child.pid;
  }

  override getReturncode(): number | null {
    return this.#returncode;
  }

  override getPipeTransport(fd: number): AnyTransport | null {
    return this.#pipes.get(fd)?.pipe ?? null;
  }

  override setProtocol(protocol: SubprocessProtocol): void {
    this._protocol = protocol;
  }

  override getProtocol(): SubprocessProtocol | null {
    return this._protocol;
  }

  override isClosing(): boolean {
    return this.#closed;
  }

  override sendSignal(signal: SignalNumber): void {
    if (this._loop === null) {
      throw new ProcessLookupError('the process is over', { code: 'ESRCH', errno: 0 });
    }
    this.#signal(signalNumber(signal));
  }

  override terminate(): void {
    this.sendSignal(SIGTERM);
  }

  override kill(): void {
    this.sendSignal(SIGKILL);
  }

  #signal(number: number): void {
    const result = binding.signalChild(this.#child.native, number);
    if (result !== -binding.errnoByName.ESRCH) check(result, 'kill');
  }

  /** Closes the pipes and kills the process if it runs. May be called again. asyncio: close. */
  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    dropped.unregister(this);
    for (const protocol of this.#pipes.values()) protocol?.pipe?.close();
    // Differs from asyncio, which would read the end of the process here, and then tell that it was read elsewhere.
    if (this.#returncode !== null || binding.childHasEnded(this.#child.native) !== 0) return;
    if (this._loop?.getDebug() === true) logger.warning(`Close running child process: kill ${inspect(this)}`);
    this.#signal(SIGKILL);
  }

  *#connectPipes(waiter: Future<void> | null): CoroutineGenerator<void> {
    const loop = this._loop as BaseSelectorEventLoop;
    try {
      for (const [fd, end] of this.#child.pipes.entries()) {
        if (end === null) continue;
        const connect = fd === 0 ? connectWritePipe : connectReadPipe;
        const [, protocol] = yield* connect(loop, () => new PipeProtocol(this, fd), end);
        this.#held.unconnected.delete(end);
        this.#pipes.set(fd, protocol);
      }
      loop.callSoon(connectionMade, this._protocol as SubprocessProtocol, this);
      const heldBack = this.#heldBack as Call[];
      this.#heldBack = null;
      for (const [callback, ...args] of heldBack) loop.callSoon(callback, ...args);
    } catch (error) {
      if (isFatal(error)) throw error;
      this.#giveUpPipes();
      if (waiter !== null && !waiter.cancelled()) waiter.setException(error);
      return;
    }
    if (waiter !== null && !waiter.cancelled()) waiter.setResult(undefined);
  }

  // Differs from asyncio, where whoever waits for the exit after this waits for ever: the protocol was told nothing, and hears
  // nothing more.
  #giveUpPipes(): void {
    for (const end of this.#held.unconnected) end.close();
    this.#held.unconnected.clear();
    for (const [fd, protocol] of this.#pipes) if (protocol === null) this.#pipes.delete(fd);
    this._protocol = new SubprocessProtocol();
    this.#heldBack = null;
    if (!this.#finished) this.#tryFinish();
  }

  #call<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
    if (this.#heldBack !== null) this.#heldBack.push([callback as Call[0], ...args]);
    else this._loop?.callSoon(callback, ...args);
  }

  /** @internal */
  _pipeConnectionLost(fd: number, error: unknown): void {
    this.#call(pipeConnectionLost, this._protocol as SubprocessProtocol, fd, error);
    this.#tryFinish();
  }

  /** @internal */
  _pipeDataReceived(fd: number, data: Buffer): void {
    this.#call(pipeDataReceived, this._protocol as SubprocessProtocol, fd, data);
  }

  /** @internal */
  _processExited(returncode: number): void {
    if (this.#returncode !== null) throw new AssertionError('a process exits once');
    if (this._loop?.getDebug() === true) logger.info(`${inspect(this)} exited with return code ${returncode}`);
    this.#returncode = returncode;
    this.#call(processExited, this._protocol as SubprocessProtocol);
    this.#tryFinish();
  }

  #tryFinish(): void {
    if (this.#finished) throw new AssertionError('a process is finished once');
    if (this.#returncode === null) return;
    for (const protocol of this.#pipes.values()) if (protocol?.disconnected !== true) return;
    this.#finished = true;
    this.#call(connectionLost, this as UnixSubprocessTransport);
  }

  /** Tells the protocol, then those who wait for the exit. @internal */
  _connectionLost(): void {
    try {
      this._protocol?.connectionLost(null);
    } finally {
      dropped.unregister(this);
      for (const waiter of this.#exitWaiters) if (!waiter.cancelled()) waiter.setResult(this.#returncode as number);
      this.#exitWaiters = [];
      this._loop = null;
      this._protocol = null;
    }
  }

  /** Waits for the exit of the process, and gives its code. asyncio: _wait. @internal */
  *_wait(): CoroutineGenerator<number> {
    if (this.#returncode !== null) return this.#returncode;
    const waiter = (this._loop as BaseSelectorEventLoop).createFuture<number>();
    this.#exitWaiters.push(waiter);
    return yield* waiter;
  }

  [inspect.custom](): string {
    const info: string[] = [this.constructor.name];
    if (this.#closed) info.push('closed');
    info.push(`pid=${this.#child.pid}`, this.#returncode === null ? 'running' : `returncode=${this.#returncode}`);
    for (const [fd, name] of ['stdin', 'stdout', 'stderr'].entries()) {
      const protocol = this.#pipes.get(fd) ?? null;
      if (protocol !== null) info.push(`${name}=${inspect(protocol.pipe)}`);
    }
    return `<${info.join(' ')}>`;
  }
}
