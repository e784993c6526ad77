// stream-writing.test.ts: write, writelines, writeEof and flow control of a stream transport.

import { BlockingIOError, ConnectionError, KeyboardInterrupt } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { EVENT_WRITE } from '../../lib/base/constants';
import { detach } from '../support/detach';
import { again, interrupted, systemError } from '../support/errors';
import { useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { wire, type Wired } from '../support/transports';

const broken = (): Error => systemError('EPIPE', 'broken');

describe('writing', () => {
  const subject = useLoop('sync');
  let wired: Wired<NotingProtocol>;

  const rewire = async (protocol = new NotingProtocol()): Promise<Wired<NotingProtocol>> => {
    wired = await wire(subject.current, protocol);
    return wired;
  };
  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const watched = (): boolean => subject.current.loop._isWatched(wired.transport._sockFd, EVENT_WRITE);

  beforeEach(() => rewire().then(() => undefined));
  afterEach(() => {
    setLogReceiver(null);
  });

  describe('write', () => {
    test.each(['text', 5, null, undefined, [1, 2], new ArrayBuffer(3), new Uint16Array(2), {}])(
      'TCP-036: %p is refused with a TypeError that names its type',
      (data) => {
        expect(() => wired.transport.write(data as Uint8Array)).toThrow(
          expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }),
        );
        expect(wired.sock.calls).toEqual([]);
      },
    );

    test('TCP-035: the type is looked at first, then writeEof, then emptiness', () => {
      wired.transport.writeEof();
      expect(() => wired.transport.write('text' as never)).toThrow(TypeError);
      expect(() => wired.transport.write(new Uint8Array(0))).toThrow(
        expect.objectContaining({ code: 'ERR_WRITE_AFTER_EOF' }),
      );
    });

    test('TCP-037, TCP-038: after writeEof, and during sendfile, writing is a RuntimeError', () => {
      wired.transport._makeEmptyWaiter();
      const busy = expect.objectContaining({ name: 'RuntimeError', code: 'ERR_SENDFILE_IN_PROGRESS' });
      expect(() => wired.transport.write(Buffer.from('x'))).toThrow(busy);
      expect(() => wired.transport.writelines([Buffer.from('x')])).toThrow(busy);
      wired.transport._resetEmptyWaiter();
      wired.transport.writeEof();
      const ended = expect.objectContaining({ name: 'RuntimeError', code: 'ERR_WRITE_AFTER_EOF' });
      expect(() => wired.transport.write(Buffer.from('x'))).toThrow(ended);
      expect(() => wired.transport.writelines([])).toThrow(ended);
    });

    test('TCP-039: empty data does nothing', () => {
      wired.transport.write(new Uint8Array(0));
      expect([wired.sock.calls, wired.transport.getWriteBufferSize()]).toEqual([[], 0]);
    });

    test('TCP-043: what the system takes at once leaves nothing behind', () => {
      wired.transport.write(Buffer.from('at once'));
      expect(wired.arrived().toString()).toBe('at once');
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([0, false]);
    });

    test('TCP-044: the tail of a partial send is kept as a view, and sent when the descriptor is ready', async () => {
      wired.sock.script.send.push(3);
      const data = Buffer.from('partial');
      wired.transport.write(data);
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([4, true]);
      expect(wired.transport._buffer[0].buffer).toBe(data.buffer);
      await iterate();
      expect(wired.arrived().toString()).toBe('partial');
      expect(watched()).toBe(false);
    });

    test.each([again(), interrupted()])('TCP-045, TCP-022: on %p the object itself is kept', async (error) => {
      wired.sock.script.send.push(error);
      const data = Buffer.from('kept');
      wired.transport.write(data);
      expect(wired.transport._buffer[0]).toBe(data);
      await iterate();
      expect(wired.arrived().toString()).toBe('kept');
    });

    test('TCP-046: behind buffered data a write only queues', () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('a'));
      wired.transport.write(Buffer.from('b'));
      expect(wired.sock.calls).toEqual(['send 1']);
      expect(wired.transport.getWriteBufferSize()).toBe(2);
    });

    test('TCP-047: buffered data is not copied: a change made after write is sent', async () => {
      wired.sock.script.send.push(again());
      const data = Buffer.from('aaaa');
      wired.transport.write(data);
      data.fill('b');
      await iterate();
      expect(wired.arrived().toString()).toBe('bbbb');
    });

    test('TCP-048: an error of the first send ends the connection; write itself returns', async () => {
      const error = broken();
      wired.sock.script.send.push(error);
      wired.transport.write(Buffer.from('x'));
      await iterate();
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', error]);
      expect(subject.current.takeContexts()).toEqual([]);
    });

    test('TCP-048, TCP-028: an error that is not the system’s is reported', async () => {
      const error = new Error('odd');
      wired.sock.script.send.push(error);
      wired.transport.write(Buffer.from('x'));
      await iterate();
      expect(subject.current.takeContexts()[0]).toMatchObject({
        exception: error,
        message: expect.stringContaining('write'),
      });
    });

    test('TCP-048: the fatal pair leaves write', () => {
      wired.sock.script.send.push(new KeyboardInterrupt());
      expect(() => wired.transport.write(Buffer.from('x'))).toThrow(KeyboardInterrupt);
    });

    test('TCP-040, TCP-041: after a close writes are dropped, with a warning from the fifth on', () => {
      const warnings: string[] = [];
      setLogReceiver((record) => warnings.push(record.level));
      wired.transport.close();
      for (let index = 0; index < 4; index++) wired.transport.write(Buffer.from('x'));
      expect(warnings).toEqual([]);
      wired.transport.write(Buffer.from('x'));
      wired.transport.write(Buffer.from('x'));
      expect(warnings).toEqual(['warning', 'warning']);
      expect(wired.sock.calls).toEqual([]);
    });

    test('TCP-042, TCP-083, TR-018: a write after close is taken while older data is still buffered', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('old '));
      wired.transport.close();
      wired.transport.write(Buffer.from('new'));
      expect(wired.transport._connLost).toBe(0);
      await iterate();
      expect(wired.arrived().toString()).toBe('old new');
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });
  });

  describe('write readiness', () => {
    test('TCP-051, TCP-052: at most 1024 chunks go out with one readiness', async () => {
      wired.sock.script.send.push(again());
      for (let index = 0; index < 3000; index++) wired.transport.write(Buffer.from('x'));
      wired.sock.calls.length = 0;
      const sizes: number[] = [];
      while (wired.transport.getWriteBufferSize() > 0) {
        await iterate();
        sizes.push(wired.arrived().length);
      }
      expect(sizes).toEqual([1024, 1024, 952]);
      expect(wired.sock.calls).toEqual(['sendmsg 1024', 'sendmsg 1024', 'sendmsg 952']);
    });

    test('TCP-053: chunks that are sent are dropped, one that is sent in part keeps its tail', async () => {
      wired.sock.script.send.push(again(), 5);
      for (const text of ['abc', 'defg', 'h']) wired.transport.write(Buffer.from(text));
      await iterate();
      expect(wired.transport._buffer.map((chunk) => Buffer.from(chunk).toString())).toEqual(['fg', 'h']);
      expect(wired.transport.getWriteBufferSize()).toBe(3);
    });

    test('TCP-054: a send that takes nothing leaves the buffer as it is', async () => {
      wired.sock.script.send.push(again(), 0);
      wired.transport.write(Buffer.from('abc'));
      await iterate();
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([3, true]);
    });

    test('TCP-056: would-block changes nothing', async () => {
      wired.sock.script.send.push(again(), again());
      wired.transport.write(Buffer.from('abc'));
      await iterate();
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([3, true]);
      await iterate();
      expect(wired.arrived().toString()).toBe('abc');
    });

    test('TCP-055: nothing is sent once the connection is given up', () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      wired.sock.calls.length = 0;
      wired.transport.abort();
      wired.transport._writeReady();
      expect(wired.sock.calls).toEqual([]);
    });

    test('TCP-057, TCP-050: a socket without sendmsg sends one chunk with each readiness', async () => {
      wired.sock.script.send.push(again());
      Object.defineProperty(wired.sock, 'sendmsg', { value: undefined });
      for (const text of ['abc', 'defg']) wired.transport.write(Buffer.from(text));
      wired.sock.calls.length = 0;
      await iterate(2);
      expect(wired.sock.calls).toEqual(['send 3', 'send 4']);
      expect(wired.arrived().toString()).toBe('abcdefg');
    });

    test('TCP-058: in that way, would-block loses no chunk', async () => {
      wired.sock.script.send.push(again(), again());
      Object.defineProperty(wired.sock, 'sendmsg', { value: undefined });
      for (const text of ['abc', 'defg']) wired.transport.write(Buffer.from(text));
      await iterate(3);
      expect(wired.arrived().toString()).toBe('abcdefg');
    });

    test('TCP-059: an error drops the buffer and the writer, ends the connection and fails the sendfile waiter', async () => {
      const error = broken();
      wired.sock.script.send.push(again(), error);
      wired.transport.write(Buffer.from('abc'));
      const waiter = wired.transport._makeEmptyWaiter();
      await iterate();
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([0, false]);
      expect(waiter.exception()).toBe(error);
      await iterate();
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', error]);
    });

    test('TCP-060: the protocol may write from resumeWriting, and that counts before the end', async () => {
      const protocol = new NotingProtocol({
        resumeWriting: (transport) => {
          wired.sock.script.send.push(again());
          transport.write(Buffer.from(' more'));
        },
      });
      await rewire(protocol);
      wired.transport.setWriteBufferLimits(2);
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('first'));
      wired.transport.close();
      await iterate();
      expect(protocol.names()).toEqual(['connectionMade', 'pauseWriting', 'resumeWriting', 'pauseWriting']);
      await iterate();
      expect(wired.arrived().toString()).toBe('first more');
    });

    test('TCP-062: what resumeWriting writes while closing is sent, also in parts, and the connection ends', async () => {
      let written = false;
      const protocol = new NotingProtocol({
        resumeWriting: (transport) => {
          if (written) return;
          written = true;
          wired.sock.script.send.push(2);
          transport.write(Buffer.from('late data'));
        },
      });
      await rewire(protocol);
      wired.transport.setWriteBufferLimits(2);
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('first '));
      wired.transport.close();
      await iterate(3);
      expect(wired.arrived().toString()).toBe('first late data');
      expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('TCP-061, TR-019: the last byte of a closing transport brings connectionLost in the same callback', async () => {
      const { loop } = subject.current;
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      wired.transport.close();
      loop.callSoon(() => undefined);
      await iterate();
      expect(wired.protocol.names()).toEqual(['connectionMade', 'connectionLost']);
    });
  });

  describe('writeEof', () => {
    test('TCP-063, TCP-064, TCP-066: shuts the sending side down, keeps reading, and may be called again', async () => {
      expect(wired.transport.canWriteEof()).toBe(true);
      wired.transport.writeEof();
      wired.transport.writeEof();
      expect(wired.peer.recv(10)).toHaveLength(0);
      wired.peer.send(Buffer.from('answer'));
      await iterate();
      expect(wired.protocol.received.map(String)).toEqual(['answer']);
      expect(wired.transport.isClosing()).toBe(false);
    });

    test('TCP-063: waits for the buffer', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      wired.transport.writeEof();
      expect(() => wired.peer.recv(10)).toThrow(BlockingIOError);
      await iterate();
      expect(wired.peer.recv(10).toString()).toBe('abc');
      expect(wired.peer.recv(10)).toHaveLength(0);
    });

    test('TCP-063: does nothing while closing', () => {
      wired.transport.close();
      wired.transport.writeEof();
      expect(wired.transport._eof).toBe(false);
    });

    test('TCP-065: a close before the buffer is empty wins', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      wired.transport.writeEof();
      const shutdown = jest.spyOn(wired.sock, 'shutdown');
      wired.transport.close();
      await iterate();
      expect(shutdown).not.toHaveBeenCalled();
      expect(wired.arrived().toString()).toBe('abc');
    });

    test('TCP-067: an error of shutdown leaves writeEof', () => {
      const error = broken();
      jest.spyOn(wired.sock, 'shutdown').mockImplementation(() => {
        throw error;
      });
      expect(() => wired.transport.writeEof()).toThrow(error);
    });
  });

  describe('writelines', () => {
    test('TCP-071: queues every piece and tries at once, also behind buffered data', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('a'));
      wired.transport.writelines([Buffer.from('b'), Buffer.from('c')]);
      expect(wired.sock.calls).toEqual(['send 1', 'sendmsg 3']);
      expect(wired.arrived().toString()).toBe('abc');
      expect(wired.transport.getWriteBufferSize()).toBe(0);
      await iterate();
      expect(watched()).toBe(false);
    });

    test('TLS-039: what TLS hands over in pieces is one write: behind buffered data nothing is tried', async () => {
      wired.transport._writeTogether([Buffer.from('a'), Buffer.from('b')]);
      expect(wired.sock.calls).toEqual(['sendmsg 2']);
      wired.sock.script.send.push(again());
      wired.transport._writeTogether([Buffer.from('c')]);
      wired.transport._writeTogether([Buffer.from('d'), Buffer.from('e')]);
      expect(wired.sock.calls.slice(1)).toEqual(['send 1']);
      expect(wired.transport.getWriteBufferSize()).toBe(3);
      await iterate();
      expect(wired.arrived().toString()).toBe('abcde');
    });

    test('TCP-071: what remains is sent when the descriptor is ready', async () => {
      wired.sock.script.send.push(2);
      wired.transport.writelines([Buffer.from('abc'), Buffer.from('d')]);
      expect([wired.transport.getWriteBufferSize(), watched()]).toEqual([2, true]);
      await iterate();
      expect(wired.arrived().toString()).toBe('abcd');
    });

    test('TCP-069: a piece that is no bytes is a TypeError, and nothing is queued', () => {
      for (const chunks of [[Buffer.from('a'), 'text'], Buffer.from('bytes')]) {
        expect(() => wired.transport.writelines(chunks as never)).toThrow(TypeError);
      }
      expect([wired.transport.getWriteBufferSize(), wired.sock.calls]).toEqual([0, []]);
    });

    test('TCP-068, TCP-070: nothing to send is no call; a generator will do', () => {
      wired.transport.writelines([]);
      wired.transport.writelines(null as never);
      expect(wired.sock.calls).toEqual([]);
      wired.transport.writelines(
        (function* () {
          yield Buffer.from('a');
          yield Buffer.from('b');
        })(),
      );
      expect(wired.arrived().toString()).toBe('ab');
    });

    test('TCP-072: counts for flow control', () => {
      wired.transport.setWriteBufferLimits(2);
      wired.sock.script.send.push(again());
      wired.transport.writelines([Buffer.from('abc'), Buffer.from('d')]);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
    });

    test('TCP-073: an empty piece is left out, and close completes', async () => {
      wired.transport.writelines([new Uint8Array(0), Buffer.from('a'), new Uint8Array(0)]);
      expect(wired.transport.getWriteBufferSize()).toBe(0);
      wired.transport.close();
      await iterate();
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });

    test('TCP-074, TCP-075, TCP-076: after close or abort it is dropped without a word, and nothing stays watched', async () => {
      const warnings: string[] = [];
      setLogReceiver((record) => warnings.push(record.level));
      wired.transport.abort();
      for (let index = 0; index < 8; index++) wired.transport.writelines([Buffer.from('x')]);
      expect([wired.transport.getWriteBufferSize(), watched(), warnings]).toEqual([0, false, []]);
      await iterate();
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', null]);
    });
  });

  describe('flow control', () => {
    test('TR-037: the marks are 64 KiB and 16 KiB, told as low and high', () => {
      expect(wired.transport.getWriteBufferLimits()).toEqual([16384, 65536]);
    });

    test.each([
      [undefined, undefined, [16384, 65536]],
      [undefined, 100, [100, 400]],
      [100, undefined, [25, 100]],
      [0, undefined, [0, 0]],
      [undefined, 0, [0, 0]],
      [3, undefined, [0, 3]],
      [7, 5, [5, 7]],
    ])('TR-038, TR-039: setWriteBufferLimits(%p, %p) gives %p', (high, low, limits) => {
      wired.transport.setWriteBufferLimits(high, low);
      expect(wired.transport.getWriteBufferLimits()).toEqual(limits);
    });

    test('TR-038: a low mark above the high one, or below 0, is a ValueError', () => {
      for (const [high, low] of [
        [1, 2],
        [5, -1],
        [-1, -2],
        [NaN, 1],
      ]) {
        expect(() => wired.transport.setWriteBufferLimits(high, low)).toThrow(
          expect.objectContaining({ name: 'ValueError' }),
        );
      }
    });

    test.each(['5', true, 10n, {}])('TR-038: a mark that is %p is a TypeError', (mark) => {
      const refused = expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
      expect(() => wired.transport.setWriteBufferLimits(mark as number)).toThrow(refused);
      expect(() => wired.transport.setWriteBufferLimits(null, mark as number)).toThrow(refused);
      expect(wired.transport.getWriteBufferLimits()).toEqual([16384, 65536]);
    });

    test('TR-036, TR-041, TR-042, TR-043, TCP-049: pause strictly above high, once; resume at low; at once', async () => {
      wired.transport.setWriteBufferLimits(4, 2);
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('1234'));
      expect(wired.protocol.names()).toEqual(['connectionMade']);
      wired.transport.write(Buffer.from('5'));
      wired.transport.write(Buffer.from('6'));
      expect(wired.transport.getWriteBufferSize()).toBe(6);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
      wired.sock.script.send.push(3);
      await iterate();
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
      wired.sock.script.send.push(1);
      await iterate();
      expect(wired.transport.getWriteBufferSize()).toBe(2);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting', 'resumeWriting']);
    });

    test('TR-040: lower marks pause at once, higher ones do not resume', () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('1234'));
      wired.transport.setWriteBufferLimits(2);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
      wired.transport.setWriteBufferLimits(100);
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting']);
    });

    test('TR-044: an exception of pauseWriting or resumeWriting is reported', async () => {
      const error = new Error('boom');
      wired.protocol.pauseWriting = () => {
        throw error;
      };
      wired.protocol.resumeWriting = () => {
        throw error;
      };
      wired.transport.setWriteBufferLimits(2);
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('1234'));
      await iterate();
      const contexts = subject.current.takeContexts();
      expect(contexts.map((context) => context.message)).toEqual([
        expect.stringContaining('pauseWriting'),
        expect.stringContaining('resumeWriting'),
      ]);
      expect(contexts[0]).toMatchObject({ exception: error, transport: wired.transport, protocol: wired.protocol });
      wired.protocol.pauseWriting = () => {
        throw new KeyboardInterrupt();
      };
      wired.sock.script.send.push(again());
      expect(() => wired.transport.write(Buffer.from('1234'))).toThrow(KeyboardInterrupt);
      expect(wired.transport._protocolPaused).toBe(true);
    });

    test('TR-045: a paused protocol is not resumed when the connection dies', async () => {
      wired.transport.setWriteBufferLimits(2);
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('1234'));
      wired.transport.abort();
      await iterate();
      expect(wired.protocol.names()).toEqual(['connectionMade', 'pauseWriting', 'connectionLost']);
    });
  });

  describe('memory that goes before it is sent', () => {
    test.each([
      ['the only piece', 1],
      ['one of several', 2],
    ])('%s: the connection is lost with an error that says so', async (_which, pieces) => {
      wired.sock.script.send.push(again());
      const data = new Uint8Array(100);
      wired.transport.write(data);
      if (pieces > 1) wired.transport.write(Buffer.from('and more'));
      detach(data.buffer);
      await iterate(2);
      const lost = expect.objectContaining({ name: 'ValueError', code: 'ERR_MEMORY_CHANGED' });
      expect(wired.protocol.events.at(-1)).toEqual(['connectionLost', lost]);
      expect(subject.current.takeContexts()).toEqual([expect.objectContaining({ exception: lost })]);
      expect(wired.transport.getWriteBufferSize()).toBe(0);
    });
  });

  describe('the empty waiter', () => {
    test('TCP-077, TCP-078, TCP-081: is done at once, or when the buffer is sent; there is one at a time', async () => {
      const first = wired.transport._makeEmptyWaiter();
      expect(first.done()).toBe(true);
      expect(() => wired.transport._makeEmptyWaiter()).toThrow(
        expect.objectContaining({ name: 'RuntimeError', code: 'ERR_SENDFILE_IN_PROGRESS' }),
      );
      wired.transport._resetEmptyWaiter();
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      const second = wired.transport._makeEmptyWaiter();
      expect(second.done()).toBe(false);
      await iterate();
      expect(second.done()).toBe(true);
      wired.transport._resetEmptyWaiter();
      wired.transport.write(Buffer.from('def'));
      expect(wired.arrived().toString()).toBe('abcdef');
    });

    test('TCP-079: fails when the connection is lost', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      const waiter = wired.transport._makeEmptyWaiter();
      wired.transport.abort();
      await iterate();
      expect(waiter.exception()).toBeInstanceOf(ConnectionError);
    });

    test('TCP-061: one that was cancelled keeps nobody from hearing that the connection is lost', async () => {
      wired.sock.script.send.push(again());
      wired.transport.write(Buffer.from('abc'));
      const waiter = wired.transport._makeEmptyWaiter();
      wired.transport.close();
      waiter.cancel();
      await iterate();
      expect([wired.arrived().toString(), wired.protocol.events.at(-1)]).toEqual(['abc', ['connectionLost', null]]);
    });

    test('TCP-080: is left alone if it was done by then', async () => {
      const waiter = wired.transport._makeEmptyWaiter();
      wired.transport.abort();
      await iterate();
      expect(waiter.exception()).toBeNull();
    });
  });
});
