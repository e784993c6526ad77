// errors.ts: every error that fdloop makes. The tree is Python's (OSError > ConnectionError > ...), the fields are
// Node's (code, errno, syscall, address, port). A caller tells errors apart by class or by `code`, never by text.

/** Where an OSError came from. `errno` is negative, as in Node's own errors. */
export interface OSErrorFields {
  code: string;
  errno: number;
  syscall?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  /** Python: filename. */
  path?: string | undefined;
  cause?: unknown;
}

function named(constructor: { prototype: Error }, name: string): void {
  Object.defineProperty(constructor.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** An error of the operating system, or one that looks like it. asyncio: OSError. */
export class OSError extends Error {
  /** The name of the errno, such as 'EBADF'. */
  readonly code: string;
  /** The negative number of the errno. */
  readonly errno: number;
  // Declared only: a field that nobody gave is not there at all, as in Node's errors.
  declare readonly syscall?: string;
  declare readonly address?: string;
  declare readonly port?: number;
  declare readonly path?: string;

  constructor(message: string, fields: OSErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.errno = fields.errno;
    if (fields.syscall !== undefined) this.syscall = fields.syscall;
    if (fields.address !== undefined) this.address = fields.address;
    if (fields.port !== undefined) this.port = fields.port;
    if (fields.path !== undefined) this.path = fields.path;
  }
}

/** EAGAIN, EWOULDBLOCK, EALREADY, EINPROGRESS: the operation would have had to wait. */
export class BlockingIOError extends OSError {}
/** EINTR. */
export class InterruptedError extends OSError {}
/** What the four errors of a broken connection have in common. */
export class ConnectionError extends OSError {}
/** EPIPE, ESHUTDOWN. */
export class BrokenPipeError extends ConnectionError {}
/** ECONNABORTED. */
export class ConnectionAbortedError extends ConnectionError {}
/** ECONNREFUSED. */
export class ConnectionRefusedError extends ConnectionError {}
/** ECONNRESET. */
export class ConnectionResetError extends ConnectionError {}
/** ENOENT. */
export class FileNotFoundError extends OSError {}
/** EEXIST. */
export class FileExistsError extends OSError {}
/** EISDIR. */
export class IsADirectoryError extends OSError {}
/** ENOTDIR. */
export class NotADirectoryError extends OSError {}
/** EACCES, EPERM. */
export class PermissionError extends OSError {}
/** ESRCH. */
export class ProcessLookupError extends OSError {}
/** ECHILD. */
export class ChildProcessError extends OSError {}

/** The resolver knows no answer: `code` is EAI_NONAME, EAI_AGAIN, ... Python: socket.gaierror. */
export class GaiError extends OSError {}

/** ETIMEDOUT, and every time limit of the library. */
export class TimeoutError extends OSError {
  constructor(message = 'timed out', fields: OSErrorFields = { code: 'ETIMEDOUT', errno: 0 }) {
    super(message, fields);
  }
}

const osErrorClasses: Readonly<Record<string, typeof OSError>> = {
  EAGAIN: BlockingIOError,
  EWOULDBLOCK: BlockingIOError,
  EALREADY: BlockingIOError,
  EINPROGRESS: BlockingIOError,
  EINTR: InterruptedError,
  EPIPE: BrokenPipeError,
  ESHUTDOWN: BrokenPipeError,
  ECONNABORTED: ConnectionAbortedError,
  ECONNREFUSED: ConnectionRefusedError,
  ECONNRESET: ConnectionResetError,
  ENOENT: FileNotFoundError,
  EEXIST: FileExistsError,
  EISDIR: IsADirectoryError,
  ENOTDIR: NotADirectoryError,
  EACCES: PermissionError,
  EPERM: PermissionError,
  ETIMEDOUT: TimeoutError,
  ESRCH: ProcessLookupError,
  ECHILD: ChildProcessError,
};

/** Makes the OSError subclass that belongs to `fields.code` (SOCK-044). */
export function makeOSError(message: string, fields: OSErrorFields): OSError {
  const Class = osErrorClasses[fields.code] ?? OSError;
  return new Class(message, fields);
}

/** A value of the right type that makes no sense. Python: ValueError. */
export class ValueError extends Error {
  constructor(
    message: string,
    readonly code = 'ERR_INVALID_ARG_VALUE',
  ) {
    super(message);
  }
}

/** A look-up that found nothing, or found what must not be there. Python: KeyError. */
export class KeyError extends Error {
  constructor(
    message: string,
    readonly code = 'ERR_NOT_REGISTERED',
  ) {
    super(message);
  }
}

/** The right call at the wrong time. Python: RuntimeError. */
export class RuntimeError extends Error {
  constructor(
    message: string,
    readonly code = 'ERR_RUNTIME',
  ) {
    super(message);
  }
}

/** An abstract method, or a feature that this object does not have. Python: NotImplementedError. */
export class NotImplementedError extends RuntimeError {
  constructor(message: string, code = 'ERR_NOT_IMPLEMENTED') {
    super(message, code);
  }
}

/** A barrier that somebody waited for was aborted or reset. asyncio: BrokenBarrierError. */
export class BrokenBarrierError extends RuntimeError {
  constructor(message: string) {
    super(message, 'ERR_BROKEN_BARRIER');
  }
}

/** Nothing is in the queue, and the call does not wait. asyncio: QueueEmpty. */
export class QueueEmpty extends Error {
  readonly code = 'ERR_QUEUE_EMPTY';
}

/** The queue has no room, and the call does not wait. asyncio: QueueFull. */
export class QueueFull extends Error {
  readonly code = 'ERR_QUEUE_FULL';
}

/** The queue was shut down. asyncio: QueueShutDown (3.13). */
export class QueueShutDown extends Error {
  readonly code = 'ERR_QUEUE_SHUT_DOWN';
}

/** The stream ended before all that was asked for had come. asyncio: IncompleteReadError. */
export class IncompleteReadError extends Error {
  readonly code = 'ERR_INCOMPLETE_READ';

  /**
   * @param partial what had come
   * @param expected how many bytes were asked for; null for as many as it takes
   */
  constructor(
    readonly partial: Buffer,
    readonly expected: number | null,
  ) {
    super(`the stream ended after ${partial.length} of ${expected ?? 'an unknown number of'} bytes`);
  }
}

/** A separator is further away than a reader's limit. asyncio: LimitOverrunError. */
export class LimitOverrunError extends Error {
  readonly code = 'ERR_LIMIT_OVERRUN';

  /** @param consumed bytes that can be read without reading a separator */
  constructor(
    message: string,
    readonly consumed: number,
  ) {
    super(message);
  }
}

/** A broken promise of a caller's object, or of ours. Python: AssertionError. */
export class AssertionError extends Error {
  readonly code = 'ERR_ASSERTION';
}

/** A future was asked for something that its state does not allow. asyncio: InvalidStateError. */
export class InvalidStateError extends Error {
  readonly code = 'ERR_INVALID_STATE';
}

/**
 * The awaited thing was cancelled. asyncio: CancelledError. JavaScript cannot keep it from a bare `catch`: rethrow it
 * there unless the cancellation is meant to be ignored.
 */
export class CancelledError extends Error {
  readonly code = 'ERR_CANCELLED';
}

/** Several errors that happened side by side. Python: ExceptionGroup. */
export class ExceptionGroup extends AggregateError {
  readonly code = 'ERR_EXCEPTION_GROUP';

  /** @throws ValueError for no errors at all */
  constructor(message: string, errors: Iterable<unknown>) {
    const list = [...errors];
    if (list.length === 0) throw new ValueError('an exception group needs at least one exception');
    super(list, `${message} (${list.length} sub-exception${list.length === 1 ? '' : 's'})`);
  }

  /** Python's name for `errors`. */
  get exceptions(): readonly unknown[] {
    return this.errors as unknown[];
  }
}

/** Ends a run of the loop at once when thrown anywhere in it. Python: SystemExit. */
export class SystemExit extends Error {
  readonly code = 'ERR_SYSTEM_EXIT';

  constructor(readonly status: number | string | null = null) {
    super(status === null ? '' : String(status));
  }
}

/** Ends a run of the loop at once when thrown anywhere in it. Python: KeyboardInterrupt. */
export class KeyboardInterrupt extends Error {
  readonly code = 'ERR_KEYBOARD_INTERRUPT';
}

/** A thing that should have been closed was not. Given to `process.emitWarning`. Python: ResourceWarning. */
export class ResourceWarning extends Error {
  readonly code = 'ERR_RESOURCE_WARNING';
}

for (const [name, Class] of Object.entries({
  OSError,
  BlockingIOError,
  InterruptedError,
  ConnectionError,
  BrokenPipeError,
  ConnectionAbortedError,
  ConnectionRefusedError,
  ConnectionResetError,
  FileNotFoundError,
  FileExistsError,
  IsADirectoryError,
  NotADirectoryError,
  PermissionError,
  ProcessLookupError,
  ChildProcessError,
  GaiError,
  TimeoutError,
  ValueError,
  KeyError,
  RuntimeError,
  NotImplementedError,
  BrokenBarrierError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  IncompleteReadError,
  LimitOverrunError,
  AssertionError,
  InvalidStateError,
  CancelledError,
  ExceptionGroup,
  SystemExit,
  KeyboardInterrupt,
  ResourceWarning,
})) {
  named(Class, name);
}

/** A TypeError with Node's code for it. */
export function typeError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** What waited to be sent, or to be filled, is not what was given: its memory was detached or resized meanwhile. */
export function memoryChanged(): ValueError {
  return new ValueError('memory was detached or resized while a socket was waited for', 'ERR_MEMORY_CHANGED');
}

/** `value instanceof Class` for what comes from elsewhere: of a proxy, that may throw. */
export function isInstance<T>(value: unknown, Class: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}

/** The two errors that the loop never swallows: they end the run. */
export function isFatal(error: unknown): boolean {
  return isInstance(error, SystemExit) || isInstance(error, KeyboardInterrupt);
}

/** Whether an error is a cancellation. */
export function isCancelled(error: unknown): error is CancelledError {
  return isInstance(error, CancelledError);
}

/** The two errors that mean "try again later", wherever a socket object throws instead of answering a number. */
export function isWouldBlock(error: unknown): boolean {
  return isInstance(error, BlockingIOError) || isInstance(error, InterruptedError);
}
