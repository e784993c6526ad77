// index.ts: the public names, grouped by rung; nothing else.

// base
export { EVENT_EDGE, EVENT_ONESHOT, EVENT_PRI, EVENT_READ, EVENT_WRITE, type Seconds } from './base/constants';
export type { Clock } from './base/clock';
export {
  AssertionError,
  BlockingIOError,
  BrokenBarrierError,
  BrokenPipeError,
  CancelledError,
  ChildProcessError,
  ConnectionAbortedError,
  ConnectionError,
  ConnectionRefusedError,
  ConnectionResetError,
  ExceptionGroup,
  FileExistsError,
  FileNotFoundError,
  GaiError,
  IncompleteReadError,
  InterruptedError,
  InvalidStateError,
  IsADirectoryError,
  KeyError,
  KeyboardInterrupt,
  LimitOverrunError,
  NotADirectoryError,
  NotImplementedError,
  OSError,
  type OSErrorFields,
  PermissionError,
  ProcessLookupError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  RuntimeError,
  SystemExit,
  TimeoutError,
  ValueError,
} from './base/errors';
export type { SignalNumber } from './base/signal-number';
export { type LogLevel, type LogRecord, setLogReceiver } from './base/log';

// selectors
export { BaseSelector, type ReadyEntry, type SelectorFlag, SelectorKey, SelectorMap } from './selectors/base-selector';
export type { FileObject } from './selectors/file-object';
export {
  DefaultSelector,
  EpollSelector,
  IocpSelector,
  KqueueSelector,
  PollSelector,
  type SelectorClass,
  SelectSelector,
} from './selectors/selectors';

// sockets
export type { Address, Inet6Address, InetAddress, RawAddress, UnixAddress } from './sockets/address';
export { ancillary, type PacketInfo, type PacketRoute, type Timestamp } from './sockets/ancillary';
export type { SocketConstantName } from './sockets/constant-names';
export { socketConstants, type SocketConstants } from './sockets/constants';
export { type AncillaryItem, cmsgLen, cmsgSpace } from './sockets/control';
export type { Credentials, Descriptor, ReceivedFds } from './sockets/descriptors';
export {
  type CanAddress,
  ifIndexToName,
  ifNameToIndex,
  type NetlinkAddress,
  type PacketAddress,
  type VsockAddress,
} from './sockets/link-address';
export type { OutgoingMessage, ReceivedInto, ReceivedMessage } from './sockets/messages';
export type { AddressInfo, Host, Port, ResolveOptions } from './sockets/numeric-address';
export {
  type KeepAlive,
  type MulticastGroup,
  type OptionSocket,
  type ReadableOption,
  type SocketOption,
  socketOptions,
  type WritableOption,
} from './sockets/options';
export { OwnedFd, pipe } from './sockets/owned-fd';
export { createServerSocket, hasDualstackIPv6, type ServerSocketOptions } from './sockets/server-socket';
export { Socket, socketpair } from './sockets/socket';
export type { SocketLike } from './sockets/socket-io';
export type { TcpInfo, TcpInfoField } from './sockets/tcp-info';

// futures
export { asCompleted, type AsCompletedOptions } from './futures/as-completed';
export { Coroutine, type CoroutineFunction, type CoroutineLike } from './futures/coroutine';
export { currentTask } from './futures/current';
export { createEagerTaskFactory, eagerTaskFactory, type TaskConstructor } from './futures/eager';
export { type Awaitable, ensureFuture, type ResultOf, wrapPromise } from './futures/ensure-future';
export type { CoroutineGenerator } from './futures/frame';
export { type DoneCallback, type DoneCallbackOptions, Future, isFuture } from './futures/future';
export { gather, type GatherOptions } from './futures/gather';
export { shield } from './futures/shield';
export { sleep } from './futures/sleep';
export { staggeredRace, type StaggeredRaceResult } from './futures/staggered-race';
export { allTasks, createTask, Task, type TaskOptions } from './futures/task';
export { TaskGroup, taskGroup } from './futures/task-group';
export { Timeout, timeout, timeoutAt } from './futures/timeout';
export {
  ALL_COMPLETED,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  wait,
  type WaitOptions,
} from './futures/wait';
export { waitFor } from './futures/wait-for';

