// selector-stale-contract.ts: the part of the selector contract about descriptors that are closed while they are
// registered. What asyncio does here is copied, hazards included; the loop above repairs what it can (FD-029).

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { FileNotFoundError, OSError } from '../../lib/base/errors';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import type { SelectorSubject } from './selector-contract';
import { thrownBy, useSelectorKit } from './selector-kit';

const BOTH = EVENT_READ | EVENT_WRITE;
const byte = Buffer.from('x');

export function closedDescriptorContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  if (traits.closedWhileRegistered === 'EBADF') {
    test('SEL-052: a descriptor that was closed makes select throw, until it is unregistered', () => {
      const [socket, other] = kit.current.pair();
      const key = selector.register(other, EVENT_READ);
      selector.register(socket, EVENT_READ);
      socket.close();
      for (let times = 0; times < 2; times++) {
        const error = thrownBy(() => selector.select(0));
        expect(error).toBeInstanceOf(OSError);
        expect(error.code).toBe('EBADF');
      }
      selector.unregister(socket);
      expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
    });
  } else if (traits.closedWhileRegistered === 'ready for both') {
    test('SEL-052: a descriptor that was closed is ready for what it is registered for', () => {
      for (const mask of [EVENT_READ, EVENT_WRITE, BOTH]) {
        const [socket] = kit.current.pair();
        const key = selector.register(socket, mask);
        socket.close();
        expect(selector.select(null)).toEqual([[key, mask]]);
        selector.unregister(socket);
      }
    });
  } else {
    test('SEL-052: a descriptor that was closed is not reported, though its key stays', () => {
      const [socket] = kit.current.pair();
      const key = selector.register(socket, BOTH);
      socket.close();
      expect(selector.select(0)).toEqual([]);
      expect(selector.getKey(key.fd)).toBe(key);
    });
  }

  if (traits.facility === 'epoll') {
    test('SEL-057: what was closed while a duplicate is open wakes select, which has nothing to tell', () => {
      const [socket, other] = kit.current.pair();
      const key = selector.register(socket, EVENT_READ);
      const duplicate = kit.current.own(socket.dup());
      socket.close();
      expect(selector.unregister(socket)).toBe(key);
      other.send(byte);
      const start = performance.now();
      expect(selector.select(10)).toEqual([]);
      expect(performance.now() - start).toBeLessThan(5000);
      // What is registered is told all the same.
      const otherKey = selector.register(other, EVENT_WRITE);
      let entries = selector.select(0);
      if (entries.length === 0) entries = selector.select(0);
      expect(entries).toEqual([[otherKey, EVENT_WRITE]]);
      // It ends with the last duplicate.
      duplicate.close();
      selector.unregister(other);
      const calm = performance.now();
      expect(selector.select(0.01)).toEqual([]);
      expect(performance.now() - calm).toBeGreaterThanOrEqual(10);
    });

    test('SEL-057: what a duplicate of the former file reports is not taken for the new file of the same number', () => {
      const [socket, other] = kit.current.pair();
      const fd = socket.fileno();
      selector.register(socket, EVENT_READ);
      kit.current.own(socket.dup());
      socket.close();
      selector.unregister(fd);
      const [again] = kit.current.pairWithFd(fd);
      const key = selector.register(again, EVENT_READ);
      other.send(byte);
      expect(selector.select(0)).toEqual([]);
      expect(selector.getKey(fd)).toBe(key);
    });
  } else {
    test('SEL-057: what was closed while a duplicate is open is forgotten by unregister', () => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ);
      kit.current.own(socket.dup());
      socket.close();
      selector.unregister(socket);
      other.send(byte);
      const start = performance.now();
      expect(selector.select(0.01)).toEqual([]);
      expect(performance.now() - start).toBeGreaterThanOrEqual(10);
    });
  }

  // The system's table is by the file that was registered, or by the number.
  if (traits.closedWhileRegistered === 'forgotten') {
    test('SEL-058: the key of a closed descriptor answers for the next of its number, which is not watched', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      const key = selector.register(fd, EVENT_READ);
      expect(selector.select(0)).toEqual([]);
      socket.close();
      const [again, peer] = kit.current.pairWithFd(fd);
      peer.send(byte);
      expect(selector.getKey(again)).toBe(key);
      expect(selector.modify(again, EVENT_READ)).toBe(key);
      expect(selector.select(0)).toEqual([]);
    });

    test('SEL-058: a new mask for a descriptor whose number was used again throws, and drops the key', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      selector.register(fd, EVENT_READ);
      expect(selector.select(0)).toEqual([]);
      socket.close();
      const [again, peer] = kit.current.pairWithFd(fd);
      peer.send(byte);
      const error = thrownBy(() => selector.modify(again, BOTH));
      expect(error).toBeInstanceOf(FileNotFoundError);
      expect(selector.getMap()?.size).toBe(0);
      const key = selector.register(again, BOTH);
      expect(selector.select(0)).toEqual([[key, BOTH]]);
    });
  } else {
    test('SEL-058: the key of a closed descriptor answers for the next of its number, which is watched', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      const key = selector.register(fd, EVENT_READ);
      socket.close();
      const [again, peer] = kit.current.pairWithFd(fd);
      expect(selector.modify(again, EVENT_READ)).toBe(key);
      expect(selector.select(0)).toEqual([]);
      peer.send(byte);
      expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
      expect(selector.modify(again, BOTH).events).toBe(BOTH);
      expect(selector.select(0).map(([, mask]) => mask)).toEqual([BOTH]);
    });
  }
}
