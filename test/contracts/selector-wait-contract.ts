// selector-wait-contract.ts: the part of the selector contract about select: what is ready, and how long it waits.

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { SelectorKey } from '../../lib/selectors/base-selector';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { PAIR_FAMILY, SOCK_STREAM } from '../../lib/sockets/constants';
import type { SelectorSubject } from './selector-contract';
import { fill, thrownBy, useSelectorKit } from './selector-kit';

const BOTH = EVENT_READ | EVENT_WRITE;
const byte = Buffer.from('x');

/** What select says, by descriptor: the order is the facility's own. */
function masksByFd(entries: [SelectorKey, number][]): Map<number, number> {
  return new Map(entries.map(([key, mask]) => [key.fd, mask]));
}

/** Milliseconds that `action` takes. */
function duration(action: () => unknown): number {
  const start = performance.now();
  action();
  return performance.now() - start;
}

export function readinessContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  const testWithPipes = traits.socketsOnly ? test.skip : test;

  test('SEL-035: an entry is the registered key and the ready bits among the registered ones', () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const reads = selector.register(socket, EVENT_READ);
    const writes = selector.register(other, EVENT_WRITE);
    const entries = selector.select(0);
    expect(Array.isArray(entries)).toBe(true);
    expect(new Map(entries)).toEqual(
      new Map([
        [reads, EVENT_READ],
        [writes, EVENT_WRITE],
      ]),
    );
    expect(entries.map(([key]) => key === reads || key === writes)).toEqual([true, true]);
    const replaced = selector.modify(socket, EVENT_WRITE);
    const entry = selector.select(0).find(([key]) => key === replaced);
    expect(entry?.[1]).toBe(EVENT_WRITE);
  });

  test('what is not ready is not there', () => {
    const [socket, other] = kit.current.pair();
    fill(socket);
    selector.register(socket, BOTH);
    expect(selector.select(0)).toEqual([]);
    other.send(byte);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_READ]);
  });

  test('a list of entries is not changed by the next select', () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, EVENT_WRITE);
    const entries = selector.select(0);
    selector.modify(socket, EVENT_READ);
    expect(selector.select(0)).toEqual([]);
    expect(entries).toEqual([[key, EVENT_WRITE]]);
  });

  test('SEL-036: a descriptor that is reported without a key is skipped', () => {
    const [socket, other] = kit.current.pair();
    binding.addTo(selector._native.number, socket.fileno(), EVENT_WRITE);
    expect(selector.select(0)).toEqual([]);
    binding.removeFrom(selector._native.number, socket.fileno());
    const key = selector.register(other, EVENT_WRITE);
    expect(selector.select(0)).toEqual([[key, EVENT_WRITE]]);
  });

  if (traits.facility === 'iocp') {
    test('a key with the mask 0 does not come back', () => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ);
      selector.modify(socket, 0);
      other.close();
      expect(selector.select(0)).toEqual([]);
    });
  } else if (traits.modifiesInPlace) {
    test('SEL-037: a key with the mask 0 comes back with the mask 0 when the other side hangs up', () => {
      const { reader, writer } = kit.current.pipe();
      selector.register(reader, EVENT_READ);
      const key = selector.modify(reader, 0);
      expect(selector.select(0)).toEqual([]);
      kit.current.closeFd(writer);
      expect(selector.select(null)).toEqual([[key, 0]]);
    });
  } else {
    test('SEL-037: there is no key with the mask 0', () => {
      const [socket] = kit.current.pair();
      selector.register(socket, EVENT_READ);
      expect(() => selector.modify(socket, 0)).toThrow(ValueError);
      expect(selector.select(0)).toEqual([]);
    });
  }

  testWithPipes('SEL-038: a hang-up is read-ready, and write-ready where the facility tells hang-ups apart', () => {
    const { reader, writer } = kit.current.pipe();
    selector.register(reader, BOTH);
    kit.current.closeFd(writer);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([traits.hangUpIsBoth ? BOTH : EVENT_READ]);
  });

  testWithPipes('SEL-038: an error is ready for both directions', () => {
    const { reader, writer } = kit.current.pipe();
    selector.register(writer, BOTH);
    kit.current.closeFd(reader);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([BOTH]);
  });

  testWithPipes('SEL-038, SEL-039: a hang-up is limited to the registered direction', () => {
    const { reader, writer } = kit.current.pipe();
    selector.register(reader, EVENT_READ);
    kit.current.closeFd(writer);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_READ]);

    const broken = kit.current.pipe();
    selector.unregister(reader);
    selector.register(broken.writer, EVENT_WRITE);
    kit.current.closeFd(broken.reader);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_WRITE]);
  });

  test('SEL-039: a socket whose peer is gone reports whatever is registered', () => {
    for (const mask of [EVENT_READ, EVENT_WRITE, BOTH]) {
      const [socket, other] = kit.current.pair();
      other.close();
      selector.register(socket, mask);
      expect(selector.select(0).map(([, ready]) => ready)).toEqual([mask]);
      selector.unregister(socket);
    }
  });

  test('SEL-040: a descriptor has at most one entry', () => {
    const sockets = Array.from({ length: 10 }, () => kit.current.pair()).flat();
    for (const socket of sockets) {
      selector.register(socket, BOTH);
      socket.send(byte);
    }
    const fds = selector.select(0).map(([key]) => key.fd);
    expect(fds.sort((a, b) => a - b)).toEqual(sockets.map((socket) => socket.fileno()).sort((a, b) => a - b));
  });

  test('SEL-041: a descriptor that is ready for both shows both at once', () => {
    const [socket, other] = kit.current.pair();
    other.send(byte);
    const key = selector.register(socket, BOTH);
    expect(selector.select(0)).toEqual([[key, BOTH]]);
  });

  test('SEL-044: a wait asks for as many entries as are registered, and for one at least', () => {
    const asked: number[] = [];
    const { waitFor } = binding;
    const spy = jest.spyOn(binding, 'waitFor').mockImplementation((number, timeoutNs, events, maxEvents) => {
      asked.push(maxEvents);
      return waitFor(number, timeoutNs, events, maxEvents);
    });
    selector.select(0);
    const sockets = [...kit.current.pair(), ...kit.current.pair()];
    for (const socket of sockets) {
      selector.register(socket, EVENT_WRITE);
      selector.select(0);
    }
    spy.mockRestore();
    expect(asked).toEqual([1, 1, 2, 3, 4]);
  });

  test('SEL-049: the same readiness is told again until it is used up', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    other.send(Buffer.from('xy'));
    for (let times = 0; times < 3; times++) expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
    socket.recv(1);
    expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
    socket.recv(1);
    expect(selector.select(0)).toEqual([]);
  });

  if (traits.readyOrder) {
    test('SEL-050: entries come in the order in which they became ready', () => {
      const pairs = Array.from({ length: 4 }, () => kit.current.pair());
      const keys = pairs.map(([socket]) => selector.register(socket, EVENT_READ));
      const order = [2, 0, 3, 1];
      for (const index of order) pairs[index][1].send(byte);
      expect(selector.select(0).map(([key]) => key)).toEqual(order.map((index) => keys[index]));
    });
  }

  test('SEL-056: only a selector that the system gives a descriptor has a fileno', () => {
    const native = selector as NativeSelectorBase & { fileno?: () => number };
    if (traits.facility !== 'epoll' && traits.facility !== 'kqueue') {
      expect(native.fileno).toBeUndefined();
      return;
    }
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_WRITE);
    const outer = kit.current.own(make());
    const key = outer.register(native as { fileno(): number }, EVENT_READ);
    expect(key.fd).toBe(native.fileno?.());
    expect(outer.select(0)).toEqual([[key, EVENT_READ]]);
    selector.unregister(socket);
    expect(outer.select(0)).toEqual([]);
    selector.close();
    expect(thrownBy(() => native.fileno?.())).toMatchObject({ code: 'ERR_SELECTOR_CLOSED' });
  });

  test('SEL-059: as many descriptors are watched as the system can number', () => {
    const fds = new Int32Array(2);
    const count = (traits.descriptorLimit ?? 2400) / 2 - 200;
    const registered: number[] = [];
    for (let index = 0; index < count; index++) {
      expect(binding.socketpair(PAIR_FAMILY, SOCK_STREAM, 0, fds)).toBe(0);
      for (const fd of fds) {
        kit.current.own({ close: () => binding.close(fd) });
        registered.push(fd);
        selector.register(fd, BOTH);
      }
    }
    expect(Math.max(...registered)).toBeGreaterThan(traits.descriptorLimit === null ? 1024 : 600);
    binding.send(registered[1], byte, 0, 1, 0);
    const masks = masksByFd(selector.select(0));
    expect(masks.size).toBe(registered.length);
    expect([...masks].filter(([, mask]) => mask === BOTH)).toEqual([[registered[0], BOTH]]);
    for (const fd of registered) selector.unregister(fd);
    expect(selector.select(0)).toEqual([]);
  });
}

