// datagram.test.ts: the datagram transport.

import { setLogReceiver } from '../../lib/base/log';
import { ConnectionRefusedError, KeyboardInterrupt, OSError } from '../../lib/base/errors';
import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import type { Address } from '../../lib/sockets/address';
import { AF_INET, AF_UNIX, SOCK_DGRAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import type { SelectorDatagramTransport } from '../../lib/transports/datagram-transport';
import { DatagramProtocol } from '../../lib/transports/protocol';
import { type BaseTransport, Transport } from '../../lib/transports/transport';
import { again } from '../support/errors';
import { useLoop } from '../support/loops';
import { testNotOnWine, testOnPosix } from '../support/systems';

const systemError = (code = 'EIO'): OSError => new OSError(code, { code, errno: -5 });

class NotingDatagrams extends DatagramProtocol {
  readonly events: unknown[][] = [];
  reaction: ((name: string) => void) | null = null;

  #note(name: string, ...details: unknown[]): void {
    this.events.push([name, ...details]);
    this.reaction?.(name);
  }

  override connectionMade(_transport: BaseTransport): void {
    this.#note('connectionMade');
  }

  override datagramReceived(data: Buffer, address: unknown): void {
    this.#note('datagramReceived', data.toString(), address);
  }

  override errorReceived(error: unknown): void {
    this.#note('errorReceived', error);
  }

  override pauseWriting(): void {
    this.#note('pauseWriting');
  }

  override resumeWriting(): void {
    this.#note('resumeWriting');
  }

  override connectionLost(error: unknown): void {
    this.#note('connectionLost', error);
  }
}

/** A datagram socket whose calls fail from a script first. */
class ScriptedDatagrams extends Socket {
  readonly script: Record<'receive' | 'send', unknown[]> = { receive: [], send: [] };
  readonly calls: string[] = [];

  #next(name: 'receive' | 'send'): void {
    const error = this.script[name].shift();
    if (error !== undefined) throw error;
  }

  override recvfrom(maxBytes: number): [Buffer, Address | null] {
    this.calls.push(`recvfrom ${maxBytes}`);
    this.#next('receive');
    return super.recvfrom(maxBytes);
  }

  override send(data: Uint8Array): number {
    this.calls.push(`send ${data.length}`);
    this.#next('send');
    return super.send(data);
  }

  override sendto(data: Uint8Array, ...rest: [never]): number {
    this.calls.push(`sendto ${data.length}`);
    this.#next('send');
    return super.sendto(data, ...rest);
  }
}

