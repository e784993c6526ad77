// selector-modify-contract.ts: the part of the selector contract about modify. Whether the system was asked can only be
// seen at the border, so its three verbs are watched there.

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { FileNotFoundError, KeyError, OSError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import type { SelectorSubject } from './selector-contract';
import { thrownBy, useSelectorKit } from './selector-kit';

const BOTH = EVENT_READ | EVENT_WRITE;

/** The verbs that the system hears from here on. */
function listen(): string[] {
  const heard: string[] = [];
  for (const verb of ['addTo', 'modifyIn', 'removeFrom'] as const) {
    const original: (...args: number[]) => number = binding[verb];
    jest.spyOn(binding, verb).mockImplementation((...args: number[]) => {
      heard.push(`${verb.replace(/To|In|From/, '')} ${args.slice(1).join(' ')}`);
      return original(...args);
    });
  }
  return heard;
}

export function modifyContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });
  afterEach(() => jest.restoreAllMocks());

  test('SEL-016: modify of an unknown descriptor is a KeyError', () => {
    const [socket] = kit.current.pair();
    for (const fileObject of [socket, socket.fileno()]) {
      const error = thrownBy(() => selector.modify(fileObject, EVENT_READ));
      expect(error).toBeInstanceOf(KeyError);
      expect(error.code).toBe('ERR_NOT_REGISTERED');
    }
  });

  test('SEL-017: the same mask and data ask the system nothing and give the very same key', () => {
    const [socket] = kit.current.pair();
    const data = {};
    const key = selector.register(socket, EVENT_READ, data);
    const heard = listen();
    expect(selector.modify(socket, EVENT_READ, data)).toBe(key);
    expect(selector.modify(socket.fileno(), EVENT_READ, data)).toBe(key);
    expect(heard).toEqual([]);
  });

  test('SEL-018: new data replace the key, and ask the system nothing', () => {
    const [socket] = kit.current.pair();
    const before = selector.register(socket, EVENT_READ, 'before');
    const heard = listen();
    const register = jest.spyOn(selector, 'register');
    const unregister = jest.spyOn(selector, 'unregister');
    const after = selector.modify(socket, EVENT_READ, 'after');
    expect(after).not.toBe(before);
    expect(after).toMatchObject({ fileobj: socket, fd: socket.fileno(), events: EVENT_READ, data: 'after' });
    expect(before.data).toBe('before');
    expect(selector.getKey(socket)).toBe(after);
    expect(heard).toEqual([]);
    expect(register).not.toHaveBeenCalled();
    expect(unregister).not.toHaveBeenCalled();
  });

  test("SEL-019: data are compared with the language's equality", () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ, 'text');
    expect(selector.modify(socket, EVENT_READ, ['te', 'xt'].join(''))).toBe(key);
    const withZero = selector.modify(socket, EVENT_READ, 0);
    expect(selector.modify(socket, EVENT_READ, -0)).toBe(withZero);
    const withNaN = selector.modify(socket, EVENT_READ, NaN);
    expect(selector.modify(socket, EVENT_READ, NaN)).not.toBe(withNaN);
    const withObject = selector.modify(socket, EVENT_READ, { equal: 'in Python' });
    expect(selector.modify(socket, EVENT_READ, { equal: 'in Python' })).not.toBe(withObject);
  });

  test('SEL-020: data that are left out become null', () => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ, 'data');
    expect(selector.modify(socket, EVENT_READ).data).toBeNull();
    selector.modify(socket, EVENT_READ, 'data');
    expect(selector.modify(socket, EVENT_WRITE).data).toBeNull();
    expect(selector.getKey(socket).data).toBeNull();
  });

  test('a new mask is what is waited for from then on', () => {
    const [socket, other] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    expect(selector.select(0)).toEqual([]);
    selector.modify(socket, EVENT_WRITE);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_WRITE]);
    other.send(Buffer.from('x'));
    selector.modify(socket, EVENT_READ);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_READ]);
    selector.modify(socket, BOTH);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([BOTH]);
  });

  if (traits.modifiesInPlace) {
    test('SEL-021: a new mask is one modification for the system, and the key keeps its file object', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      selector.register(socket, EVENT_READ, 'before');
      const heard = listen();
      const key = selector.modify(fd, EVENT_WRITE, 'after');
      expect(heard).toEqual([`modify ${fd} ${EVENT_WRITE}`]);
      expect(key).toMatchObject({ fd, events: EVENT_WRITE, data: 'after' });
      expect(key.fileobj).toBe(socket);
      expect(selector.getKey(fd)).toBe(key);
    });

    test('SEL-022: a modification that the system refuses drops the key', () => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ);
      selector.register(other, EVENT_READ);
      binding.removeFrom(selector._native.number, socket.fileno());
      const error = thrownBy(() => selector.modify(socket, EVENT_WRITE));
      expect(error).toBeInstanceOf(FileNotFoundError);
      expect(error.code).toBe('ENOENT');
      expect([...(selector.getMap() ?? [])]).toEqual([other.fileno()]);
      expect(selector.register(socket, EVENT_WRITE).events).toBe(EVENT_WRITE);
    });

    test('SEL-023: modify takes any mask, and keeps it', () => {
      const [socket, other] = kit.current.pair();
      other.send(Buffer.from('x'));
      selector.register(socket, BOTH);
      for (const mask of [0, 4, -8]) {
        expect(selector.modify(socket, mask).events).toBe(mask);
        expect(selector.getKey(socket).events).toBe(mask);
        expect(selector.select(0)).toEqual([]);
      }
      // The bits that are known are still waited for.
      selector.modify(socket, EVENT_READ | 8);
      expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_READ]);
    });
  } else {
    test('SEL-024: a new mask is as leaving and entering again, with the file object that modify was given', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      selector.register(socket, EVENT_READ);
      const heard = listen();
      const key = selector.modify(fd, EVENT_WRITE, 'after');
      const isOneStep = traits.facility === 'kqueue';
      expect(heard).toEqual(isOneStep ? [`modify ${fd} ${EVENT_WRITE}`] : [`remove ${fd}`, `add ${fd} ${EVENT_WRITE}`]);
      expect(key).toMatchObject({ fileobj: fd, fd, events: EVENT_WRITE, data: 'after' });
    });

    test.each([0, 4, 7])('SEL-024: the mask %d is refused, and leaves the descriptor unregistered', (mask) => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ);
      selector.register(other, EVENT_READ);
      const error = thrownBy(() => selector.modify(socket, mask));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_INVALID_EVENTS');
      expect([...(selector.getMap() ?? [])]).toEqual([other.fileno()]);
    });
  }

  if (traits.refusesAtRegistration) {
    test('SEL-022: a new mask for a descriptor that was closed elsewhere drops the key', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      selector.register(fd, EVENT_READ);
      expect(selector.select(0)).toEqual([]);
      socket.close();
      const error = thrownBy(() => selector.modify(fd, EVENT_WRITE));
      expect(error).toBeInstanceOf(OSError);
      // A completion port is told of the closing, and has forgotten the socket.
      expect(error.code).toBe(traits.facility === 'iocp' ? 'ENOENT' : 'EBADF');
      expect(selector.getMap()?.size).toBe(0);
    });
  }

  test.each(['1', null, NaN, 1.5, {}])('the mask %p is refused, and is never kept', (mask) => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    const error = thrownBy(() => selector.modify(socket, mask as number));
    expect(error.code).toBe(traits.modifiesInPlace ? 'ERR_INVALID_ARG_TYPE' : 'ERR_INVALID_EVENTS');
    for (const key of selector.getMap()?.values() ?? []) expect(key.events).toBe(EVENT_READ);
  });
}
