// selector-map-contract.ts: the part of the selector contract about finding keys again, and about the end.

import { inspect } from 'node:util';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { KeyError, RuntimeError, ValueError } from '../../lib/base/errors';
import type { SelectorMap } from '../../lib/selectors/base-selector';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { closedDescriptor, openDescriptors } from '../support/descriptors';
import type { SelectorSubject } from './selector-contract';
import { thrownBy, useSelectorKit } from './selector-kit';

function mapOf(selector: NativeSelectorBase): SelectorMap {
  const map = selector.getMap();
  if (map === null) throw new Error('the selector is closed');
  return map;
}

export function mapContract({ make }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test('SEL-025: getKey finds a key by number and by object', () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    expect(selector.getKey(socket)).toBe(key);
    expect(selector.getKey(socket.fileno())).toBe(key);
  });

  test('SEL-025: getKey of what is unknown, invalid or asked after the end throws', () => {
    const unknown = thrownBy(() => selector.getKey(closedDescriptor()));
    expect(unknown).toBeInstanceOf(KeyError);
    expect(unknown.code).toBe('ERR_NOT_REGISTERED');
    expect(thrownBy(() => selector.getKey({} as never))).toBeInstanceOf(ValueError);
    expect(thrownBy(() => selector.getKey(-1))).toBeInstanceOf(ValueError);
    selector.close();
    const closed = thrownBy(() => selector.getKey(0));
    expect(closed).toBeInstanceOf(RuntimeError);
    expect(closed.code).toBe('ERR_SELECTOR_CLOSED');
  });

  test('SEL-026: the map is one live view of what is registered', () => {
    const [socket, other] = kit.current.pair();
    const map = mapOf(selector);
    expect(map.size).toBe(0);
    const key = selector.register(socket, EVENT_READ);
    const otherKey = selector.register(other, EVENT_WRITE);
    expect(selector.getMap()).toBe(map);
    expect(map.size).toBe(2);
    expect([...map]).toEqual([socket.fileno(), other.fileno()]);
    expect([...map.keys()]).toEqual([socket.fileno(), other.fileno()]);
    expect([...map.values()]).toEqual([key, otherKey]);
    expect(map.lookup(socket)).toBe(key);
    expect(map.lookup(other.fileno())).toBe(otherKey);
    expect(map.has(socket)).toBe(true);
    selector.unregister(socket);
    expect(map.size).toBe(1);
    expect(map.has(socket)).toBe(false);
    expect(thrownBy(() => map.lookup(socket))).toBeInstanceOf(KeyError);
  });

  test('SEL-027: whether something invalid is in the map is no question', () => {
    const map = mapOf(selector);
    for (const fileObject of [-1, {}, 'text', null, true]) {
      expect(thrownBy(() => map.has(fileObject as never))).toBeInstanceOf(ValueError);
    }
    expect(map.has(closedDescriptor())).toBe(false);
  });

  test('SEL-028: the map has no mutators', () => {
    const map = mapOf(selector);
    const names = Object.getOwnPropertyNames(Object.getPrototypeOf(map)).sort();
    expect(names).toEqual(['constructor', 'get', 'has', 'keys', 'lookup', 'size', 'values']);
    expect(Object.keys(map)).toEqual([]);
    expect(() => {
      (map as { size: number }).size = 5;
    }).toThrow(TypeError);
  });

  test('SEL-029: get of an unknown descriptor is undefined, and of something invalid an error', () => {
    const [socket] = kit.current.pair();
    const map = mapOf(selector);
    expect(map.get(socket)).toBeUndefined();
    const key = selector.register(socket, EVENT_READ);
    expect(map.get(socket)).toBe(key);
    expect(thrownBy(() => map.get(-1))).toBeInstanceOf(ValueError);
    expect(thrownBy(() => map.get({} as never))).toBeInstanceOf(ValueError);
  });

  test('inspect shows the class and how much is registered', () => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    expect(inspect(selector)).toBe(`<${selector.constructor.name} registered=1>`);
    selector.close();
    expect(inspect(selector)).toBe(`<${selector.constructor.name} closed>`);
  });
}

export function closingContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test('SEL-030: close empties the keys, takes the map away, and may be repeated', () => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    selector.close();
    expect(selector.getMap()).toBeNull();
    selector.close();
    expect(selector.getMap()).toBeNull();
    const next = kit.current.own(make());
    expect(next.register(socket, EVENT_READ).fd).toBe(socket.fileno());
  });

  test('SEL-030: close gives back what the system lent', () => {
    const before = openDescriptors().size;
    const several = Array.from({ length: 5 }, () => make());
    for (const one of several) one.close();
    expect(openDescriptors().size).toBe(before);
  });

  test('SEL-031: a map from before close is empty', () => {
    const [socket] = kit.current.pair();
    const map = mapOf(selector);
    selector.register(socket, EVENT_READ);
    selector.close();
    expect(map.size).toBe(0);
    expect([...map]).toEqual([]);
    expect(map.has(socket)).toBe(false);
    expect(thrownBy(() => map.lookup(socket))).toBeInstanceOf(KeyError);
  });

  // Differs from asyncio: there only epoll throws; poll and select go on as if they were new.
  test('SEL-032: after close register and select throw ValueError, unregister and modify KeyError', () => {
    const [socket] = kit.current.pair();
    selector.register(socket, EVENT_READ);
    selector.close();
    for (const verb of [() => selector.register(socket, EVENT_READ), () => selector.select(0)]) {
      const error = thrownBy(verb);
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_SELECTOR_CLOSED');
      expect(error.message).toContain(traits.facility);
    }
    for (const verb of [() => selector.unregister(socket), () => selector.modify(socket, EVENT_WRITE)]) {
      const error = thrownBy(verb);
      expect(error).toBeInstanceOf(KeyError);
      expect(error.code).toBe('ERR_NOT_REGISTERED');
    }
    expect(selector.getMap()).toBeNull();
  });

  test('SEL-032: after close a bad mask or file object is still told first', () => {
    selector.close();
    expect(thrownBy(() => selector.register(0, 0)).code).toBe('ERR_INVALID_EVENTS');
    expect(thrownBy(() => selector.register(-1, EVENT_READ)).code).toBe('ERR_INVALID_FD');
  });

  test('SEL-033: leaving a using-block closes', () => {
    expect(selector[Symbol.dispose]()).toBeUndefined();
    expect(selector.getMap()).toBeNull();
  });
}
