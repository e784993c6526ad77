// errors.test.ts: the tree of errors, their fields, and which errno makes which of them.

import * as errors from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { check, errnoName, errorFor, wouldBlock } from '../../lib/native/check';
import { isWindows, testOnPosix } from '../support/systems';

const {
  BlockingIOError,
  BrokenPipeError,
  ChildProcessError,
  ConnectionAbortedError,
  ConnectionError,
  ConnectionRefusedError,
  ConnectionResetError,
  FileExistsError,
  FileNotFoundError,
  InterruptedError,
  IsADirectoryError,
  NotADirectoryError,
  OSError,
  PermissionError,
  ProcessLookupError,
  TimeoutError,
} = errors;

const classByName = {
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
  EACCES: PermissionError,
  EPERM: PermissionError,
  EEXIST: FileExistsError,
  EISDIR: IsADirectoryError,
  ENOTDIR: NotADirectoryError,
  ETIMEDOUT: TimeoutError,
  ESRCH: ProcessLookupError,
  ECHILD: ChildProcessError,
};

/** Windows' C library has no ESHUTDOWN. */
const classesHere = Object.entries(classByName).filter(([name]) => name in binding.errnoByName);

test.each(classesHere)('SOCK-044: %s makes its own class of OSError', (name, Class) => {
  const errno = binding.errnoByName[name];
  const error = errorFor(-errno, 'call');
  expect(error.constructor).toBe(Class);
  expect(error).toBeInstanceOf(OSError);
  expect(error.errno).toBe(-errno);
});

test('SOCK-044: every other errno makes a plain OSError', () => {
  for (const [name, errno] of Object.entries(binding.errnoByName)) {
    if (name in classByName || errno === binding.errnoByName.EAGAIN) continue;
    const error = errorFor(-errno, 'call');
    expect(error.constructor).toBe(OSError);
    expect(binding.errnoByName[error.code]).toBe(errno);
  }
  expect(errorFor(-9999, 'call')).toMatchObject({ name: 'OSError', code: 'errno 9999', errno: -9999 });
});

test('SOCK-044: the four errors of a broken connection are ConnectionErrors, and no other is', () => {
  const broken = [BrokenPipeError, ConnectionAbortedError, ConnectionRefusedError, ConnectionResetError] as unknown[];
  for (const [name, Class] of classesHere) {
    const error = errorFor(-binding.errnoByName[name], 'call');
    expect(error instanceof ConnectionError).toBe(broken.includes(Class));
  }
});

test('the name of an error is that of its class, in the stack too', () => {
  for (const [name, Class] of Object.entries(errors)) {
    if (!/^[A-Z]/.test(name)) continue;
    const { prototype } = Class as unknown as { prototype: Error };
    expect(prototype).toBeInstanceOf(Error);
    expect(prototype.name).toBe(name);
  }
  const error = errorFor(-binding.errnoByName.ECONNRESET, 'recv');
  expect(error.stack).toMatch(/^ConnectionResetError: recv ECONNRESET/);
  expect(Object.keys(error)).not.toContain('name');
});

test('an OSError says what failed, where and why', () => {
  const error = errorFor(-binding.errnoByName.ECONNREFUSED, 'connect', { address: '1.2.3.4', port: 80 });
  expect(error).toMatchObject({
    code: 'ECONNREFUSED',
    errno: -binding.errnoByName.ECONNREFUSED,
    syscall: 'connect',
    address: '1.2.3.4',
    port: 80,
    message: expect.stringMatching(
      // Windows' text is in its user's language, and wine's is unknown.
      isWindows
        ? /^connect ECONNREFUSED 1\.2\.3\.4:80 \(.+\)$/
        : /^connect ECONNREFUSED 1\.2\.3\.4:80 \(Connection refused\)$/,
    ),
  });
  expect(errorFor(-2, 'bind', { address: '/path' }).message).toBe('bind ENOENT /path (No such file or directory)');
  expect(errorFor(-9, 'wait', { detail: 'descriptor 5' }).message).toBe(
    'descriptor 5: wait EBADF (Bad file descriptor)',
  );
});

test('fields that nobody gave are not there', () => {
  const error = new OSError('told', { code: 'EBADF', errno: -9 });
  expect(Object.keys(error).sort()).toEqual(['code', 'errno']);
  expect('cause' in error).toBe(false);
  const cause = new Error('why');
  expect(new OSError('told', { code: 'EBADF', errno: -9, cause }).cause).toBe(cause);
});

test('a good result is given back, a bad one is thrown', () => {
  expect(check(0, 'call')).toBe(0);
  expect(check(7, 'call')).toBe(7);
  expect(() => check(-binding.errnoByName.EPIPE, 'call')).toThrow(BrokenPipeError);
});

test('later is what BlockingIOError and InterruptedError stand for', () => {
  for (const [name, errno] of Object.entries(binding.errnoByName)) {
    const error = errorFor(-errno, 'call');
    expect([name, wouldBlock(-errno)]).toEqual([name, errors.isWouldBlock(error)]);
  }
  expect(wouldBlock(0)).toBe(false);
  expect(wouldBlock(11)).toBe(false);
  expect(errors.isWouldBlock(Object.assign(new Error('told'), { code: 'EAGAIN' }))).toBe(false);
});

// Windows has two numbers for them.
testOnPosix('an errno of two names goes by the usual one', () => {
  expect(errnoName(-binding.errnoByName.EWOULDBLOCK)).toBe('EAGAIN');
  expect(errnoName(-binding.errnoByName.EOPNOTSUPP)).toBe('EOPNOTSUPP');
});

test('each error of the library has its code', () => {
  expect(new errors.ValueError('told').code).toBe('ERR_INVALID_ARG_VALUE');
  expect(new errors.KeyError('told').code).toBe('ERR_NOT_REGISTERED');
  expect(new errors.RuntimeError('told').code).toBe('ERR_RUNTIME');
  expect(new errors.NotImplementedError('told')).toBeInstanceOf(errors.RuntimeError);
  expect(new errors.NotImplementedError('told').code).toBe('ERR_NOT_IMPLEMENTED');
  expect(new errors.AssertionError('told').code).toBe('ERR_ASSERTION');
  expect(new errors.InvalidStateError('told').code).toBe('ERR_INVALID_STATE');
  expect(new errors.CancelledError('told').code).toBe('ERR_CANCELLED');
  expect(new errors.TimeoutError()).toMatchObject({ message: 'timed out', code: 'ETIMEDOUT' });
  expect(errors.typeError('told')).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: 'told' });
});

test('SystemExit carries its status, and is fatal as KeyboardInterrupt is', () => {
  expect(new errors.SystemExit()).toMatchObject({ status: null, message: '' });
  expect(new errors.SystemExit(3)).toMatchObject({ status: 3, message: '3' });
  expect(errors.isFatal(new errors.SystemExit())).toBe(true);
  expect(errors.isFatal(new errors.KeyboardInterrupt())).toBe(true);
  expect(errors.isFatal(new errors.CancelledError())).toBe(false);
  expect(errors.isFatal(undefined)).toBe(false);
});