export function timeoutContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test.each([null, undefined, Infinity])('SEL-034: select(%p) waits until something is ready', async (timeout) => {
    const [socket, other] = kit.current.pair();
    const writer = await kit.current.writerWhileAsleep(other.fileno());
    const key = selector.register(socket, EVENT_READ);
    writer.go();
    expect(selector.select(timeout)).toEqual([[key, EVENT_READ]]);
    expect(socket.recv(10)).toEqual(byte);
  });

  test.each([0, -0, -1, -1e9, -Infinity])('SEL-034: select(%p) only looks', (timeout) => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    expect(selector.select(timeout)).toEqual([]);
    const key = selector.modify(socket, EVENT_WRITE);
    expect(selector.select(timeout)).toEqual([[key, EVENT_WRITE]]);
  });

  test('SEL-034: a positive time limit is in seconds', () => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    expect(duration(() => selector.select(0.02))).toBeGreaterThanOrEqual(20);
  });

  test('what is no number of seconds is refused', () => {
    for (const timeout of ['1', true, {}, 1n]) {
      expect(thrownBy(() => selector.select(timeout as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(thrownBy(() => selector.select(NaN))).toBeInstanceOf(ValueError);
  });

  if (traits.wholeMilliseconds === null) {
    test('a positive time limit is never cut', () => {
      expect(duration(() => selector.select(0.0001))).toBeGreaterThanOrEqual(0.1);
      expect(duration(() => selector.select(0.0101))).toBeGreaterThanOrEqual(10.1);
    });
  } else if (traits.wholeMilliseconds) {
    test('SEL-042: a positive time limit is rounded up to a whole millisecond', () => {
      expect(duration(() => selector.select(0.0001))).toBeGreaterThanOrEqual(1);
      expect(duration(() => selector.select(1e-12))).toBeGreaterThanOrEqual(1);
      expect(duration(() => selector.select(0.0101))).toBeGreaterThanOrEqual(11);
    });
  } else {
    test('SEL-043: a positive time limit is not rounded to milliseconds, and never cut', () => {
      const durations: number[] = [];
      // One wait that ends before a millisecond is over shows it; the machine may be busy during some.
      do durations.push(duration(() => selector.select(0.0001)));
      while (durations[durations.length - 1] >= 1);
      expect(Math.min(...durations)).toBeGreaterThanOrEqual(0.1);
      expect(duration(() => selector.select(0.0101))).toBeGreaterThanOrEqual(10.1);
    });
  }

  test('SEL-048: with nothing registered select waits its time limit out', () => {
    const start = performance.now();
    expect(selector.select(0.01)).toEqual([]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(10);
    expect(selector.select(0)).toEqual([]);
  });
}
