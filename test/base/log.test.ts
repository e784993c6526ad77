// log.test.ts: who hears the library's log.

import { SystemExit } from '../../lib/base/errors';
import { logger, setLogReceiver, type LogRecord } from '../../lib/base/log';

let written: string[];

beforeEach(() => {
  written = [];
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});

afterEach(() => {
  setLogReceiver(null);
  jest.restoreAllMocks();
});

test('warnings and errors go to stderr, the rest nowhere', () => {
  logger.debug('a debug record');
  logger.info('an information');
  logger.warning('a warning');
  logger.error('an error', new Error('why'));
  expect(written).toHaveLength(2);
  expect(written[0]).toBe('fdloop warning: a warning\n');
  expect(written[1]).toMatch(/^fdloop error: an error\nError: why\n {4}at /);
});

test('a receiver hears every record, and stderr nothing', () => {
  const records: LogRecord[] = [];
  setLogReceiver((record) => records.push(record));
  const error = new Error('why');
  logger.debug('one');
  logger.info('two');
  logger.warning('three', error);
  logger.error('four', null);
  expect(records).toEqual([
    { level: 'debug', message: 'one', error: undefined },
    { level: 'info', message: 'two', error: undefined },
    { level: 'warning', message: 'three', error },
    { level: 'error', message: 'four', error: null },
  ]);
  expect(written).toEqual([]);
});

test('setLogReceiver gives the receiver before, and null restores stderr', () => {
  const first = () => undefined;
  const second = () => undefined;
  expect(setLogReceiver(first)).toBeNull();
  expect(setLogReceiver(second)).toBe(first);
  expect(setLogReceiver(null)).toBe(second);
  expect(setLogReceiver(null)).toBeNull();
  logger.warning('back');
  expect(written).toEqual(['fdloop warning: back\n']);
});

test("a receiver's exception does not reach who logged, and loses no record", () => {
  setLogReceiver(() => {
    throw new Error('the receiver is broken');
  });
  logger.warning('a warning');
  expect(written[0]).toBe('fdloop warning: a warning\n');
  expect(written[1]).toMatch(/^fdloop error: the log receiver threw an exception\nError: the receiver is broken/);
});

test("a receiver's SystemExit ends the run", () => {
  setLogReceiver(() => {
    throw new SystemExit(1);
  });
  expect(() => logger.warning('a warning')).toThrow(SystemExit);
});
