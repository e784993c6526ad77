// base-selector.test.ts: what a selector of somebody else's making gets from the base class.

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { KeyError, RuntimeError, ValueError } from '../../lib/base/errors';
import {
  BaseSelector,
  lookupFd,
  notRegistered,
  SelectorKey,
  SelectorMap,
  type ReadyEntry,
} from '../../lib/selectors/base-selector';
import type { FileObject } from '../../lib/selectors/file-object';
import { thrownBy } from '../contracts/selector-kit';

/** A selector without a system: a list of what is ready. */
class ListSelector extends BaseSelector {
  readonly calls: string[] = [];
  readonly #keys = new Map<number, SelectorKey>();
  #map: SelectorMap | null = new SelectorMap(this.#keys, (fileobj) => lookupFd(this.#keys, fileobj));

  register(fileobj: FileObject, events: number, data: unknown = null): SelectorKey {
    this.calls.push('register');
    if ((events & ~(EVENT_READ | EVENT_WRITE)) !== 0 || events === 0) throw new ValueError('invalid events');
    const key = new SelectorKey(fileobj, lookupFd(this.#keys, fileobj), events, data);
    this.#keys.set(key.fd, key);
    return key;
  }

  unregister(fileobj: FileObject): SelectorKey {
    this.calls.push('unregister');
    const key = this.#keys.get(lookupFd(this.#keys, fileobj));
    if (key === undefined) throw notRegistered(fileobj);
    this.#keys.delete(key.fd);
    return key;
  }

  select(): ReadyEntry[] {
    return [...this.#keys.values()].map((key) => [key, key.events]);
  }

  override close(): void {
    super.close();
    this.#map = null;
  }

  getMap(): SelectorMap | null {
    return this.#map;
  }
}

test('SEL-024: modify is unregister and register unless a selector knows better', () => {
  const selector = new ListSelector();
  selector.register(5, EVENT_READ, 'data');
  selector.calls.length = 0;
  expect(selector.modify(5, EVENT_WRITE)).toMatchObject({ fd: 5, events: EVENT_WRITE, data: null });
  expect(selector.calls).toEqual(['unregister', 'register']);
  expect(thrownBy(() => selector.modify(5, 0))).toBeInstanceOf(ValueError);
  expect(selector.getMap()?.size).toBe(0);
});

test('SEL-025: getKey goes by the map, and after close there is none', () => {
  const selector = new ListSelector();
  const key = selector.register(5, EVENT_READ);
  expect(selector.getKey(5)).toBe(key);
  expect(thrownBy(() => selector.getKey(6))).toBeInstanceOf(KeyError);
  selector[Symbol.dispose]();
  expect(thrownBy(() => selector.getKey(5))).toBeInstanceOf(RuntimeError);
});

test('a message names a number by the number and an object by its class', () => {
  expect(notRegistered(5).message).toBe('descriptor 5 is not registered');
  expect(
    notRegistered(
      new (class Pipe {
        fileno(): number {
          return 5;
        }
      })(),
    ).message,
  ).toBe('a Pipe is not registered');
  expect(notRegistered(Object.assign(Object.create(null), { fileno: () => 5 })).message).toBe(
    'a file object is not registered',
  );
});

test('a selector of somebody else supports no flag unless it says so', () => {
  const selector = new ListSelector();
  for (const flag of ['priority', 'edge', 'oneshot'] as const) expect(selector.supports(flag)).toBe(false);
});
