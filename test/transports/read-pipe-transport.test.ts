// read-pipe-transport.test.ts: what a transport reads from pipes, sockets and terminals, and how it tells its protocol.

import * as fs from 'node:fs';
import { inspect } from 'node:util';

import { EVENT_READ } from '../../lib/base/constants';
import { ValueError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { Future } from '../../lib/futures/future';
import { binding } from '../../lib/native/binding';
import { check } from '../../lib/native/check';
import { OwnedFd, pipe } from '../../lib/sockets/owned-fd';
import { UnixReadPipeTransport } from '../../lib/transports/read-pipe-transport';

import { thrownBy } from '../sockets/socket-kit';
import { forEveryLoop, useLoop } from '../support/loops';
import { isOpen, makePipe, NodeEnd, pipeKinds, readPipe } from '../support/pipes';
import { NotingProtocol } from '../support/protocols';
import { hasSyscalls, syscall } from '../support/syscalls';
import { describeOnPosix, isLinux } from '../support/systems';

describeOnPosix('read pipes', () => {
  forEveryLoop((name, use) =>
    describe(name, () => {
      const subject = use();

      test.each(pipeKinds)('a %s is read until its end', async (kind) => {
        const { protocol, peer, fd, send } = await readPipe(subject.current, new NotingProtocol(), kind);
        // Lines, for a terminal gives whole ones; and it takes its time.
        for (const line of ['first\n', 'second\n']) {
          send(line);
          await subject.current.runUntil(() => protocol.received.length > 0);
          expect(String(Buffer.concat(protocol.received.splice(0))).trim()).toBe(line.trim());
        }
        peer.close();
        await subject.current.runUntil(() => protocol.names().at(-1) === 'connectionLost');
        expect(isOpen(fd)).toBe(false);
      });
    }),
  );

  describe('construction', () => {
    const subject = useLoop('sync');

    test.each(pipeKinds)('UNIX-024, UNIX-025: a %s is taken, and made non-blocking', (kind) => {
      const [near] = makePipe(subject.current, kind);
      binding.setNonBlocking(near.fileno(), false);
      const transport = new UnixReadPipeTransport(subject.current.loop, near, new NotingProtocol());
      subject.current.atEnd(() => transport.close());
      expect(binding.getNonBlocking(near.fileno())).toBe(1);
      expect(transport.getExtraInfo('pipe')).toBe(near);
    });

    test.each([
      ['a file', __filename],
      ['a folder', __dirname],
    ])('UNIX-024: %s is a ValueError; nobody is told, and the descriptor stays the caller’s', async (_what, name) => {
      const fd = fs.openSync(name, 'r');
      const protocol = new NotingProtocol();
      const { loop } = subject.current;
      const error = thrownBy(() => new UnixReadPipeTransport(loop, fd, protocol));
      await subject.current.runOnce();
      expect(error).toBeInstanceOf(ValueError);
      expect(protocol.events).toEqual([]);
      expect(binding.getNonBlocking(fd)).toBe(0);
      fs.closeSync(fd);
    });

    test('UNIX-024: a device that cannot be watched is taken; the loop reports that it cannot', async () => {
      const fd = fs.openSync('/dev/null', 'r');
      const protocol = new NotingProtocol();
      const transport = new UnixReadPipeTransport(subject.current.loop, fd, protocol);
      await subject.current.runOnce();
      const [context] = subject.current.takeContexts();
      transport.close();
      await subject.current.runOnce();
      // epoll refuses it, and kqueue does on macOS.
      const refused = binding.selectorNames[0] !== 'poll';
      const code = (context?.exception as { code?: string } | undefined)?.code ?? 'none';
      expect(refused ? ['EPERM', 'EINVAL'] : ['none']).toContain(code);
      expect(protocol.names().filter((name) => name.startsWith('connection'))).toEqual([
        'connectionMade',
        'connectionLost',
      ]);
      expect(isOpen(fd)).toBe(false);
    });

    test('UNIX-026: connectionMade, then the reader, then the waiter; data never comes first', async () => {
      const { loop } = subject.current;
      const protocol = new NotingProtocol();
      const waiter = new Future<void>(loop);
      waiter.addDoneCallback(() => protocol.events.push(['waiter']));
      const [near, far] = makePipe(subject.current);
      fs.writeSync(far.fileno(), 'early');
      const transport = new UnixReadPipeTransport(loop, near, protocol, waiter);
      subject.current.atEnd(() => transport.close());
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(protocol.events).toEqual([['connectionMade'], ['waiter'], ['dataReceived', 5]]);
    });

    test('UNIX-026: the waiter is told when the reader is there', async () => {
      const { loop } = subject.current;
      const seen: boolean[] = [];
      const [near] = makePipe(subject.current);
      const waiter = new Future<void>(loop);
      jest.spyOn(waiter, 'setResult').mockImplementation(() => {
        seen.push(loop._isWatched(near.fileno(), EVENT_READ));
      });
      const transport = new UnixReadPipeTransport(loop, near, new NotingProtocol(), waiter);
      subject.current.atEnd(() => transport.close());
      await subject.current.runOnce();
      expect(seen).toEqual([true]);
    });

    test('UNIX-026: who pauses or closes in connectionMade is not read for', async () => {
      for (const end of ['pauseReading', 'close'] as const) {
        const made = new NotingProtocol({ connectionMade: (transport) => transport[end]() });
        const { transport, fd, send } = await readPipe(subject.current, made);
        expect(subject.current.loop._isWatched(fd, EVENT_READ)).toBe(false);
        if (end === 'pauseReading') send('unread');
        await subject.current.runOnce();
        expect(made.received).toEqual([]);
        expect(transport.isReading()).toBe(false);
      }
    });

    test('UNIX-026: connectionMade is told to the protocol of the beginning, data to the one of now', async () => {
      const first = new NotingProtocol();
      const second = new NotingProtocol();
      const [near, far] = makePipe(subject.current);
      fs.writeSync(far.fileno(), 'data');
      const transport = new UnixReadPipeTransport(subject.current.loop, near, first);
      subject.current.atEnd(() => transport.close());
      transport.setProtocol(second);
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect([first.names(), second.names()]).toEqual([['connectionMade'], ['dataReceived']]);
      expect(transport.getProtocol()).toBe(second);
    });
  });

  describe('what may be a pipe', () => {
    const subject = useLoop('sync');

    test.each<[string, unknown, string]>([
      ['null', null, 'ERR_INVALID_ARG_TYPE'],
      ['undefined', undefined, 'ERR_INVALID_ARG_TYPE'],
      ['a path', '/dev/tty', 'ERR_INVALID_ARG_TYPE'],
      ['an object without a descriptor', { close: () => {} }, 'ERR_INVALID_ARG_TYPE'],
      ['an object that nobody can close', { fileno: () => 0 }, 'ERR_INVALID_ARG_TYPE'],
      ['a stream of Node', fs.createReadStream(__filename, { fd: 0, autoClose: false }), 'ERR_INVALID_ARG_TYPE'],
      ['a negative number', -1, 'ERR_INVALID_FD'],
      ['a fraction', 1.5, 'ERR_INVALID_FILE_OBJECT'],
      ['a closed owner', { fileno: () => -1, close: () => {} }, 'ERR_INVALID_FD'],
      ['a number where nothing is open', 9999, 'EBADF'],
    ])('%s is none', (_what, given, code) => {
      const make = () => new UnixReadPipeTransport(subject.current.loop, given as number, new NotingProtocol());
      expect((thrownBy(make) as { code: string }).code).toBe(code);
    });

    test('UNIX-045: a number of Node’s is closed, as an OwnedFd and a FileHandle are', async () => {
      const { loop } = subject.current;
      const [inner, innerFar] = pipe();
      const [owned, ownedFar] = pipe();
      const handle = await fs.promises.open('/dev/zero', 'r');
      const fds = [inner.detach(), owned.fileno(), handle.fd];
      const pipes = [fds[0], owned, handle];
      for (const given of pipes) {
        const transport = new UnixReadPipeTransport(loop, given, new NotingProtocol());
        expect(transport.getExtraInfo('pipe')).toBe(given);
        transport.close();
      }
      await subject.current.runOnce();
      // The handle is closed by Node, on a thread of its own.
      while (handle.fd >= 0) await new Promise((resolve) => setImmediate(resolve));
      expect(owned.fileno()).toBe(-1);
      expect(fds.slice(0, 2).map(isOpen)).toEqual([false, false]);
      for (const far of [innerFar, ownedFar]) far.close();
    });
  });

  describe('reading', () => {
    const subject = useLoop('sync');

    (hasSyscalls ? test : test.skip)('UNIX-027: one read of up to 256 KiB for each readiness', async () => {
      const F_SETPIPE_SZ = 1031;
      const { protocol, peer } = await readPipe(subject.current, new NotingProtocol());
      syscall('fcntl', peer.fileno(), F_SETPIPE_SZ, 1 << 19);
      fs.writeSync(peer.fileno(), Buffer.alloc(300_000));
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(protocol.events.slice(1)).toEqual([
        ['dataReceived', 262_144],
        ['dataReceived', 37_856],
      ]);
    });

    test('UNIX-027: readiness without data is ignored', async () => {
      const { loop } = subject.current;
      const { protocol: quick, fd, send } = await readPipe(subject.current, new NotingProtocol());
      const slow = new NotingProtocol();
      const second = new UnixReadPipeTransport(loop, new OwnedFd(check(binding.dup(fd), 'dup')), slow);
      subject.current.atEnd(() => second.close());
      await subject.current.runOnce();
      send('for one');
      // Both are ready; whoever is first takes it all.
      await subject.current.runOnce();
      expect([...quick.received, ...slow.received].map(String)).toEqual(['for one']);
      expect(second.isClosing()).toBe(false);
      send('again');
      await subject.current.runOnce();
      expect([...quick.received, ...slow.received].map(String)).toEqual(['for one', 'again']);
    });

    test('UNIX-027: an exception that is no OSError is not caught, and ends nothing', async () => {
      const { transport, protocol, send } = await readPipe(subject.current, new NotingProtocol());
      send('data');
      const readAt = jest.spyOn(binding, 'readAt').mockImplementationOnce(() => {
        throw new RangeError('no memory');
      });
      await subject.current.runOnce();
      readAt.mockRestore();
      expect(subject.current.takeContexts()).toEqual([
        expect.objectContaining({
          message: expect.stringMatching(/^Exception in callback/) as string,
          exception: expect.any(RangeError) as Error,
        }),
      ]);
      expect(transport.isClosing()).toBe(false);
      await subject.current.runOnce();
      expect(protocol.received.map(String)).toEqual(['data']);
    });

    test('a chunk is the protocol’s own: later reads do not change it', async () => {
      const { protocol, send } = await readPipe(subject.current, new NotingProtocol());
      for (const text of ['first', 'second', 'third'.repeat(1000)]) {
        send(text);
        await subject.current.runOnce();
      }
      expect(protocol.received.map(String)).toEqual(['first', 'second', 'third'.repeat(1000)]);
    });

    test('UNIX-029: an exception from dataReceived is reported, and the next data comes', async () => {
      let first = true;
      const protocol = new NotingProtocol({
        dataReceived: () => {
          if (!first) return;
          first = false;
          throw new Error('boom');
        },
      });
      const { transport, send } = await readPipe(subject.current, protocol);
      send('one');
      await subject.current.runOnce();
      const contexts = subject.current.takeContexts();
      send('two');
      await subject.current.runOnce();
      expect(contexts.map(({ message }) => message)).toEqual([expect.stringMatching(/^Exception in callback/)]);
      expect((contexts[0].exception as Error).message).toBe('boom');
      expect(protocol.received.map(String)).toEqual(['one', 'two']);
      expect(transport.isReading()).toBe(true);
    });
  });

  describe('the end', () => {
    const subject = useLoop('sync');

    test('UNIX-028: eofReceived and connectionLost(null) come in the next iteration, whatever eofReceived gives', async () => {
      const { transport, protocol, fd, peer } = await readPipe(
        subject.current,
        new NotingProtocol({ eofReceived: () => true }),
      );
      peer.close();
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade']);
      expect([transport.isClosing(), subject.current.loop._isWatched(fd, EVENT_READ)]).toEqual([true, false]);
      await subject.current.runOnce();
      expect(protocol.events.slice(1)).toEqual([['eofReceived'], ['connectionLost', null]]);
    });

    test('UNIX-028: connectionLost comes even if eofReceived throws', async () => {
      const protocol = new NotingProtocol({
        eofReceived: () => {
          throw new Error('boom');
        },
      });
      const { peer } = await readPipe(subject.current, protocol);
      peer.close();
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(subject.current.takeContexts()).toHaveLength(1);
      expect(protocol.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    });

    test('UNIX-028: a writer that sends and closes is heard to the end', async () => {
      const { protocol, peer, send } = await readPipe(subject.current, new NotingProtocol());
      send('last');
      peer.close();
      for (let turn = 0; turn < 3; turn++) await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'dataReceived', 'eofReceived', 'connectionLost']);
    });

    test('UNIX-028: in debug mode the end is logged at INFO', async () => {
      const { peer } = await readPipe(subject.current, new NotingProtocol());
      const levels: string[] = [];
      setLogReceiver((record) => levels.push(record.level));
      subject.current.loop.setDebug(true);
      peer.close();
      await subject.current.runOnce();
      subject.current.loop.setDebug(false);
      setLogReceiver(null);
      expect(levels).toContain('info');
    });

    test('UNIX-030: a connection that is reset goes to the handler, and is lost with the error', async () => {
      const { transport, protocol, fd, peer } = await readPipe(subject.current, new NotingProtocol(), 'socket');
      // What the peer has not read when it closes makes it a reset.
      fs.writeSync(fd, 'unread');
      peer.close();
      await subject.current.runOnce();
      const contexts = subject.current.takeContexts();
      await subject.current.runOnce();
      const lost = protocol.events.at(-1) as [string, { code: string }];
      if (isLinux) expect(lost[1].code).toBe('ECONNRESET');
      expect(contexts).toEqual([
        {
          message: 'Fatal read error on pipe transport',
          exception: lost[1],
          transport,
          protocol,
        },
      ]);
    });

    test('UNIX-030: an exception handler may close the transport that it is told of, which ends once', async () => {
      const { loop } = subject.current;
      const { protocol, fd, peer } = await readPipe(subject.current, new NotingProtocol(), 'socket');
      const told: unknown[] = [];
      loop.setExceptionHandler((_loop, { message, transport }) => {
        told.push(message);
        (transport as UnixReadPipeTransport | undefined)?.close();
      });
      fs.writeSync(fd, 'unread');
      peer.close();
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect([told, isOpen(fd)]).toEqual([['Fatal read error on pipe transport'], false]);
      expect(protocol.names().filter((name) => name === 'connectionLost')).toHaveLength(1);
    });

    (hasSyscalls ? test : test.skip)(
      'UNIX-030: the terminal that was closed is quiet, but for debug mode',
      async () => {
        for (const debug of [false, true]) {
          const { protocol, peer } = await readPipe(
            subject.current,
            new NotingProtocol(),
            'terminal, read at its master',
          );
          const records: string[] = [];
          setLogReceiver((record) => records.push(`${record.level} ${(record.error as { code: string }).code}`));
          subject.current.loop.setDebug(debug);
          peer.close();
          await subject.current.runOnce();
          await subject.current.runOnce();
          subject.current.loop.setDebug(false);
          setLogReceiver(null);
          expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
          expect(protocol.events[1]).toEqual(['connectionLost', expect.objectContaining({ code: 'EIO' })]);
          expect(records.filter((record) => record.endsWith('EIO'))).toEqual(debug ? ['debug EIO'] : []);
          expect(subject.current.takeContexts()).toEqual([]);
        }
      },
    );
  });

  describe('pausing', () => {
    const subject = useLoop('sync');

    test('UNIX-031: pause and resume, twice, without a complaint', async () => {
      const { transport, protocol, fd, send } = await readPipe(subject.current, new NotingProtocol());
      const reads = () => subject.current.loop._isWatched(fd, EVENT_READ);
      expect([transport.isReading(), reads()]).toEqual([true, true]);
      transport.pauseReading();
      transport.pauseReading();
      expect([transport.isReading(), reads()]).toEqual([false, false]);
      send('x');
      await subject.current.runOnce();
      expect(protocol.received).toEqual([]);
      transport.resumeReading();
      transport.resumeReading();
      await subject.current.runOnce();
      expect(protocol.received.map(String)).toEqual(['x']);
      transport.close();
      transport.pauseReading();
      transport.resumeReading();
      expect([transport.isReading(), reads()]).toEqual([false, false]);
    });

    test('UNIX-031: data that is ready in this very iteration does not come after pauseReading', async () => {
      const { transport, protocol, send } = await readPipe(subject.current, new NotingProtocol());
      send('x');
      subject.current.loop.callSoon(() => transport.pauseReading());
      await subject.current.runOnce();
      expect(protocol.received).toEqual([]);
    });

    test('UNIX-031: pause and resume are logged in debug mode', async () => {
      const { transport } = await readPipe(subject.current, new NotingProtocol());
      const records: string[] = [];
      setLogReceiver((record) => records.push(`${record.level} ${record.message}`));
      subject.current.loop.setDebug(true);
      transport.pauseReading();
      transport.resumeReading();
      subject.current.loop.setDebug(false);
      setLogReceiver(null);
      expect(records).toEqual([
        expect.stringMatching(/^debug <UnixReadPipeTransport .*pauses reading$/),
        expect.stringMatching(/^debug <UnixReadPipeTransport .*resumes reading$/),
      ]);
    });
  });

  describe('closing', () => {
    const subject = useLoop('sync');

    test('UNIX-032: close is heard of in the next iteration, once', async () => {
      const { transport, protocol, fd } = await readPipe(subject.current, new NotingProtocol());
      transport.close();
      transport.close();
      expect(transport.isClosing()).toBe(true);
      expect(protocol.names()).toEqual(['connectionMade']);
      await subject.current.runOnce();
      await subject.current.runOnce();
      transport.close();
      await subject.current.runOnce();
      expect(protocol.events.slice(1)).toEqual([['connectionLost', null]]);
      expect(isOpen(fd)).toBe(false);
    });

    test('UNIX-032: a close between the end and its news changes nothing', async () => {
      const { transport, protocol, peer } = await readPipe(subject.current, new NotingProtocol());
      peer.close();
      await subject.current.runOnce();
      transport.close();
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'eofReceived', 'connectionLost']);
    });

    test('UNIX-045: the pipe is closed after connectionLost was told, even if that throws', async () => {
      const seen: boolean[] = [];
      const near = new NodeEnd(fs.openSync('/dev/null', 'r'));
      const protocol = new NotingProtocol({
        connectionLost: () => {
          seen.push(near.isClosed);
          throw new Error('boom');
        },
      });
      new UnixReadPipeTransport(subject.current.loop, near, protocol).close();
      await subject.current.runOnce();
      expect(seen).toEqual([false]);
      expect(near.isClosed).toBe(true);
      expect(subject.current.takeContexts().map(({ exception }) => (exception as Error).message)).toEqual(['boom']);
    });

    test('an exception of the pipe’s close is reported, and the transport is closed all the same', async () => {
      const [near] = makePipe(subject.current);
      const pipeLike = {
        fileno: () => near.fileno(),
        close: () => {
          throw new Error('cannot close');
        },
      };
      const transport = new UnixReadPipeTransport(subject.current.loop, pipeLike, new NotingProtocol());
      transport.close();
      await subject.current.runOnce();
      expect(subject.current.takeContexts().map(({ exception }) => (exception as Error).message)).toEqual([
        'cannot close',
      ]);
      expect(transport.getProtocol()).toBe(null);
    });

    test('a close that fails later is logged', async () => {
      const [near] = makePipe(subject.current);
      const pipeLike = { fileno: () => near.fileno(), close: () => Promise.reject(new Error('cannot close')) };
      const records: string[] = [];
      setLogReceiver((record) => records.push(`${record.level} ${(record.error as Error).message}`));
      new UnixReadPipeTransport(subject.current.loop, pipeLike, new NotingProtocol()).close();
      await subject.current.runOnce();
      await new Promise((resolve) => setImmediate(resolve));
      setLogReceiver(null);
      expect(records).toEqual(['error cannot close']);
    });

    test('it shows its state', async () => {
      const { transport, fd } = await readPipe(subject.current, new NotingProtocol());
      const seen = [inspect(transport)];
      transport.pauseReading();
      seen.push(inspect(transport));
      transport.close();
      seen.push(inspect(transport));
      await subject.current.runOnce();
      seen.push(inspect(transport));
      expect(seen).toEqual([
        `<UnixReadPipeTransport fd=${fd} polling>`,
        `<UnixReadPipeTransport fd=${fd} idle>`,
        `<UnixReadPipeTransport closing fd=${fd} idle>`,
        `<UnixReadPipeTransport closed fd=${fd}>`,
      ]);
    });
  });
});
