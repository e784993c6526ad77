// pipes.test.ts: the verbs that make transports of the ends of pipes.

import * as fs from 'node:fs';

import { CancelledError, NotImplementedError, ValueError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { SelectorEventLoop } from '../../lib/event-loop';
import { StreamReader } from '../../lib/streams/stream-reader';
import { StreamReaderProtocol } from '../../lib/streams/stream-reader-protocol';
import { StreamWriter } from '../../lib/streams/stream-writer';
import { Protocol } from '../../lib/transports/protocol';
import { useLoop } from '../support/loops';
import { isOpen, makePipe } from '../support/pipes';
import { aw, countIterations, forEveryKind } from '../support/programs';
import { NotingProtocol } from '../support/protocols';
import { describeOnPosix } from '../support/systems';

const verbs = ['connectReadPipe', 'connectWritePipe'] as const;

describeOnPosix('pipes', () => {
  forEveryKind('both ends', (subject, program) => {
    test('UNIX-044: a factory is called once for each end, and what is written is read', async () => {
      const { loop } = subject.current;
      const [readEnd, writeEnd] = makePipe(subject.current);
      const made: string[] = [];
      const protocol = new NotingProtocol();
      const sent = Buffer.from('0123456789'.repeat(100_000));
      await subject.current.run(
        program(function* () {
          const [reading, reader] = yield* aw(
            loop.connectReadPipe(() => {
              made.push('reader');
              return protocol;
            }, readEnd),
          );
          const [writing, writer] = yield* aw(
            loop.connectWritePipe(() => {
              made.push('writer');
              return new Protocol();
            }, writeEnd),
          );
          expect(made).toEqual(['reader', 'writer']);
          expect([reading.getProtocol(), writing.getProtocol()]).toEqual([reader, writer]);
          const lost = loop.createFuture<void>();
          protocol.reactions.connectionLost = () => lost.setResult();
          writing.write(sent);
          writing.writeEof();
          yield* aw(lost);
        }),
      );
      expect(Buffer.concat(protocol.received).equals(sent)).toBe(true);
      expect(protocol.events.slice(-2)).toEqual([['eofReceived'], ['connectionLost', null]]);
    });

    test('UNIX-044: it takes the iterations of a waiter', async () => {
      const { loop } = subject.current;
      for (const verb of verbs) {
        const [readEnd, writeEnd] = makePipe(subject.current);
        const protocol = new NotingProtocol();
        await subject.current.run(
          program(function* () {
            const counter = countIterations(loop);
            const [transport] = yield* aw(loop[verb](() => protocol, verb === 'connectReadPipe' ? readEnd : writeEnd));
            protocol.events.push(['connected', counter.count]);
            transport.close();
          }),
        );
        expect(protocol.events.slice(0, 2)).toEqual([['connectionMade'], ['connected', 2]]);
      }
    });

    test('streams read and write pipes', async () => {
      const { loop } = subject.current;
      const [readEnd, writeEnd] = makePipe(subject.current);
      const lines: string[] = [];
      await subject.current.run(
        program(function* () {
          const reader = new StreamReader({ loop });
          yield* aw(loop.connectReadPipe(() => new StreamReaderProtocol(reader, null, loop), readEnd));
          const unread = new StreamReader({ loop });
          const [transport, protocol] = yield* aw(
            loop.connectWritePipe(() => new StreamReaderProtocol(unread, null, loop), writeEnd),
          );
          const writer = new StreamWriter(transport, protocol, null, loop);
          // Far more than a pipe and a reader hold, so that each has to wait for the other.
          const writing = loop.createTask(function* () {
            for (let line = 0; line < 3000; line++) {
              writer.write(Buffer.from(`${line} ${'x'.repeat(100)}\n`));
              yield* writer.drain();
            }
            writer.close();
            yield* writer.waitClosed();
          });
          for (;;) {
            const line = yield* aw(reader.readline());
            if (line.length === 0) break;
            lines.push(line.toString().split(' ')[0]);
          }
          yield* aw(writing);
        }),
      );
      expect(lines).toEqual(Array.from({ length: 3000 }, (_, line) => String(line)));
    });
  });

  describe.each(verbs)('%s', (verb) => {
    const subject = useLoop('sync');
    const nearOf = (pipe: ReturnType<typeof makePipe>) => pipe[verb === 'connectReadPipe' ? 0 : 1];

    test('UNIX-044: cancelled while it waits, it closes the transport and with it the pipe', async () => {
      const { loop } = subject.current;
      const near = nearOf(makePipe(subject.current));
      const fd = near.fileno();
      const protocol = new NotingProtocol();
      const connecting = loop.createTask(loop[verb](() => protocol, near));
      loop.callSoon(() => connecting.cancel());
      await expect(subject.current.run(connecting)).rejects.toBeInstanceOf(CancelledError);
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
      expect(isOpen(fd)).toBe(false);
    });

    test('UNIX-044: a factory that throws leaves the pipe to the caller', async () => {
      const near = nearOf(makePipe(subject.current));
      const connecting = subject.current.loop[verb](() => {
        throw new Error('no protocol');
      }, near);
      await expect(subject.current.run(connecting)).rejects.toThrow('no protocol');
      expect(isOpen(near.fileno())).toBe(true);
    });

    test('UNIX-024: a file is a ValueError, after the factory was called', async () => {
      const fd = fs.openSync(__filename, 'r');
      const factory = jest.fn(() => new NotingProtocol());
      await expect(subject.current.run(subject.current.loop[verb](factory, fd))).rejects.toBeInstanceOf(ValueError);
      expect(factory).toHaveBeenCalledTimes(1);
      expect(isOpen(fd)).toBe(true);
      fs.closeSync(fd);
    });

    test('a closed loop refuses, and no collector closes the pipe later', async () => {
      const near = nearOf(makePipe(subject.current));
      const closed = new SelectorEventLoop();
      closed.close();
      const register = jest.spyOn(FinalizationRegistry.prototype, 'register');
      const attempt = subject.current.run(closed[verb](() => new NotingProtocol(), near));
      await expect(attempt).rejects.toMatchObject({ code: 'ERR_LOOP_CLOSED' });
      const kept = register.mock.calls.map(([target]) => target.constructor.name);
      register.mockRestore();
      expect(kept.filter((name) => name.includes('Pipe'))).toEqual([]);
      expect(isOpen(near.fileno())).toBe(true);
    });

    test('a transport that is closed in connectionMade is given all the same', async () => {
      const near = nearOf(makePipe(subject.current));
      const protocol = new NotingProtocol({ connectionMade: (transport) => transport.close() });
      const [transport] = await subject.current.run(subject.current.loop[verb](() => protocol, near));
      expect(transport.isClosing()).toBe(true);
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    });

    test('in debug mode the connection is logged', async () => {
      const { loop } = subject.current;
      const near = nearOf(makePipe(subject.current));
      const messages: string[] = [];
      setLogReceiver((record) => messages.push(record.message));
      loop.setDebug(true);
      const [transport] = await subject.current.run(loop[verb](() => new NotingProtocol(), near));
      loop.setDebug(false);
      setLogReceiver(null);
      expect(messages).toContainEqual(expect.stringMatching(/^pipe \d+ connected: <Unix(Read|Write)PipeTransport/));
      transport.close();
    });
  });
});

describe.each(verbs)('%s on Windows', (verb) => {
  const subject = useLoop('sync');
  const platform = process.platform;
  afterEach(() => Object.defineProperty(process, 'platform', { value: platform }));

  test('is a NotImplementedError, and no protocol is made', async () => {
    const factory = jest.fn(() => new NotingProtocol());
    Object.defineProperty(process, 'platform', { value: 'win32' });
    await expect(subject.current.run(subject.current.loop[verb](factory, 0))).rejects.toBeInstanceOf(
      NotImplementedError,
    );
    expect(factory).not.toHaveBeenCalled();
  });
});
