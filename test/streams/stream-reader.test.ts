// stream-reader.test.ts: what arrives, awaited.

import { inspect } from 'node:util';

import { IncompleteReadError, LimitOverrunError, NotImplementedError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { StreamReader } from '../../lib/streams/stream-reader';
import { ReadTransport } from '../../lib/transports/transport';
import { aw, countIterations, forEveryKind } from '../support/programs';

/** Notes what the reader asks of it. */
class FakeTransport extends ReadTransport {
  readonly calls: string[] = [];

  override pauseReading(): void {
    this.calls.push('pause');
  }

  override resumeReading(): void {
    this.calls.push('resume');
  }

  [inspect.custom](): string {
    return '<FakeTransport>';
  }
}

forEveryKind('StreamReader', (subject, program) => {
  const readerOf = (limit?: number): StreamReader =>
    new StreamReader({ loop: subject.current.loop, ...(limit === undefined ? {} : { limit }) });
  const fed = (text: string, { limit, eof = false }: { limit?: number; eof?: boolean } = {}): StreamReader => {
    const reader = readerOf(limit);
    reader.feedData(Buffer.from(text));
    if (eof) reader.feedEof();
    return reader;
  };
  /** What awaiting gives, as text; an error by its name and what is of interest of it. */
  const outcome = program(function* (awaitable: ReturnType<StreamReader['read']>) {
    try {
      return (yield* aw(awaitable)).toString();
    } catch (error) {
      if (error instanceof IncompleteReadError) return [error.name, error.partial.toString(), error.expected];
      if (error instanceof LimitOverrunError) return [error.name, error.consumed];
      return [(error as Error).name, (error as Error).message];
    }
  });
  const run = (awaitable: ReturnType<StreamReader['read']>) => subject.current.run(() => outcome(awaitable));

  test('STR-013: read gives what there is, at most so much, without an iteration; nothing for 0', async () => {
    const iteration = countIterations(subject.current.loop);
    const reader = fed('abcdef');
    const main = program(function* () {
      const start = iteration.count;
      const got = [yield* aw(reader.read(0)), yield* aw(reader.read(2)), yield* aw(reader.read(100))];
      return [...got.map(String), iteration.count - start];
    });
    expect(await subject.current.run(main)).toEqual(['', 'ab', 'cdef', 0]);
  });

  test('STR-013: read waits for one byte at least; without a size it reads to the end', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    const main = program(function* () {
      loop.callSoon(() => reader.feedData(Buffer.from('ab')));
      const first = yield* aw(reader.read(10));
      loop.callLater(0.001, () => reader.feedData(Buffer.from('cd')));
      loop.callLater(0.002, () => reader.feedEof());
      const rest = yield* aw(reader.read());
      return [...[first, rest, yield* aw(reader.read(-1)), yield* aw(reader.read(5))].map(String), reader.atEof()];
    });
    expect(await subject.current.run(main)).toEqual(['ab', 'cd', '', '', true]);
  });

  test('STR-014: read and readexactly go beyond the limit', async () => {
    const reader = readerOf(4);
    reader.feedData(Buffer.from('0123456789'));
    expect(await run(reader.read(7))).toBe('0123456');
    reader.feedData(Buffer.from('abcdefghij'));
    expect(await run(reader.readexactly(12))).toBe('789abcdefghi');
  });

  test('STR-015: readexactly gives all or nothing', async () => {
    const { loop } = subject.current;
    expect(await run(fed('').readexactly(-1))).toEqual(['ValueError', expect.any(String)]);
    expect(await run(fed('abc').readexactly(0))).toBe('');
    const reader = fed('abc');
    loop.callSoon(() => reader.feedData(Buffer.from('def')));
    expect(await run(reader.readexactly(5))).toBe('abcde');
    reader.feedEof();
    expect(await run(reader.readexactly(2))).toEqual(['IncompleteReadError', 'f', 2]);
    expect(reader.atEof()).toBe(true);
  });

  test('STR-016: readuntil gives everything up to the separator, and it', async () => {
    const { loop } = subject.current;
    const reader = fed('one--two-');
    expect(await run(reader.readuntil('--'))).toBe('one--');
    loop.callSoon(() => reader.feedData(Buffer.from('-three')));
    expect(await run(reader.readuntil(Buffer.from('--')))).toBe('two--');
    expect(await run(reader.readuntil(''))).toEqual(['ValueError', expect.any(String)]);
    expect(await run(reader.readuntil([]))).toEqual(['ValueError', expect.any(String)]);
    reader.feedEof();
    expect(await run(reader.readuntil('--'))).toEqual(['IncompleteReadError', 'three', null]);
    expect(reader.atEof()).toBe(true);
  });

  test('STR-016: a separator beyond the limit, or none within it, leaves everything where it is', async () => {
    const beyond = fed('0123456789\n', { limit: 5 });
    expect(await run(beyond.readuntil())).toEqual(['LimitOverrunError', 10]);
    expect(await run(beyond.read(20))).toBe('0123456789\n');
    const none = fed('0123456789', { limit: 5 });
    expect(await run(none.readuntil())).toEqual(['LimitOverrunError', 10]);
    expect(await run(none.readuntil('\r\n'))).toEqual(['LimitOverrunError', 9]);
    expect(await run(none.read(20))).toBe('0123456789');
  });

  test('STR-017: as many bytes as the limit may stand before the separator', async () => {
    expect(await run(fed('01234\n', { limit: 5 }).readuntil())).toBe('01234\n');
    expect(await run(fed('012345\n', { limit: 5 }).readuntil())).toEqual(['LimitOverrunError', 6]);
    const later = fed('01234', { limit: 5 });
    subject.current.loop.callSoon(() => later.feedData(Buffer.from('\n')));
    expect(await run(later.readuntil())).toBe('01234\n');
  });

  test('STR-018: of several separators the one that ends first', async () => {
    expect(await run(fed('a;b\n').readuntil(['\n', ';']))).toBe('a;');
    expect(await run(fed('abcd').readuntil(['bcd', 'bc']))).toBe('abc');
    expect(await run(fed('x\r\ny\n').readuntil(['\n', '\r\n']))).toBe('x\r\n');
  });

  test('STR-019: readline gives lines, at the end what is left, then nothing', async () => {
    const reader = fed('one\ntwo\nthr', { eof: true });
    const lines = [];
    for (let line = 0; line < 4; line++) lines.push(await run(reader.readline()));
    expect(lines).toEqual(['one\n', 'two\n', 'thr', '']);
  });

  test('STR-019: a line that is too long is dropped, and everything with it if its end has not come', async () => {
    const whole = fed('0123456789\nnext\n', { limit: 5 });
    expect(await run(whole.readline())).toEqual(['ValueError', expect.any(String)]);
    expect(await run(whole.readline())).toBe('next\n');
    const open = fed('0123456789', { limit: 5 });
    expect(await run(open.readline())).toEqual(['ValueError', expect.any(String)]);
    open.feedData(Buffer.from('56\n'));
    expect(await run(open.readline())).toBe('56\n');
  });

  test('STR-020: an error that was set is thrown by every read, before what is there', async () => {
    const reader = fed('abc\n');
    reader.setException(new Error('lost'));
    expect(reader.exception()).toEqual(new Error('lost'));
    const reads = [reader.read(1), reader.read(0), reader.readexactly(1), reader.readuntil(), reader.readline()];
    for (const read of reads) expect(await run(read)).toEqual(['Error', 'lost']);
  });

  test('STR-023: an error that is set wakes whoever waits', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    loop.callSoon(() => reader.setException(new Error('lost')));
    expect(await run(reader.read(1))).toEqual(['Error', 'lost']);
  });

  test('what is set may be anything: it is thrown as it is', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    loop.callSoon(() => reader.setException('lost'));
    for (let times = 0; times < 2; times++) await expect(subject.current.run(reader.read(1))).rejects.toBe('lost');
  });

  test('STR-012: two coroutines cannot wait at once', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    const main = program(function* () {
      const first = loop.createTask(() => outcome(reader.read(1)));
      yield* aw(sleep(0));
      const seen: unknown[] = [];
      for (const read of [reader.read(1), reader.readexactly(1), reader.readuntil(), reader.readline()]) {
        seen.push(yield* aw(loop.createTask(() => outcome(read))));
      }
      reader.feedData(Buffer.from('x'));
      return [...seen, yield* aw(first)];
    });
    const message = 'another coroutine is already waiting for data';
    expect(await subject.current.run(main)).toEqual([
      ['RuntimeError', `read(): ${message}`],
      ['RuntimeError', `readexactly(): ${message}`],
      ['RuntimeError', `readuntil(): ${message}`],
      ['RuntimeError', `readuntil(): ${message}`],
      'x',
    ]);
  });

  test('STR-012: whoever is cancelled while waiting makes room for the next', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    const main = program(function* () {
      const first = loop.createTask(() => reader.read(1));
      yield* aw(sleep(0));
      first.cancel();
      yield* aw(sleep(0));
      reader.feedData(Buffer.from('x'));
      return [first.cancelled(), (yield* aw(reader.read(1))).toString()];
    });
    expect(await subject.current.run(main)).toEqual([true, 'x']);
  });

  test('STR-009, STR-010, STR-036: pauses above twice the limit, resumes at the limit', async () => {
    const transport = new FakeTransport();
    const reader = readerOf(4);
    reader.setTransport(transport);
    reader.feedData(Buffer.from('01234567'));
    expect(transport.calls).toEqual([]);
    reader.feedData(Buffer.from('8'));
    reader.feedData(Buffer.from('9'));
    expect(transport.calls).toEqual(['pause']);
    expect(inspect(reader)).toBe('<StreamReader 10 bytes limit=4 transport=<FakeTransport> paused>');
    await run(reader.read(5));
    expect(transport.calls).toEqual(['pause']);
    await run(reader.readexactly(1));
    expect(transport.calls).toEqual(['pause', 'resume']);
  });

  test('STR-009: a transport that cannot pause is forgotten', () => {
    const reader = readerOf(1);
    const transport = new FakeTransport();
    let asked = 0;
    transport.pauseReading = () => {
      asked += 1;
      throw new NotImplementedError('no pause');
    };
    reader.setTransport(transport);
    reader.feedData(Buffer.from('012'));
    reader.feedData(Buffer.from('345'));
    expect([asked, inspect(reader)]).toEqual([1, '<StreamReader 6 bytes limit=1>']);
  });

  test('STR-011: to wait while paused resumes first', async () => {
    const transport = new FakeTransport();
    const reader = readerOf(2);
    reader.setTransport(transport);
    reader.feedData(Buffer.from('01234'));
    subject.current.loop.callLater(0.001, () => reader.feedData(Buffer.from('56789')));
    expect(await run(reader.readexactly(10))).toBe('0123456789');
    expect(transport.calls).toEqual(['pause', 'resume', 'pause', 'resume']);
  });

  test('STR-022: its lines, one after the other', async () => {
    const { loop } = subject.current;
    const reader = fed('one\ntwo\n');
    loop.callSoon(() => reader.feedData(Buffer.from('three')));
    loop.callSoon(() => reader.feedEof());
    const lines: string[] = [];
    const main = program(function* () {
      const iterator = reader[Symbol.asyncIterator]();
      for (;;) {
        const step = yield* aw(iterator.next() as never as ReturnType<typeof sleep<IteratorResult<Buffer>>>);
        if (step.done === true) return lines;
        lines.push(step.value.toString());
      }
    });
    expect(await subject.current.run(main)).toEqual(['one\n', 'two\n', 'three']);
  });

  test('STR-037: shows what it has and what it waits for', async () => {
    const { loop } = subject.current;
    const reader = readerOf();
    expect(inspect(reader)).toBe('<StreamReader>');
    const task = loop.createTask(() => outcome(reader.readexactly(4)));
    await subject.current.runOnce();
    expect(inspect(reader)).toMatch(/^<StreamReader waiter=<Future pending/);
    reader.feedData(Buffer.from('abc'));
    reader.feedEof();
    await subject.current.run(task);
    reader.setException(new Error('lost'));
    expect(inspect(reader)).toBe('<StreamReader eof exception=Error: lost>');
  });
});

