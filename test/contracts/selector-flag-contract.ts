// selector-flag-contract.ts: the part of the selector contract that asyncio does not have: priority, edge-triggered and
// one-shot. Who does not support a flag refuses it.

import { EVENT_EDGE, EVENT_ONESHOT, EVENT_PRI, EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { ValueError } from '../../lib/base/errors';
import type { SelectorFlag } from '../../lib/selectors/base-selector';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { socketConstants } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import type { SelectorSubject } from './selector-contract';
import { thrownBy, useSelectorKit, type SelectorKit } from './selector-kit';

const BOTH = EVENT_READ | EVENT_WRITE;
const byte = Buffer.from('x');

const flags: [SelectorFlag, number][] = [
  ['priority', EVENT_PRI],
  ['edge', EVENT_EDGE],
  ['oneshot', EVENT_ONESHOT],
];

/** Two connected TCP sockets: unlike those of a pair they have urgent data. */
function tcpPair(kit: SelectorKit): [Socket, Socket] {
  const listener = kit.own(new Socket());
  listener.bind(['127.0.0.1', 0]);
  listener.listen();
  const client = kit.own(new Socket());
  client.setblocking(true);
  client.connect(listener.getsockname() as [string, number]);
  client.setblocking(false);
  listener.setblocking(true);
  const [server] = listener.accept();
  return [client, kit.own(server)];
}

export function flagContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  const masks = (): number[] => selector.select(0).map(([, mask]) => mask);
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test('a selector says which flags it supports', () => {
    expect(flags.filter(([flag]) => selector.supports(flag)).map(([flag]) => flag)).toEqual(traits.supports);
    expect(selector.supports('exclusive' as SelectorFlag)).toBe(false);
  });

  test('the bits of the flags are none of asyncio, of one another, or of a sign', () => {
    expect(flags.map(([, bit]) => bit)).toEqual([0x10000, 0x20000, 0x40000]);
  });

  test.each(flags)('the flag %s is taken where it is supported, and refused elsewhere', (flag, bit) => {
    const [socket] = kit.current.pair();
    if (traits.supports.includes(flag)) {
      const key = selector.register(socket, EVENT_READ | bit);
      expect(key.events).toBe(EVENT_READ | bit);
      expect(selector.modify(socket, EVENT_WRITE | bit).events).toBe(EVENT_WRITE | bit);
      return;
    }
    const error = thrownBy(() => selector.register(socket, EVENT_READ | bit));
    expect(error).toBeInstanceOf(ValueError);
    expect(error.code).toBe('ERR_INVALID_EVENTS');
    expect(error.message).toBe(`invalid events: ${EVENT_READ | bit} (${traits.facility} does not support '${flag}')`);
    expect(selector.getMap()?.size).toBe(0);
    const key = selector.register(socket, EVENT_WRITE);
    expect(thrownBy(() => selector.modify(socket, EVENT_READ | bit)).code).toBe('ERR_INVALID_EVENTS');
    if (!traits.modifiesInPlace) return;
    expect(selector.getKey(socket)).toBe(key);
    expect(selector.select(0)).toEqual([[key, EVENT_WRITE]]);
  });

  test('a mask of flags without anything to wait for is refused', () => {
    const [socket] = kit.current.pair();
    for (const mask of [EVENT_EDGE, EVENT_ONESHOT, EVENT_EDGE | EVENT_ONESHOT]) {
      expect(thrownBy(() => selector.register(socket, mask)).code).toBe('ERR_INVALID_EVENTS');
    }
  });

  if (traits.supports.includes('priority')) {
    test('priority is told when the system says so, and counts as neither direction', () => {
      const [socket, other] = tcpPair(kit.current);
      const key = selector.register(socket, EVENT_PRI);
      other.send(byte);
      expect(selector.select(0)).toEqual([]);
      other.send(byte, socketConstants.MSG_OOB);
      expect(selector.select(null)).toEqual([[key, EVENT_PRI]]);
      selector.modify(socket, BOTH | EVENT_PRI);
      expect(masks()).toEqual([BOTH | EVENT_PRI]);
      // Whoever does not ask for it is not told, and not woken by it.
      selector.modify(socket, BOTH);
      expect(masks()).toEqual([BOTH]);
      selector.modify(socket, BOTH | EVENT_PRI);
      expect(socket.recv(1, socketConstants.MSG_OOB)).toEqual(byte);
      expect(masks()).toEqual([BOTH]);
      selector.modify(socket, EVENT_PRI);
      expect(masks()).toEqual([]);
    });

    test('an error or a hang-up is no priority', () => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ | EVENT_PRI);
      other.close();
      expect(masks()).toEqual([EVENT_READ]);
    });
  }

  if (traits.supports.includes('edge')) {
    test('an edge-triggered readiness is told once for each thing that happens', () => {
      const [socket, other] = kit.current.pair();
      const key = selector.register(socket, EVENT_READ | EVENT_EDGE);
      for (let times = 0; times < 3; times++) {
        other.send(byte);
        expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
        expect(selector.select(0)).toEqual([]);
      }
      // A new mask looks again.
      selector.modify(socket, BOTH | EVENT_EDGE);
      expect(masks()).toEqual([BOTH]);
      expect(masks()).toEqual([]);
    });
  }

  if (traits.supports.includes('oneshot')) {
    test('a one-shot readiness is told once, and again after modify, with the same mask too', () => {
      const [socket, other] = kit.current.pair();
      selector.register(socket, EVENT_READ | EVENT_ONESHOT, 'data');
      other.send(byte);
      for (let times = 0; times < 3; times++) {
        expect(masks()).toEqual([EVENT_READ]);
        expect(masks()).toEqual([]);
        other.send(byte);
        expect(masks()).toEqual([]);
        expect(selector.modify(socket, EVENT_READ | EVENT_ONESHOT, 'data').data).toBe('data');
      }
      expect(masks()).toEqual([EVENT_READ]);
      // Not even the end of the other side is told.
      other.close();
      expect(masks()).toEqual([]);
      selector.modify(socket, EVENT_READ | EVENT_ONESHOT);
      expect(masks()).toEqual([EVENT_READ]);
    });
  }
}