// loop
export { BaseEventLoop, type TaskFactory } from './loop/base-event-loop';
export type { ExceptionContext, ExceptionHandler } from './loop/exception-handler';
export type { LoopOptions } from './loop/loop-options';
export { type FileSource, SendfileNotAvailableError } from './loop/file-source';
export { Handle, TimerHandle } from './loop/handle';
export type { HostWatchMode } from './native/types';
export type { SelectorLike } from './loop/ready';
export type { SockLike } from './loop/sock-io';
export type { SendfileOptions } from './loop/sock-sendfile';
export { BaseSelectorEventLoop, type SelectorLoopOptions } from './loop/selector-event-loop';

export { type Executor, toThread } from './loop/executor';
export type { ExecutorFunction, ModuleFunction } from './loop/sendable';
export { type ShutdownOptions, Submission, ThreadPoolExecutor, type ThreadPoolOptions } from './loop/thread-pool';
export { wake, Waker, type WakerHandle } from './loop/waker';

// transports
export type { PipeLike } from './transports/pipe-end';
export type { ExtraInfo } from './transports/extra-info';
export { BaseProtocol, BufferedProtocol, DatagramProtocol, Protocol, type StreamProtocol } from './transports/protocol';
export {
  BaseTransport,
  type DatagramTransport,
  ReadTransport,
  Transport,
  type WriteTransport,
} from './transports/transport';
export { TransportSocket } from './transports/transport-socket';

// tls
export type { SSLClientOptions, SSLOptions, SSLServerOptions, SSLTimeouts } from './tls/options';
export { SSLCertVerificationError, SSLError } from './tls/ssl-error';
export { SSLTransport } from './tls/ssl-transport';

// network
export type { Connection } from './network/attach';
export type { ConnectOptions } from './network/connect';
export type { DatagramEndpoint, DatagramOptions } from './network/datagram';
export type { Hosts, ServeOptions } from './network/serve';
export { type ProtocolFactory, Server } from './network/server';
export type { ReadPipe, WritePipe } from './network/pipes';
export type { StartTlsOptions } from './network/start-tls';
export type { UnixConnectOptions, UnixServeOptions } from './network/unix';

// streams
export {
  openConnection,
  openUnixConnection,
  startServer,
  startUnixServer,
  type StreamOptions,
  type Streams,
} from './streams/open';
export { type Separator, StreamReader } from './streams/stream-reader';
export { type ClientConnected, StreamReaderProtocol } from './streams/stream-reader-protocol';
export { StreamWriter } from './streams/stream-writer';

// processes
export type { Account } from './processes/accounts';
export { DEVNULL, PIPE, type CommandText, type SpawnOptions, type StandardStream, STDOUT } from './processes/options';
export {
  createSubprocessExec,
  createSubprocessShell,
  type Outputs,
  Process,
  type ProcessOptions,
} from './processes/process';
export { SubprocessProtocol } from './processes/protocol';
export type { Subprocess } from './processes/subprocess';
export { SubprocessTransport } from './processes/transport';

// sync
export { Barrier } from './sync/barrier';
export { Condition, type LockLike } from './sync/condition';
export { Event } from './sync/event';
export { Lock } from './sync/lock';
export { type Less, PriorityQueue } from './sync/priority-queue';
export { LifoQueue, Queue, type QueueStore } from './sync/queue';
export { BoundedSemaphore, Semaphore } from './sync/semaphore';

// interop
export { AdoptedSocket, adoptSocket, type DescriptorOwner, fdOf } from './interop/node-handles';
export { watch, type WatchCallback, Watcher, type WatchEvents, type WatchOptions } from './interop/watch';

// the loop and its runner
export { getEventLoop, getRunningLoop, newEventLoop, SelectorEventLoop, setEventLoop } from './event-loop';
export { run, Runner, type RunnerRunOptions, type RunOptions, runSync } from './runner';
