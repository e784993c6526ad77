// streams.test.ts: connections and servers whose ends are streams, and the writer.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { inspect } from 'node:util';

import type { ConnectionResetError } from '../../lib/base/errors';
import { sleep } from '../../lib/futures/sleep';
import { SO_SNDBUF } from '../support/options';
import { socketConstants, SOL_SOCKET } from '../../lib/sockets/constants';
import { type Socket, socketpair } from '../../lib/sockets/socket';
import { openConnection, openUnixConnection, startServer, startUnixServer } from '../../lib/streams/open';
import { StreamReader } from '../../lib/streams/stream-reader';
import { StreamReaderProtocol } from '../../lib/streams/stream-reader-protocol';
import { StreamWriter } from '../../lib/streams/stream-writer';
import { addressOf } from '../support/peers';
import { aw, countIterations, forEveryKind } from '../support/programs';
import { useCertificates } from '../support/certificates';
import { testOnPosix } from '../support/systems';

const certificates = useCertificates();

/** Options of TLS for a server and for a client that believes it. */
function tlsOptions() {
  const { key, cert } = certificates.current.selfSigned('server');
  return { server: { key, cert }, client: { ca: cert } };
}

forEveryKind('streams', (subject, program) => {
  /** Streams over one end of a socket pair, with the test at the other. */
  const streamsOver = (
    limit?: number,
  ): { reader: StreamReader; writer: StreamWriter; peer: Socket; protocol: StreamReaderProtocol } => {
    const { loop } = subject.current;
    const [near, peer] = socketpair();
    near.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    const reader = new StreamReader({ loop, ...(limit === undefined ? {} : { limit }) });
    const protocol = new StreamReaderProtocol(reader, null, loop);
    const transport = loop._makeSocketTransport(near, protocol);
    subject.current.atEnd(() => {
      transport.abort();
      peer.close();
    });
    return { reader, writer: new StreamWriter(transport, protocol, reader, loop), peer, protocol };
  };
  /** Until some of it has to wait: Windows takes the whole of one piece, however large, and nothing of the next. */
  const writeTooMuch = (writer: StreamWriter): void => {
    while (writer.transport.getWriteBufferSize() === 0) writer.write(Buffer.alloc(1 << 20));
  };
  const codeOf = program(function* (awaitable: ReturnType<StreamWriter['drain']>) {
    try {
      yield* aw(awaitable);
      return 'fine';
    } catch (error) {
      return (error as ConnectionResetError).code;
    }
  });
  const readAll = (peer: Socket): number => {
    let total = 0;
    for (;;) {
      try {
        const count = peer.recv(1 << 20).length;
        if (count === 0) return total;
        total += count;
      } catch {
        return total;
      }
    }
  };

  const echo = program(function* (reader: StreamReader, writer: StreamWriter) {
    const line = yield* aw(reader.readline());
    writer.write(line);
    yield* aw(writer.drain());
    writer.close();
    yield* aw(writer.waitClosed());
  });
  const ask = program(function* (reader: StreamReader, writer: StreamWriter) {
    writer.write(Buffer.from('hello\n'));
    const answer = yield* aw(reader.read());
    writer.close();
    yield* aw(writer.waitClosed());
    return answer.toString();
  });

  test('STR-002: a server whose callback has streams, and a client that has them', async () => {
    const main = program(function* () {
      const server = yield* aw(startServer(echo, '127.0.0.1', 0));
      const [reader, writer] = yield* aw(openConnection(...addressOf(server)));
      const answer = yield* aw(subject.current.loop.createTask(() => ask(reader, writer)));
      server.close();
      yield* aw(server.waitClosed());
      return answer;
    });
    expect(await subject.current.run(main)).toBe('hello\n');
  });

  const unix = process.platform === 'win32' ? test.skip : test;
  unix('STR-002: the same over a Unix socket', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'fdloop-streams-'));
    const file = path.join(folder, 'socket');
    const main = program(function* () {
      const server = yield* aw(startUnixServer(echo, file));
      const [reader, writer] = yield* aw(openUnixConnection(file));
      const answer = yield* aw(subject.current.loop.createTask(() => ask(reader, writer)));
      server.close();
      yield* aw(server.waitClosed());
      return answer;
    });
    expect(await subject.current.run(main)).toBe('hello\n');
    rmSync(folder, { recursive: true });
  });

  test('STR-003: a plain callback is called at once, a coroutine function becomes a task', async () => {
    const seen: string[] = [];
    const main = program(function* () {
      const { loop } = subject.current;
      const server = yield* aw(
        startServer(
          (_reader, writer) => {
            seen.push(loop._currentTask === null ? 'plain' : 'in a task');
            writer.close();
          },
          '127.0.0.1',
          0,
        ),
      );
      const other = yield* aw(
        startServer(
          program(function* (_reader, writer) {
            seen.push(loop._currentTask === null ? 'no task' : 'task');
            writer.close();
          }),
          '127.0.0.1',
          0,
        ),
      );
      for (const one of [server, other]) {
        const [reader, writer] = yield* aw(openConnection(...addressOf(one)));
        yield* aw(reader.read());
        writer.close();
        one.close();
        yield* aw(one.waitClosed());
      }
      return seen;
    });
    expect(await subject.current.run(main)).toEqual(['plain', 'task']);
  });

  const nothing: unknown = null;
  test.each([new Error('the callback fails'), nothing])(
    'STR-003: what a client’s coroutine throws goes to the handler, and its connection is closed (%s)',
    async (thrown) => {
      const failing = program(function* () {
        yield* aw(sleep(0));
        throw thrown;
      });
      const main = program(function* () {
        const server = yield* aw(startServer(() => failing(), '127.0.0.1', 0));
        const [reader, writer] = yield* aw(openConnection(...addressOf(server)));
        const rest = yield* aw(reader.read());
        writer.close();
        server.close();
        yield* aw(server.waitClosed());
        return rest.length;
      });
      expect(await subject.current.run(main)).toBe(0);
      const [context, ...others] = subject.current.takeContexts();
      expect(Object.keys(context).sort()).toEqual(['exception', 'message', 'transport']);
      expect([context.exception, others]).toEqual([thrown, []]);
    },
  );

  test('STR-004: as in 3.12, a client’s task that is cancelled is reported as a callback that failed', async () => {
    const { loop } = subject.current;
    const reported = loop.createFuture<unknown>();
    loop.setExceptionHandler((_loop, { exception }) => reported.setResult((exception as Error).name));
    const main = program(function* () {
      const streams: StreamWriter[] = [];
      const server = yield* aw(
        startServer(
          program(function* (_reader, writer) {
            streams.push(writer);
            loop._currentTask?.cancel();
            yield* aw(sleep(0));
          }),
          '127.0.0.1',
          0,
        ),
      );
      const [reader, writer] = yield* aw(openConnection(...addressOf(server)));
      const report = yield* aw(reported);
      const open = !streams[0].isClosing();
      streams[0].close();
      yield* aw(reader.read());
      writer.close();
      server.close();
      yield* aw(server.waitClosed());
      return [report, open];
    });
    expect(await subject.current.run(main)).toEqual(['CancelledError', true]);
  });

  test('STR-006: the end of what comes leaves a plain connection open for writing', async () => {
    const { reader, writer, peer } = streamsOver();
    peer.send(Buffer.from('all'));
    peer.shutdown(socketConstants.SHUT_WR);
    const main = program(function* () {
      const all = yield* aw(reader.read());
      const open = !writer.isClosing();
      writer.write(Buffer.from('answer'));
      yield* aw(writer.drain());
      return [all.toString(), open, peer.recv(100).toString()];
    });
    expect(await subject.current.run(main)).toEqual(['all', true, 'answer']);
  });

  test('STR-006: the end of what comes closes a connection with TLS', async () => {
    const tls = tlsOptions();
    const main = program(function* () {
      const seen: unknown[] = [];
      const server = yield* aw(
        startServer(
          program(function* (_reader, writer) {
            writer.write(Buffer.from('over TLS'));
            writer.close();
            yield* aw(writer.waitClosed());
          }),
          '127.0.0.1',
          0,
          { ssl: tls.server },
        ),
      );
      const [reader, writer] = yield* aw(
        openConnection(...addressOf(server), { ssl: tls.client, serverHostname: 'localhost' }),
      );
      seen.push((yield* aw(reader.read())).toString());
      yield* aw(writer.waitClosed());
      server.close();
      yield* aw(server.waitClosed());
      return [...seen, writer.isClosing()];
    });
    expect(await subject.current.run(main)).toEqual(['over TLS', true]);
  });

  test('STR-007, STR-032: a lost connection ends reading, draining and waitClosed with its error', async () => {
    const { loop } = subject.current;
    const { reader, writer } = streamsOver();
    const lost = Object.assign(new Error('lost'), { code: 'LOST' });
    const main = program(function* () {
      yield* aw(sleep(0));
      writeTooMuch(writer);
      const waits = [reader.read(1) as never, writer.drain(), writer.drain(), writer.waitClosed()];
      const tasks = waits.map((awaitable) => loop.createTask(() => codeOf(awaitable)));
      yield* aw(sleep(0));
      (writer.transport as unknown as { _forceClose(error: Error): void })._forceClose(lost);
      const seen: unknown[] = [];
      for (const task of tasks) seen.push(yield* aw(task));
      return [...seen, reader.exception() === lost];
    });
    expect(await subject.current.run(main)).toEqual(['LOST', 'LOST', 'LOST', 'LOST', true]);
  });

  test('STR-007, STR-029: one that ends without an error ends reading and draining without one', async () => {
    const { loop } = subject.current;
    const { reader, writer } = streamsOver();
    const main = program(function* () {
      yield* aw(sleep(0));
      writeTooMuch(writer);
      const waits = [reader.read(1) as never, writer.drain(), writer.drain(), writer.waitClosed()];
      const tasks = waits.map((awaitable) => loop.createTask(() => codeOf(awaitable)));
      yield* aw(sleep(0));
      (writer.transport as unknown as { abort(): void }).abort();
      const seen: unknown[] = [];
      for (const task of tasks) seen.push(yield* aw(task));
      return [...seen, reader.atEof()];
    });
    expect(await subject.current.run(main)).toEqual(['fine', 'fine', 'fine', 'fine', true]);
  });

  test('STR-025: a writer does what its transport does', async () => {
    const { writer, peer } = streamsOver();
    const main = program(function* () {
      yield* aw(sleep(0));
      writer.write(Buffer.from('a'));
      writer.writelines([Buffer.from('b'), Buffer.from('c')]);
      const seen = [writer.canWriteEof(), writer.isClosing(), writer.getExtraInfo('socket') !== null];
      writer.writeEof();
      seen.push(writer.getExtraInfo('nothing', true) as boolean);
      const got = [peer.recv(10).toString(), peer.recv(10).length];
      writer.close();
      yield* aw(writer.waitClosed());
      return [...seen, ...got, writer.isClosing()];
    });
    expect(await subject.current.run(main)).toEqual([true, false, true, true, 'abc', 0, true]);
    expect(inspect(writer)).toMatch(/^<StreamWriter transport=<.*> reader=<StreamReader eof transport=.*>>$/);
  });

  test('STR-026: drain throws the reader’s error first', async () => {
    const { reader, writer } = streamsOver();
    reader.setException(Object.assign(new Error('lost'), { code: 'LOST' }));
    expect(await subject.current.run(() => codeOf(writer.drain()))).toBe('LOST');
  });

  test('STR-026, STR-027: drain on a closing transport gives way once, so that its end is heard of', async () => {
    const iteration = countIterations(subject.current.loop);
    const { reader, writer, peer } = streamsOver();
    const main = program(function* () {
      yield* aw(sleep(0));
      const start = iteration.count;
      yield* aw(writer.drain());
      const idle = iteration.count - start;
      writer.close();
      const code = yield* aw(subject.current.loop.createTask(() => codeOf(writer.drain())));
      yield* aw(writer.waitClosed());
      return [idle, code, yield* aw(subject.current.loop.createTask(() => codeOf(writer.drain())))];
    });
    expect(await subject.current.run(main)).toEqual([0, 'ECONNRESET', 'ECONNRESET']);
    expect([reader.atEof(), peer.recv(1).length]).toEqual([true, 0]);
  });

  // Windows sends a buffer whole, so that nothing is left at the low mark.
  testOnPosix(
    'STR-028, STR-029, STR-031: several drain at once, and go on at the low mark, not when all is sent',
    async () => {
      const { loop } = subject.current;
      const { writer, peer } = streamsOver();
      const seen: unknown[] = [];
      const drainer = program(function* (name: string) {
        yield* aw(writer.drain());
        seen.push([name, writer.transport.getWriteBufferSize() > 0]);
      });
      const main = program(function* () {
        yield* aw(sleep(0));
        writer.transport.setWriteBufferLimits(1 << 18, 1 << 17);
        writer.write(Buffer.alloc(1 << 19));
        const tasks = ['a', 'b'].map((name) => loop.createTask(() => drainer(name)));
        yield* aw(sleep(0));
        seen.push(tasks.some((task) => task.done()));
        while (!tasks.every((task) => task.done())) {
          readAll(peer);
          yield* aw(sleep(0));
        }
        readAll(peer);
        return seen;
      });
      expect(await subject.current.run(main)).toEqual([false, ['a', true], ['b', true]]);
    },
  );

  test('STR-030: pausing and resuming writing take turns', async () => {
    const { protocol } = streamsOver();
    await subject.current.runOnce();
    const broken = expect.objectContaining({ name: 'AssertionError' });
    expect(() => protocol.resumeWriting()).toThrow(broken);
    protocol.pauseWriting();
    expect(() => protocol.pauseWriting()).toThrow(broken);
    protocol.resumeWriting();
  });

  test('STR-033: a stream is upgraded to TLS at both ends', async () => {
    const tls = tlsOptions();
    const main = program(function* () {
      const server = yield* aw(
        startServer(
          program(function* (reader, writer) {
            yield* aw(reader.readline());
            writer.write(Buffer.from('go\n'));
            yield* aw(writer.startTls(tls.server));
            writer.write(yield* aw(reader.readline()));
            yield* aw(writer.drain());
            writer.close();
          }),
          '127.0.0.1',
          0,
        ),
      );
      const [reader, writer] = yield* aw(openConnection(...addressOf(server)));
      writer.write(Buffer.from('TLS\n'));
      yield* aw(reader.readline());
      const before = writer.transport;
      yield* aw(writer.startTls(tls.client, { serverHostname: 'localhost' }));
      writer.write(Buffer.from('secret\n'));
      const answer = yield* aw(reader.readline());
      const isTls = writer.getExtraInfo('sslcontext') !== null;
      yield* aw(reader.read());
      writer.close();
      yield* aw(writer.waitClosed());
      server.close();
      yield* aw(server.waitClosed());
      return [answer.toString(), before !== writer.transport, isTls];
    });
    expect(await subject.current.run(main)).toEqual(['secret\n', true, true]);
  });

  test('STR-035: nobody is reproached for not asking how the connection ended', async () => {
    const { protocol, writer } = streamsOver();
    await subject.current.runOnce();
    (writer.transport as unknown as { _forceClose(error: Error): void })._forceClose(new Error('lost'));
    await subject.current.runOnce();
    expect([protocol._closed.done(), protocol._closed._logTraceback]).toEqual([true, false]);
  });
});
