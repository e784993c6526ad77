// readers-writers.test.ts: addReader, addWriter and their removal.

import { closeSync, openSync } from 'node:fs';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import type { FileObject } from '../../lib/selectors/file-object';
import type { Handle } from '../../lib/loop/handle';
import { socketpair, type Socket } from '../../lib/sockets/socket';
import type { TransportSocket } from '../../lib/transports/transport-socket';
import { Protocol } from '../../lib/transports/protocol';
import { closedDescriptor } from '../support/descriptors';
import { systemError } from '../support/errors';
import { useLoop } from '../support/loops';

const nothing = (): void => undefined;

describe('readers and writers', () => {
  const subject = useLoop('sync');
  let sock: Socket;
  let peer: Socket;

  beforeEach(() => {
    [sock, peer] = socketpair();
  });
  afterEach(() => {
    sock.close();
    peer.close();
  });

  const key = (fd: FileObject = sock) => subject.current.loop._selector?.getMap()?.get(fd);
  const feed = (): number => peer.send(Buffer.from('x'));

  test('FD-001, FD-002: add gives nothing, its internal form the handle; remove says whether there was one', () => {
    const { loop } = subject.current;
    expect(loop.addReader(sock, nothing)).toBeUndefined();
    expect(loop.addWriter(sock, nothing)).toBeUndefined();
    expect([loop.removeReader(sock), loop.removeReader(sock)]).toEqual([true, false]);
    expect([loop.removeWriter(sock), loop.removeWriter(sock)]).toEqual([true, false]);
    const handle: Handle = loop._addReader(sock, nothing);
    expect(handle.cancelled()).toBe(false);
    loop._removeReader(sock);
    expect(handle.cancelled()).toBe(true);
  });

  test('FD-009, FD-010, FD-016: the mask widens and narrows, and the other direction keeps its handle', () => {
    const { loop } = subject.current;
    const reader = loop._addReader(sock, nothing);
    expect([key()?.events, key()?.data]).toEqual([EVENT_READ, [reader, null]]);
    const writer = loop._addWriter(sock, nothing);
    expect([key()?.events, key()?.data]).toEqual([EVENT_READ | EVENT_WRITE, [reader, writer]]);
    const replacement = loop._addReader(sock, nothing);
    expect([reader.cancelled(), writer.cancelled(), key()?.data]).toEqual([true, false, [replacement, writer]]);
    expect(loop.removeReader(sock)).toBe(true);
    expect([key()?.events, key()?.data]).toEqual([EVENT_WRITE, [null, writer]]);
    expect(loop.removeWriter(sock)).toBe(true);
    expect(key()).toBeUndefined();
  });

  test('FD-011: when the selector refuses a change, the old handle is not cancelled', () => {
    const { loop } = subject.current;
    const reader = loop._addReader(sock, nothing);
    const selector = loop._selector as { modify: unknown };
    const error = new Error('refused');
    selector.modify = () => {
      throw error;
    };
    expect(() => loop._addReader(sock, nothing)).toThrow(error);
    delete selector.modify;
    expect(reader.cancelled()).toBe(false);
    loop.removeReader(sock);
  });

  test('FD-003, FD-005, FD-006, FD-007: a descriptor of a transport is refused until the transport closes', async () => {
    const { loop } = subject.current;
    const [transport] = await subject.current.run(
      loop.createConnection(() => new Protocol(), null, null, { sock: sock.dup() }),
    );
    const fd = (transport.getExtraInfo('socket') as TransportSocket).fileno();
    const refused = expect.objectContaining({ name: 'RuntimeError', code: 'ERR_FD_IN_USE' });
    expect(() => loop.addReader(fd, nothing)).toThrow(refused);
    expect(() => loop.removeReader(fd)).toThrow(refused);
    expect(() => loop.addWriter(fd, nothing)).toThrow(refused);
    expect(() => loop.removeWriter(fd)).toThrow(refused);
    transport.close();
    expect(loop.removeWriter(fd)).toBe(false);
    await subject.current.runOnce();
  });

  test('FD-007: the check for a transport comes before that for a closed loop', () => {
    const { loop } = subject.current;
    loop.close();
    expect(() => loop.addReader({} as FileObject, nothing)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_FILE_OBJECT' }),
    );
    expect(() => loop.addReader(sock, nothing)).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
  });

  test('FD-004, FD-008: what has no descriptor is refused, and so is a negative one, by remove too', () => {
    const { loop } = subject.current;
    const invalid = [{}, { fileno: () => 'none' }, null, 'socket', true] as unknown as FileObject[];
    for (const value of invalid) {
      expect(() => loop.addReader(value, nothing)).toThrow(expect.objectContaining({ name: 'ValueError' }));
      expect(() => loop.removeWriter(value)).toThrow(expect.objectContaining({ name: 'ValueError' }));
    }
    const failing = (error: Error): FileObject => ({
      fileno: () => {
        throw error;
      },
    });
    expect(() => loop.addReader(failing(new TypeError('none')), nothing)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_FILE_OBJECT' }),
    );
    // What else a fileno() has to say is told as it is.
    const error = systemError('EIO');
    expect(() => loop.addReader(failing(error), nothing)).toThrow(error);
    expect(() => loop.removeWriter(failing(error))).toThrow(error);
    const negative = expect.objectContaining({ name: 'ValueError', code: 'ERR_INVALID_FD' });
    expect(() => loop.addReader(-1, nothing)).toThrow(negative);
    expect(() => loop.addWriter(-1, nothing)).toThrow(negative);
    expect(() => loop.removeReader(-1)).toThrow(negative);
    expect(() => loop.removeWriter(-1)).toThrow(negative);
  });

  test('FD-012: a replaced reader that was queued does not run; the new one runs an iteration later', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    feed();
    loop.addReader(sock, () => seen.push('old'));
    loop.addWriter(peer, () => undefined);
    loop.callSoon(() => {
      // Runs before the readers of this iteration, which are queued already.
      loop.addReader(sock, () => seen.push('new'));
    });
    await subject.current.runOnce();
    expect(seen).toEqual([]);
    await subject.current.runOnce();
    expect(seen).toEqual(['new']);
    loop.removeReader(sock);
    loop.removeWriter(peer);
  });

  test('FD-014: the same handle is queued in every iteration while the descriptor stays ready', async () => {
    const { loop } = subject.current;
    let calls = 0;
    feed();
    const handle = loop._addReader(sock, () => (calls += 1));
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(calls).toBe(2);
    expect((key()?.data as unknown[])[0]).toBe(handle);
    loop.removeReader(sock);
  });

  test('FD-015: remove answers false on a closed loop and for an unknown descriptor', () => {
    const { loop } = subject.current;
    expect(loop.removeReader(sock)).toBe(false);
    loop.close();
    expect(loop.removeReader(sock)).toBe(false);
    expect(loop.removeWriter(sock)).toBe(false);
  });

  test('FD-017: removing a direction that was never added leaves the other one working', async () => {
    const { loop } = subject.current;
    let reads = 0;
    loop.addReader(sock, () => (reads += 1));
    expect(loop.removeWriter(sock)).toBe(false);
    feed();
    await subject.current.runOnce();
    expect(reads).toBe(1);
    expect(loop.removeReader(sock)).toBe(true);
  });

  test('FD-018: a key with the read bit and no reader is unregistered, and remove answers false', () => {
    const { loop } = subject.current;
    loop._selector?.register(sock, EVENT_READ, [null, null]);
    expect(loop.removeReader(sock)).toBe(false);
    expect(key()).toBeUndefined();
  });

  test('FD-019, FD-024: a reader removed earlier in its batch does not run', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    feed();
    loop.addReader(sock, () => seen.push('read'));
    loop.callSoon(() => loop.removeReader(sock));
    await subject.current.runOnce();
    expect(seen).toEqual([]);
  });

  test('FD-021: a direction that is reported and has no handle is ignored', async () => {
    const { loop } = subject.current;
    feed();
    loop._selector?.register(sock, EVENT_READ | EVENT_WRITE, [null, null]);
    await subject.current.runOnce();
    loop._selector?.unregister(sock);
    expect(subject.current.takeContexts()).toEqual([]);
  });

  test('FD-022, FD-023: a handle cancelled directly stays registered until its next event', async () => {
    const { loop } = subject.current;
    const handle = loop._addReader(sock, nothing);
    handle.cancel();
    expect(key()).toBeDefined();
    feed();
    await subject.current.runOnce();
    expect(key()).toBeUndefined();
  });

  test('FD-025: a regular file and a closed descriptor are refused, and nothing stays registered', () => {
    const { loop } = subject.current;
    const file = openSync(__filename, 'r');
    // On Windows it is no socket, whatever else it may be.
    const refusal =
      process.platform === 'win32' ? { name: 'OSError', code: 'ENOTSOCK' } : { name: 'PermissionError', code: 'EPERM' };
    expect(() => loop.addReader(file, nothing)).toThrow(expect.objectContaining(refusal));
    expect(key(file)).toBeUndefined();
    closeSync(file);
    const closed = closedDescriptor();
    expect(() => loop.addReader(closed, nothing)).toThrow(expect.objectContaining({ name: 'OSError', code: 'EBADF' }));
    expect(key(closed)).toBeUndefined();
  });

  test('FD-026, FD-027: after a close, the number or the object that was added can be removed', () => {
    const { loop } = subject.current;
    const number = sock.fileno();
    loop.addReader(number, nothing);
    sock.close();
    expect(() => loop.removeReader(sock)).toThrow(expect.objectContaining({ name: 'ValueError' }));
    expect(loop.removeReader(number)).toBe(true);
    loop._addReader(peer, nothing);
    peer.close();
    expect(loop._removeReader(peer)).toBe(true);
  });

  test('FD-028: an object and its number are the same registration', () => {
    const { loop } = subject.current;
    loop.addReader(sock, nothing);
    expect(loop.removeReader(sock.fileno())).toBe(true);
    loop.addReader(sock.fileno(), nothing);
    expect(loop.removeReader(sock)).toBe(true);
  });

  test.each(['addReader', 'addWriter'] as const)(
    'FD-029: %s on a number that was closed and used again watches the new descriptor',
    async (method) => {
      const { loop } = subject.current;
      const [first, firstPeer] = socketpair();
      const number = first.fileno();
      loop.addReader(number, () => {
        throw new Error('the reader of the closed descriptor ran');
      });
      first.close();
      firstPeer.close();
      const [second, secondPeer] = socketpair();
      expect([second.fileno(), secondPeer.fileno()]).toContain(number);
      const [mine, other] = second.fileno() === number ? [second, secondPeer] : [secondPeer, second];
      let calls = 0;
      other.send(Buffer.from('x'));
      loop[method](mine, () => (calls += 1));
      await subject.current.runOnce();
      expect(calls).toBe(1);
      if (method === 'addReader') loop.removeReader(mine);
      else loop.removeWriter(mine);
      expect(key(mine)).toBeUndefined();
      second.close();
      secondPeer.close();
    },
  );

  test('FD-030: a hang-up of the peer triggers a reader alone and a writer alone', async () => {
    const { loop } = subject.current;
    const seen: string[] = [];
    peer.close();
    loop.addReader(sock, () => seen.push('reader'));
    await subject.current.runOnce();
    loop.removeReader(sock);
    loop.addWriter(sock, () => seen.push('writer'));
    await subject.current.runOnce();
    loop.removeWriter(sock);
    expect(seen).toEqual(['reader', 'writer']);
  });

  test('FD-031: an unknown descriptor counts as not watched', () => {
    const { loop } = subject.current;
    expect(loop._isWatched(sock.fileno(), EVENT_READ)).toBe(false);
    loop.addReader(sock, nothing);
    expect(loop._isWatched(sock.fileno(), EVENT_READ)).toBe(true);
    expect(loop._isWatched(sock.fileno(), EVENT_WRITE)).toBe(false);
    loop.removeReader(sock);
  });

  test('a reader that throws is reported and stays', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    feed();
    loop.addReader(sock, () => {
      throw error;
    });
    await subject.current.runOnce();
    await subject.current.runOnce();
    expect(subject.current.takeContexts().map((context) => context.exception)).toEqual([error, error]);
    loop.removeReader(sock);
  });

  test('FD-033: a callback may remove and close its own descriptor', async () => {
    const { loop } = subject.current;
    feed();
    loop.addReader(sock, () => {
      loop.removeReader(sock);
      sock.close();
    });
    await subject.current.runOnce();
    expect([sock.fileno(), loop._selector?.getMap()?.size]).toEqual([-1, 1]);
  });

  test('arguments are passed on', async () => {
    const { loop } = subject.current;
    const seen: unknown[] = [];
    feed();
    loop.addReader(sock, (a: number, b: string) => seen.push(a, b), 1, 'two');
    await subject.current.runOnce();
    loop.removeReader(sock);
    expect(seen).toEqual([1, 'two']);
  });
});
