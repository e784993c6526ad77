// kqueue-selector.test.ts: KqueueSelector keeps the selector contract, and is kqueue's in what is its own. Only where the
// build has kqueue: macOS, the BSDs, and on Linux `npm run test:kqueue`, whose kernel is played (native/test/kqueue).

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { binding } from '../../lib/native/binding';
import { DefaultSelector, KqueueSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { thrownBy, useSelectorKit } from '../contracts/selector-kit';
import { kqueueTraits } from './subjects';

const BOTH = EVENT_READ | EVENT_WRITE;

function kqueueTests(): void {
  const kit = useSelectorKit();
  let selector: KqueueSelector;
  beforeEach(() => {
    selector = kit.current.own(new KqueueSelector());
  });

  test('SEL-055: kqueue is the default where there is kqueue', () => {
    expect(binding.selectorNames).toEqual(['kqueue', 'poll', 'select']);
    expect(DefaultSelector).toBe(KqueueSelector);
  });

  test('SEL-045: a time limit is kept with nothing registered', () => {
    const start = performance.now();
    expect(selector.select(0.02)).toEqual([]);
    expect(performance.now() - start).toBeGreaterThanOrEqual(20);
  });

  test('SEL-045: one wait tells both directions of everything', () => {
    const sockets = [...kit.current.pair(), ...kit.current.pair()];
    for (const socket of sockets) {
      selector.register(socket, BOTH);
      socket.send(Buffer.from('x'));
    }
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([BOTH, BOTH, BOTH, BOTH]);
  });

  test('SEL-053: each direction is watched for itself', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, BOTH);
    expect(selector.select(0)).toEqual([[key, EVENT_WRITE]]);
    other.send(Buffer.from('x'));
    expect(selector.select(0)).toEqual([[key, BOTH]]);
  });

  test('SEL-053: a descriptor that the system refuses throws its error and leaves no key', () => {
    const [socket] = kit.current.pair();
    const fd = socket.fileno();
    socket.close();
    expect(thrownBy(() => selector.register(fd, BOTH))).toMatchObject({ code: 'EBADF', syscall: 'kqueue register' });
    expect(selector.getMap()?.size).toBe(0);
  });

  test('a device without filters is refused with an error that names SelectSelector', () => {
    const [socket] = kit.current.pair();
    jest.spyOn(binding, 'addTo').mockReturnValueOnce(-binding.errnoByName.EINVAL);
    const error = thrownBy(() => selector.register(socket, EVENT_READ));
    expect(error).toMatchObject({ name: 'OSError', code: 'EINVAL' });
    expect(error.message).toContain('use a SelectSelector');
    expect(selector.getMap()?.size).toBe(0);
  });

  test('SEL-054: what was closed is unregistered without an error', () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, BOTH);
    socket.close();
    expect(selector.unregister(key.fd)).toBe(key);
    const [again] = kit.current.pairWithFd(key.fd);
    expect(selector.register(again, EVENT_WRITE).fd).toBe(key.fd);
  });
}

if (binding.selectorNames.includes('kqueue')) {
  selectorContract('KqueueSelector', () => new KqueueSelector(), kqueueTraits);
  describe('kqueue', kqueueTests);
} else {
  test('a build without kqueue says so', () => {
    expect(thrownBy(() => new KqueueSelector())).toMatchObject({ code: 'ERR_NO_SELECTOR' });
  });
}
