// write-pipe-transport.test.ts: what a transport writes to pipes, sockets and terminals, and how it ends.

import * as fs from 'node:fs';
import { inspect } from 'node:util';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { AssertionError, BrokenPipeError, NotImplementedError, ValueError } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { Future } from '../../lib/futures/future';
import { binding } from '../../lib/native/binding';
import { UnixWritePipeTransport } from '../../lib/transports/write-pipe-transport';
import { thrownBy } from '../sockets/socket-kit';
import { forEveryLoop, useLoop } from '../support/loops';
import { isOpen, makePipe, NodeEnd, pipeKinds, writePipe, type PipeKind } from '../support/pipes';
import { NotingProtocol } from '../support/protocols';
import { hasSyscalls } from '../support/syscalls';
import { describeOnPosix } from '../support/systems';

/** More than a pipe has room for. */
const TOO_MUCH = 1 << 20;
/** The kinds whose writers learn that the reader is gone. */
const telling: PipeKind[] = ['pipe', 'fifo', 'socket'];

const again = -binding.errnoByName.EAGAIN;
const noSpace = -binding.errnoByName.ENOSPC;

describeOnPosix('write pipes', () => {
  afterEach(() => {
    jest.restoreAllMocks();
    setLogReceiver(null);
  });

  forEveryLoop((name, use) =>
    describe(name, () => {
      const subject = use();

      test.each(pipeKinds)('all that is written to a %s arrives, and then the end', async (kind) => {
        const { transport, protocol, fd, arrived } = await writePipe(subject.current, new NotingProtocol(), kind);
        const data = Buffer.from(`${'0123456789'.repeat(50)}\n`.repeat(kind.startsWith('terminal') ? 1 : 800));
        transport.write(data);
        transport.write(Buffer.from('last\n'));
        transport.close();
        const chunks: Buffer[] = [];
        await subject.current.runUntil(() => {
          chunks.push(arrived());
          return Buffer.concat(chunks).includes('last') && protocol.names().at(-1) === 'connectionLost';
        });
        expect(Buffer.concat(chunks).toString().replaceAll('\r', '')).toBe(`${data.toString()}last\n`);
        expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
        expect(isOpen(fd)).toBe(false);
      });

      test.each(telling)('UNIX-034: a writer to a %s learns that its reader is gone', async (kind) => {
        const { transport, protocol, peer, fd } = await writePipe(subject.current, new NotingProtocol(), kind);
        peer.close();
        await subject.current.runOnce();
        expect([transport.isClosing(), protocol.names()]).toEqual([true, ['connectionMade']]);
        await subject.current.runOnce();
        expect(protocol.events.slice(1)).toEqual([['connectionLost', null]]);
        expect(isOpen(fd)).toBe(false);
      });
    }),
  );

  describe('construction', () => {
    const subject = useLoop('sync');

    test.each(pipeKinds)('UNIX-024, UNIX-025: a %s is taken, and made non-blocking', (kind) => {
      const [, near] = makePipe(subject.current, kind);
      binding.setNonBlocking(near.fileno(), false);
      const transport = new UnixWritePipeTransport(subject.current.loop, near, new NotingProtocol());
      subject.current.atEnd(() => transport.close());
      expect(binding.getNonBlocking(near.fileno())).toBe(1);
      expect(transport.getExtraInfo('pipe')).toBe(near);
    });

    test('UNIX-024: a file is a ValueError; nobody is told, and the descriptor stays the caller’s', async () => {
      const fd = fs.openSync(__filename, 'r');
      const protocol = new NotingProtocol();
      const error = thrownBy(() => new UnixWritePipeTransport(subject.current.loop, fd, protocol));
      await subject.current.runOnce();
      expect(error).toBeInstanceOf(ValueError);
      expect(protocol.events).toEqual([]);
      expect(binding.getNonBlocking(fd)).toBe(0);
      fs.closeSync(fd);
    });

    test('UNIX-033: connectionMade, then the look at the reader, then the waiter', async () => {
      const { loop } = subject.current;
      const order: unknown[] = [];
      const [far, near] = makePipe(subject.current);
      const watched = () => loop._isWatched(near.fileno(), EVENT_READ);
      const protocol = new NotingProtocol({ connectionMade: () => order.push(['connectionMade', watched()]) });
      const waiter = new Future<void>(loop);
      jest.spyOn(waiter, 'setResult').mockImplementation(() => order.push(['waiter', watched()]));
      const transport = new UnixWritePipeTransport(loop, near, protocol, waiter);
      far.close();
      await subject.current.runOnce();
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(order).toEqual([
        ['connectionMade', false],
        ['waiter', true],
      ]);
      expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
      expect(transport.isClosing()).toBe(true);
    });

    test('what is closed in connectionMade is watched for nothing', async () => {
      const protocol = new NotingProtocol({ connectionMade: (transport) => transport.close() });
      const { fd, peer } = await writePipe(subject.current, protocol);
      expect(subject.current.loop._isWatched(fd, EVENT_READ)).toBe(false);
      peer.close();
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
      expect(isOpen(fd)).toBe(false);
    });

    test.each(pipeKinds)('UNIX-033: whether the reader of a %s is looked at', async (kind) => {
      const { fd } = await writePipe(subject.current, new NotingProtocol(), kind);
      expect(subject.current.loop._isWatched(fd, EVENT_READ)).toBe(telling.includes(kind));
    });

    test('UNIX-033: a device that cannot be watched can be written to', async () => {
      const protocol = new NotingProtocol();
      const transport = new UnixWritePipeTransport(
        subject.current.loop,
        new NodeEnd(fs.openSync('/dev/null', 'w')),
        protocol,
      );
      transport.write(Buffer.alloc(TOO_MUCH));
      expect(transport.getWriteBufferSize()).toBe(0);
      transport.close();
      await subject.current.runOnce();
      expect(protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    });

    test('reading is not its business', async () => {
      const { transport } = await writePipe(subject.current, new NotingProtocol());
      for (const call of ['pauseReading', 'resumeReading', 'isReading'] as const) {
        expect(thrownBy(() => transport[call]())).toBeInstanceOf(NotImplementedError);
      }
    });
  });

  describe('the reader', () => {
    const subject = useLoop('sync');

    test.each(telling)('UNIX-034: when it goes with data on its way to a %s, that is a broken pipe', async (kind) => {
      const { transport, protocol, peer } = await writePipe(subject.current, new NotingProtocol(), kind);
      transport.write(Buffer.alloc(TOO_MUCH));
      peer.close();
      await subject.current.runOnce();
      expect(transport.getWriteBufferSize()).toBe(0);
      await subject.current.runOnce();
      expect(protocol.events.at(-1)).toEqual(['connectionLost', expect.any(BrokenPipeError)]);
      expect((protocol.events.at(-1)?.[1] as { code: string }).code).toBe('EPIPE');
      expect(subject.current.takeContexts()).toEqual([]);
    });

    test('UNIX-034: bytes that come back from a socket count as its being gone', async () => {
      const { protocol, peer } = await writePipe(subject.current, new NotingProtocol(), 'socket');
      fs.writeSync(peer.fileno(), 'answer');
      await subject.current.runOnce();
      await subject.current.runOnce();
      expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('UNIX-034: in debug mode its going is logged at INFO', async () => {
      const { peer } = await writePipe(subject.current, new NotingProtocol());
      const levels: string[] = [];
      setLogReceiver((record) => levels.push(record.level));
      subject.current.loop.setDebug(true);
      peer.close();
      await subject.current.runOnce();
      subject.current.loop.setDebug(false);
      expect(levels).toContain('info');
    });

    (hasSyscalls ? test : test.skip)('UNIX-033, UNIX-038: of a terminal only the next write tells', async () => {
      const { transport, protocol, peer } = await writePipe(
        subject.current,
        new NotingProtocol(),
        'terminal, read at its master',
      );
      peer.close();
      await subject.current.runOnce();
      expect(transport.isClosing()).toBe(false);
      transport.write(Buffer.from('x'));
      await subject.current.runOnce();
      expect(protocol.events.at(-1)).toEqual(['connectionLost', expect.objectContaining({ code: 'EIO' })]);
    });
  });

  describe('writing', () => {
    const subject = useLoop('sync');

    test.each([['text'], [null], [undefined], [5], [[1, 2]], [new ArrayBuffer(2)], [new Uint16Array(2)]])(
      'UNIX-035: %p is an AssertionError, also on a closed pipe',
      async (data) => {
        const { transport } = await writePipe(subject.current, new NotingProtocol());
        expect(thrownBy(() => transport.write(data as never))).toBeInstanceOf(AssertionError);
        transport.close();
        expect(thrownBy(() => transport.write(data as never))).toBeInstanceOf(AssertionError);
      },
    );

    test('UNIX-036: after close and writeEof further writes are dropped while the rest is sent', async () => {
      for (const end of ['close', 'writeEof'] as const) {
        const { transport, protocol, arrived } = await writePipe(subject.current, new NotingProtocol());
        transport.write(Buffer.alloc(TOO_MUCH, 'a'));
        transport[end]();
        const size = transport.getWriteBufferSize();
        transport.write(Buffer.from('late'));
        expect(transport.getWriteBufferSize()).toBe(size);
        const chunks: Buffer[] = [];
        await subject.current.runUntil(() => {
          chunks.push(arrived());
          return protocol.names().at(-1) === 'connectionLost';
        });
        chunks.push(arrived());
        expect(Buffer.concat(chunks).equals(Buffer.alloc(TOO_MUCH, 'a'))).toBe(true);
      }
    });

    test('UNIX-036: dropped writes are counted, and warned of from the sixth on; empty ones do not count', async () => {
      const { transport } = await writePipe(subject.current, new NotingProtocol());
      transport.close();
      const levels: string[] = [];
      setLogReceiver((record) => levels.push(record.level));
      for (let write = 1; write <= 7; write++) {
        transport.write(Buffer.alloc(0));
        transport.write(Buffer.from('late'));
        expect(levels).toEqual(write < 6 ? [] : write === 6 ? ['warning'] : ['warning', 'warning']);
      }
    });

    test('UNIX-037: an empty buffer is written around at once, the rest is copied', async () => {
      const { transport, fd, arrived } = await writePipe(subject.current, new NotingProtocol());
      transport.write(Buffer.from('at once'));
      expect(arrived().toString()).toBe('at once');
      const data = Buffer.alloc(TOO_MUCH, 'a');
      transport.write(data);
      const rest = transport.getWriteBufferSize();
      expect(rest).toBeGreaterThan(0);
      expect(rest).toBeLessThan(TOO_MUCH);
      expect(subject.current.loop._isWatched(fd, EVENT_WRITE)).toBe(true);
      data.fill('b');
      transport.write(Buffer.from('end'));
      expect(transport.getWriteBufferSize()).toBe(rest + 3);
      const chunks: Buffer[] = [];
      await subject.current.runUntil(() => {
        chunks.push(arrived());
        return transport.getWriteBufferSize() === 0;
      });
      chunks.push(arrived());
      expect(Buffer.concat(chunks).toString()).toBe(`${'a'.repeat(TOO_MUCH)}end`);
      expect(subject.current.loop._isWatched(fd, EVENT_WRITE)).toBe(false);
    });

    test('UNIX-037: writelines is one write of all pieces', async () => {
      const { transport, arrived } = await writePipe(subject.current, new NotingProtocol());
      const writeFrom = jest.spyOn(binding, 'writeFrom');
      transport.writelines([Buffer.from('one '), new Uint8Array(0), Buffer.from('two')]);
      expect(writeFrom).toHaveBeenCalledTimes(1);
      expect(arrived().toString()).toBe('one two');
    });

    test('UNIX-037: a pipe that takes nothing now gets it later', async () => {
      const { transport, arrived } = await writePipe(subject.current, new NotingProtocol());
      jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again).mockReturnValueOnce(again);
      transport.write(Buffer.from('data'));
      await subject.current.runOnce();
      expect([transport.getWriteBufferSize(), arrived().toString()]).toEqual([4, '']);
      await subject.current.runOnce();
      expect([transport.getWriteBufferSize(), arrived().toString()]).toEqual([0, 'data']);
    });

    test('UNIX-038: an error of a write ends the connection, quietly but for debug mode', async () => {
      for (const debug of [false, true]) {
        const { transport, protocol, peer } = await writePipe(subject.current, new NotingProtocol());
        const records: unknown[] = [];
        setLogReceiver((record) => records.push([record.level, (record.error as { code?: string } | undefined)?.code]));
        peer.close();
        subject.current.loop.setDebug(debug);
        transport.write(Buffer.from('x'));
        subject.current.loop.setDebug(false);
        expect([transport.isClosing(), transport.getWriteBufferSize()]).toEqual([true, 0]);
        // It is counted: four more go by, and the fifth is warned of.
        for (let write = 0; write < 5; write++) transport.write(Buffer.from('late'));
        await subject.current.runOnce();
        expect(protocol.events.slice(1)).toEqual([['connectionLost', expect.any(BrokenPipeError)]]);
        expect(records).toEqual([...(debug ? [['debug', 'EPIPE']] : []), ['warning', undefined]]);
        expect(subject.current.takeContexts()).toEqual([]);
      }
    });

    test('UNIX-038: an error of a later write drops the rest', async () => {
      const { transport, protocol, fd } = await writePipe(subject.current, new NotingProtocol());
      jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again).mockReturnValueOnce(noSpace);
      transport.write(Buffer.from('data'));
      await subject.current.runOnce();
      expect([transport.getWriteBufferSize(), transport.isClosing()]).toEqual([0, true]);
      expect([EVENT_READ, EVENT_WRITE].map((event) => subject.current.loop._isWatched(fd, event))).toEqual([
        false,
        false,
      ]);
      await subject.current.runOnce();
      expect(protocol.events.slice(1)).toEqual([['connectionLost', expect.objectContaining({ code: 'ENOSPC' })]]);
    });

    test('UNIX-039: readiness makes one write of the whole buffer', async () => {
      const { transport, arrived } = await writePipe(subject.current, new NotingProtocol());
      const writeFrom = jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again);
      for (const text of ['one ', 'two ', 'three']) transport.write(Buffer.from(text));
      await subject.current.runOnce();
      expect(writeFrom.mock.calls.map(([, data]) => data.length)).toEqual([4, 13]);
      expect(arrived().toString()).toBe('one two three');
    });

    test('UNIX-039: with the last byte the protocol is resumed, and a closing transport is lost in the same step', async () => {
      const steps: unknown[] = [];
      const protocol = new NotingProtocol();
      const { transport, fd } = await writePipe(subject.current, protocol);
      transport.setWriteBufferLimits(2, 1);
      jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again);
      transport.write(Buffer.from('data'));
      transport.close();
      subject.current.loop.callSoon(() => steps.push(protocol.names()));
      await subject.current.runOnce();
      expect(steps).toEqual([['connectionMade', 'pauseWriting']]);
      expect(protocol.events.slice(1)).toEqual([['pauseWriting'], ['resumeWriting'], ['connectionLost', null]]);
      expect(isOpen(fd)).toBe(false);
    });

    test('UNIX-040: a part that goes out resumes nobody, however little is left', async () => {
      const { transport, protocol } = await writePipe(subject.current, new NotingProtocol());
      transport.setWriteBufferLimits(1000, 500);
      const writeFrom = jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again).mockReturnValueOnce(1990);
      transport.write(Buffer.alloc(2000));
      await subject.current.runOnce();
      expect([transport.getWriteBufferSize(), protocol.names()]).toEqual([10, ['connectionMade', 'pauseWriting']]);
      await subject.current.runOnce();
      expect(writeFrom).toHaveBeenCalledTimes(3);
      expect(protocol.names()).toEqual(['connectionMade', 'pauseWriting', 'resumeWriting']);
    });

    test('what resumeWriting writes before it closes is written', async () => {
      const protocol = new NotingProtocol({
        resumeWriting: (transport) => {
          transport.write(Buffer.from('more'));
          transport.close();
        },
      });
      const { transport, arrived } = await writePipe(subject.current, protocol);
      transport.setWriteBufferLimits(2, 1);
      jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again).mockReturnValueOnce(4).mockReturnValueOnce(again);
      transport.write(Buffer.from('data'));
      await subject.current.runOnce();
      expect([transport.getWriteBufferSize(), protocol.names().at(-1)]).toEqual([4, 'pauseWriting']);
      await subject.current.runOnce();
      expect([arrived().toString(), protocol.names().at(-1)]).toEqual(['more', 'connectionLost']);
    });

    test('UNIX-043: the marks are 64 KiB and 16 KiB, and can be set', async () => {
      const { transport, protocol } = await writePipe(subject.current, new NotingProtocol());
      expect(transport.getWriteBufferLimits()).toEqual([16_384, 65_536]);
      const writeFrom = jest.spyOn(binding, 'writeFrom').mockReturnValue(again);
      transport.write(Buffer.alloc(65_536));
      expect(protocol.names()).toEqual(['connectionMade']);
      transport.write(Buffer.alloc(1));
      expect(protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
      transport.setWriteBufferLimits(100);
      expect(transport.getWriteBufferLimits()).toEqual([25, 100]);
      writeFrom.mockRestore();
    });
  });

  describe('closing', () => {
    const subject = useLoop('sync');

    test.each(['close', 'writeEof'] as const)('UNIX-041: %s is heard of in the next iteration, once', async (end) => {
      const { transport, protocol, fd, peer } = await writePipe(subject.current, new NotingProtocol());
      expect(transport.canWriteEof()).toBe(true);
      transport[end]();
      transport.close();
      transport.writeEof();
      expect([transport.isClosing(), protocol.names()]).toEqual([true, ['connectionMade']]);
      expect(subject.current.loop._isWatched(fd, EVENT_READ)).toBe(false);
      await subject.current.runOnce();
      transport[end]();
      await subject.current.runOnce();
      expect(protocol.events.slice(1)).toEqual([['connectionLost', null]]);
      expect(isOpen(fd)).toBe(false);
      expect(fs.readSync(peer.fileno(), Buffer.alloc(1))).toBe(0);
    });

    test('UNIX-042: abort drops the data; a second one, or one after close, changes nothing', async () => {
      for (const first of ['abort', 'close', 'writeEof'] as const) {
        const { transport, protocol, fd, arrived } = await writePipe(subject.current, new NotingProtocol());
        jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again);
        transport.write(Buffer.from('data'));
        transport[first]();
        transport.abort();
        expect(transport.getWriteBufferSize()).toBe(0);
        transport.abort();
        await subject.current.runOnce();
        transport.abort();
        await subject.current.runOnce();
        expect(protocol.events.slice(1)).toEqual([['connectionLost', null]]);
        expect([arrived().length, isOpen(fd)]).toEqual([0, false]);
      }
    });

    test('an abort or a close in resumeWriting is heard of once, after it', async () => {
      for (const end of ['abort', 'close'] as const) {
        const seen: number[] = [];
        const protocol: NotingProtocol = new NotingProtocol({
          resumeWriting: (transport) => {
            transport[end]();
            seen.push(protocol.names().length);
          },
        });
        const { transport } = await writePipe(subject.current, protocol);
        transport.setWriteBufferLimits(2, 1);
        jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again);
        transport.write(Buffer.from('data'));
        await subject.current.runOnce();
        await subject.current.runOnce();
        expect(protocol.names()).toEqual(['connectionMade', 'pauseWriting', 'resumeWriting', 'connectionLost']);
        expect(seen).toEqual([3]);
      }
    });

    test('UNIX-045: the pipe is closed after connectionLost was told, even if that throws', async () => {
      const seen: boolean[] = [];
      const near = new NodeEnd(fs.openSync('/dev/null', 'w'));
      const protocol = new NotingProtocol({
        connectionLost: () => {
          seen.push(near.isClosed);
          throw new Error('boom');
        },
      });
      new UnixWritePipeTransport(subject.current.loop, near, protocol).abort();
      await subject.current.runOnce();
      expect([seen, near.isClosed]).toEqual([[false], true]);
      expect(subject.current.takeContexts().map(({ exception }) => (exception as Error).message)).toEqual(['boom']);
    });

    test('connectionLost is told to the protocol of then, and nothing after it', async () => {
      const { transport, protocol } = await writePipe(subject.current, new NotingProtocol());
      const second = new NotingProtocol();
      transport.setProtocol(second);
      transport.close();
      await subject.current.runOnce();
      transport.setWriteBufferLimits(0);
      transport.write(Buffer.from('late'));
      expect([protocol.names(), second.names()]).toEqual([['connectionMade'], ['connectionLost']]);
      expect(transport.getProtocol()).toBe(null);
    });

    test('it shows its state', async () => {
      const { transport, fd } = await writePipe(subject.current, new NotingProtocol());
      const seen = [inspect(transport)];
      jest.spyOn(binding, 'writeFrom').mockReturnValueOnce(again);
      transport.write(Buffer.from('data'));
      seen.push(inspect(transport));
      transport.close();
      seen.push(inspect(transport));
      transport.abort();
      await subject.current.runOnce();
      seen.push(inspect(transport));
      expect(seen).toEqual([
        `<UnixWritePipeTransport fd=${fd} idle bufsize=0>`,
        `<UnixWritePipeTransport fd=${fd} polling bufsize=4>`,
        `<UnixWritePipeTransport closing fd=${fd} polling bufsize=4>`,
        `<UnixWritePipeTransport closed fd=${fd}>`,
      ]);
    });
  });
});