describe('a reader', () => {
  const loop = {} as never;

  test('STR-001: has a limit of 65536 bytes, or another one above 0', () => {
    const reader = new StreamReader({ loop });
    const transport = new FakeTransport();
    reader.setTransport(transport);
    reader.feedData(Buffer.alloc(2 * 65536));
    expect(transport.calls).toEqual([]);
    reader.feedData(Buffer.alloc(1));
    expect(transport.calls).toEqual(['pause']);
    for (const limit of [0, -1]) expect(() => new StreamReader({ loop, limit })).toThrow(/above 0/);
    expect(() => new StreamReader({ loop, limit: '1' as never })).toThrow(TypeError);
  });

  test('STR-008: takes no data after the end, and no empty data', () => {
    const reader = new StreamReader({ loop });
    reader.feedData(Buffer.alloc(0));
    expect(inspect(reader)).toBe('<StreamReader>');
    reader.feedEof();
    expect(() => reader.feedData(Buffer.from('x'))).toThrow(expect.objectContaining({ name: 'AssertionError' }));
  });

  test('STR-021: is at its end when that has come and nothing is left', () => {
    const reader = new StreamReader({ loop });
    expect(reader.atEof()).toBe(false);
    reader.feedData(Buffer.from('x'));
    reader.feedEof();
    expect(reader.atEof()).toBe(false);
  });

  test('STR-024: has one transport', () => {
    const reader = new StreamReader({ loop });
    reader.setTransport(new FakeTransport());
    expect(() => reader.setTransport(new FakeTransport())).toThrow(expect.objectContaining({ name: 'AssertionError' }));
  });

  test('refuses at once what is no size and no separator', () => {
    const reader = new StreamReader({ loop });
    const bad = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => reader.read('1' as never)).toThrow(bad);
    expect(() => reader.readexactly(NaN)).toThrow(bad);
    expect(() => reader.readuntil(10 as never)).toThrow(bad);
  });
});