describe('a datagram transport', () => {
  const subject = useLoop('sync');
  let sock: ScriptedDatagrams;
  let peer: Socket;
  let protocol: NotingDatagrams;
  let transport: SelectorDatagramTransport;
  let mine: Address;
  let theirs: Address;

  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const open = async (options: { connected?: boolean; fixed?: boolean } = {}): Promise<void> => {
    const { loop } = subject.current;
    sock = new ScriptedDatagrams(AF_INET, SOCK_DGRAM);
    peer = new Socket(AF_INET, SOCK_DGRAM);
    sock.bind(['127.0.0.1', 0]);
    peer.bind(['127.0.0.1', 0]);
    mine = sock.getsockname() as Address;
    theirs = peer.getsockname() as Address;
    if (options.connected === true) sock.connect(theirs);
    protocol = new NotingDatagrams();
    const fixed = options.connected === true || options.fixed === true ? theirs : null;
    const [opened, openedPeer] = [sock, peer];
    transport = loop._makeDatagramTransport(opened, protocol, fixed);
    const made = transport;
    subject.current.atEnd(() => {
      opened.script.send.length = 0;
      made.abort();
      openedPeer.close();
    });
    await iterate();
  };
  const names = (): unknown[] => protocol.events.map(([name]) => name);
  const arrived = (): string[] => {
    const texts: string[] = [];
    for (;;) {
      try {
        texts.push(peer.recvfrom(65536)[0].toString());
      } catch {
        return texts;
      }
    }
  };
  const write = (): boolean => subject.current.loop._isWatched(sock.fileno(), EVENT_WRITE);

  describe('reading', () => {
    beforeEach(() => open());

    test('UDP-001, UDP-002, UDP-003: connectionMade, then the reader; it pauses and resumes as a stream does', async () => {
      expect(names()).toEqual(['connectionMade']);
      expect(transport).toBeInstanceOf(Transport);
      expect(transport.isReading()).toBe(true);
      transport.pauseReading();
      peer.sendto(Buffer.from('x'), mine);
      await iterate();
      expect(names()).toEqual(['connectionMade']);
      transport.resumeReading();
      await iterate();
      expect(protocol.events[1]).toEqual(['datagramReceived', 'x', theirs]);
    });

    test('UDP-007: one datagram of up to 256 KiB for each readiness', async () => {
      peer.sendto(Buffer.from('one'), mine);
      peer.sendto(Buffer.from('two'), mine);
      await iterate();
      expect(sock.calls).toEqual(['recvfrom 262144']);
      await iterate();
      expect(protocol.events.slice(1)).toEqual([
        ['datagramReceived', 'one', theirs],
        ['datagramReceived', 'two', theirs],
      ]);
    });

    test('UDP-008: an empty datagram is delivered', async () => {
      peer.sendto(new Uint8Array(0), mine);
      await iterate();
      expect(protocol.events[1]).toEqual(['datagramReceived', '', theirs]);
    });

    test('UDP-006: nothing is read once the transport is given up', async () => {
      peer.sendto(Buffer.from('late'), mine);
      transport.abort();
      transport._readReady();
      await iterate();
      expect([sock.calls, names()]).toEqual([[], ['connectionMade', 'connectionLost']]);
    });

    test('UDP-009: would-block is ignored', async () => {
      sock.script.receive.push(again());
      peer.sendto(Buffer.from('x'), mine);
      await iterate();
      expect(names()).toEqual(['connectionMade']);
      await iterate();
      expect(names()).toEqual(['connectionMade', 'datagramReceived']);
    });

    test('UDP-010: an error of the system goes to errorReceived, and the transport stays open', async () => {
      const error = systemError();
      sock.script.receive.push(error);
      peer.sendto(Buffer.from('x'), mine);
      await iterate(2);
      expect(protocol.events.slice(1)).toEqual([
        ['errorReceived', error],
        ['datagramReceived', 'x', theirs],
      ]);
      expect(transport.isClosing()).toBe(false);
    });

    test('UDP-011: the fatal pair ends the run', async () => {
      sock.script.receive.push(new KeyboardInterrupt());
      peer.sendto(Buffer.from('x'), mine);
      await expect(iterate()).rejects.toBeInstanceOf(KeyboardInterrupt);
    });

    test('UDP-012: any other error is fatal', async () => {
      const error = new Error('odd');
      sock.script.receive.push(error);
      peer.sendto(Buffer.from('x'), mine);
      await iterate(2);
      expect(subject.current.takeContexts()[0]).toMatchObject({
        exception: error,
        message: expect.stringContaining('read'),
        transport,
        protocol,
      });
      expect(protocol.events.at(-1)).toEqual(['connectionLost', error]);
    });

    test('UDP-013: an exception of the protocol is reported, and the transport stays open', async () => {
      const error = new Error('boom');
      protocol.reaction = (name) => {
        if (name === 'datagramReceived') throw error;
      };
      peer.sendto(Buffer.from('x'), mine);
      await iterate();
      expect(subject.current.takeContexts()[0]).toMatchObject({
        exception: error,
        message: expect.stringContaining('Exception in callback'),
      });
      expect(transport.isClosing()).toBe(false);
    });
  });

  describe('sending', () => {
    beforeEach(() => open());

    test('UDP-014: the type is checked; an empty datagram is sent', () => {
      for (const data of ['text', null, 5, [1]] as never[]) {
        expect(() => transport.sendto(data, theirs)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
      }
      transport.sendto(new Uint8Array(0), theirs);
      expect(arrived()).toEqual(['']);
    });

    test('UDP-019: goes out at once', () => {
      transport.sendto(Buffer.from('at once'), theirs);
      expect([arrived(), transport.getWriteBufferSize(), write()]).toEqual([['at once'], 0, false]);
    });

    test('UDP-020, UDP-026, UDP-027, UDP-028, UDP-039: would-block copies and queues; later ones only queue', async () => {
      sock.script.send.push(again());
      const data = Buffer.from('abc');
      transport.sendto(data, theirs);
      data.fill('x');
      transport.sendto(Buffer.from('de'), theirs);
      expect([sock.calls, transport.getWriteBufferSize(), write()]).toEqual([['sendto 3'], 5, true]);
      await iterate();
      expect([arrived(), transport.getWriteBufferSize(), write()]).toEqual([['abc', 'de'], 0, false]);
    });

    test('UDP-021, UDP-022: an error of the system goes to errorReceived, and that datagram is lost', () => {
      transport.sendto(Buffer.alloc(70_000), theirs);
      expect(protocol.events[1]).toEqual(['errorReceived', expect.objectContaining({ code: 'EMSGSIZE' })]);
      transport.sendto(Buffer.from('next'), theirs);
      expect([arrived(), transport.isClosing()]).toEqual([['next'], false]);
    });

    test('UDP-024, UDP-025: no address on an unconnected transport is fatal', async () => {
      transport.sendto(Buffer.from('x'));
      await iterate();
      expect(subject.current.takeContexts()[0]).toMatchObject({
        exception: { name: 'TypeError' },
        message: expect.stringContaining('write'),
      });
      expect(protocol.events.at(-1)).toEqual(['connectionLost', expect.objectContaining({ name: 'TypeError' })]);
    });

    test('UDP-021: a host that is a name goes to errorReceived, at once or later', async () => {
      const [, port] = theirs as [string, number];
      const unknown = expect.objectContaining({ name: 'GaiError', code: 'EAI_NONAME', address: 'some.name', port });
      transport.sendto(Buffer.from('x'), ['some.name', port]);
      expect(protocol.events.splice(1)).toEqual([['errorReceived', unknown]]);
      sock.script.send.push(again());
      transport.sendto(Buffer.from('x'), ['some.name', port]);
      transport.sendto(Buffer.from('next'), theirs);
      await iterate(2);
      expect(protocol.events.splice(1)).toEqual([['errorReceived', unknown]]);
      expect([arrived(), transport.isClosing()]).toEqual([['next'], false]);
    });

    test('UDP-017, UDP-018: goes on until connectionLost, and is dropped afterwards', async () => {
      transport.close();
      transport.sendto(Buffer.from('still'), theirs);
      expect(arrived()).toEqual(['still']);
      await iterate();
      transport.sendto(Buffer.from('gone'), theirs);
      expect(arrived()).toEqual([]);
    });

    test('UDP-029, UDP-030: one readiness sends all that waits, and the size comes back to nothing', async () => {
      transport.setWriteBufferLimits(4, 1);
      for (let round = 0; round < 3; round++) {
        sock.script.send.push(again());
        for (const text of ['abc', 'de', 'f']) transport.sendto(Buffer.from(text), theirs);
        await iterate();
        expect([arrived(), transport.getWriteBufferSize()]).toEqual([['abc', 'de', 'f'], 0]);
      }
      expect(names().filter((name) => name !== 'connectionMade')).toEqual(
        new Array(3).fill(['pauseWriting', 'resumeWriting']).flat(),
      );
    });

    test('UDP-031: would-block in the middle keeps the rest in order', async () => {
      sock.script.send.push(again(), undefined, again());
      for (const text of ['a', 'b', 'c']) transport.sendto(Buffer.from(text), theirs);
      await iterate();
      expect([arrived(), transport.getWriteBufferSize(), write()]).toEqual([['a'], 2, true]);
      await iterate();
      expect(arrived()).toEqual(['b', 'c']);
    });

    test('UDP-032: an error in the middle loses one datagram; the rest goes out with the next readiness', async () => {
      const error = systemError();
      sock.script.send.push(again(), error);
      for (const text of ['a', 'b']) transport.sendto(Buffer.from(text), theirs);
      await iterate();
      expect([arrived(), protocol.events.at(-1), write()]).toEqual([[], ['errorReceived', error], true]);
      await iterate();
      expect([arrived(), write()]).toEqual([['b'], false]);
    });

    test('UDP-033, UDP-038: any other error is fatal, and is not told as errorReceived', async () => {
      const error = new Error('odd');
      sock.script.send.push(again(), error);
      transport.sendto(Buffer.from('a'), theirs);
      await iterate(2);
      expect(subject.current.takeContexts()[0]).toMatchObject({ exception: error });
      expect(names()).toEqual(['connectionMade', 'connectionLost']);
    });

    test('UDP-034, UDP-036: close sends what waits first, and connectionLost comes in that callback', async () => {
      sock.script.send.push(again());
      transport.sendto(Buffer.from('flushed'), theirs);
      transport.close();
      await iterate();
      expect([arrived(), protocol.events.at(-1)]).toEqual([['flushed'], ['connectionLost', null]]);
    });

    test('UDP-035: readiness with nothing to send only takes the writer away', () => {
      transport._addWriter();
      transport._writeReady();
      expect([write(), sock.calls]).toEqual([false, []]);
    });

    test('UDP-037: abort drops what waits; the size stays as it was', async () => {
      sock.script.send.push(again());
      transport.sendto(Buffer.from('lost'), theirs);
      transport.abort();
      await iterate();
      expect([arrived(), transport.getWriteBufferSize()]).toEqual([[], 4]);
    });
  });

  describe('with an address of its own', () => {
    test('UDP-004, UDP-015: a connected one sends without an address, and to no other one', async () => {
      await open({ connected: true });
      transport.sendto(Buffer.from('a'));
      transport.sendto(Buffer.from('b'), [...(theirs as [string, number])]);
      expect(sock.calls).toEqual(['send 1', 'send 1']);
      expect(arrived()).toEqual(['a', 'b']);
      expect(() => transport.sendto(Buffer.from('c'), ['127.0.0.1', 1])).toThrow(
        expect.objectContaining({ name: 'ValueError', code: 'ERR_FIXED_ADDRESS' }),
      );
    });

    test('UDP-004: one that only remembers its address sends to it', async () => {
      await open({ fixed: true });
      transport.sendto(Buffer.from('a'));
      expect([sock.calls, arrived()]).toEqual([['sendto 1'], ['a']]);
    });

    testOnPosix('UDP-005: a Unix pair has an empty peer name, so that sends need an address', async () => {
      const { loop } = subject.current;
      const [near, far] = socketpair(AF_UNIX, SOCK_DGRAM);
      const sendto = jest.spyOn(near, 'sendto').mockReturnValue(1);
      const pair = loop._makeDatagramTransport(near, new NotingDatagrams());
      expect(pair.getExtraInfo('peername')).toBe('');
      pair.sendto(Buffer.from('x'), '\0somewhere');
      expect(sendto).toHaveBeenCalledWith(Buffer.from('x'), '\0somewhere');
      pair.abort();
      await iterate();
      far.close();
    });

    test('UDP-016: after a close its writes are dropped, with a warning from the fifth on', async () => {
      await open({ connected: true });
      const warnings: string[] = [];
      setLogReceiver((record) => warnings.push(record.level));
      transport.close();
      for (let index = 0; index < 4; index++) transport.sendto(Buffer.from('x'));
      expect(warnings).toEqual([]);
      transport.sendto(Buffer.from('x'));
      setLogReceiver(null);
      expect([warnings, arrived()]).toEqual([['warning'], []]);
    });

    testNotOnWine('UDP-023: a refused datagram shows up at a later call', async () => {
      await open({ connected: true });
      peer.close();
      transport.sendto(Buffer.from('into the void'));
      await iterate();
      expect(protocol.events[1]).toEqual(['errorReceived', expect.any(ConnectionRefusedError)]);
      expect(transport.isClosing()).toBe(false);
    });
  });

  test('TR-049: its descriptor is its own', async () => {
    await open();
    expect(() => subject.current.loop.addReader(sock, () => undefined)).toThrow(
      expect.objectContaining({ code: 'ERR_FD_IN_USE' }),
    );
    expect(subject.current.loop._isWatched(sock.fileno(), EVENT_READ)).toBe(true);
  });
});
