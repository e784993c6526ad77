// iocp-selector.test.ts: IocpSelector keeps the selector contract, and what is its own. Only where the build has
// completion ports: Windows, or wine.

import * as fs from 'node:fs';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { binding } from '../../lib/native/binding';
import { DefaultSelector, IocpSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { thrownBy, useSelectorKit } from '../contracts/selector-kit';
import { iocpTraits } from './subjects';

function iocpTests(): void {
  const kit = useSelectorKit();
  let selector: IocpSelector;
  beforeEach(() => {
    selector = kit.current.own(new IocpSelector());
  });

  test('SEL-055: a completion port is the default where there are completion ports', () => {
    expect(binding.selectorNames).toEqual(['iocp', 'select']);
    expect(DefaultSelector).toBe(IocpSelector);
  });

  test('what is no socket is refused with an error that says so', () => {
    const file = kit.current.fd(fs.openSync(__filename, 'r'));
    const error = thrownBy(() => selector.register(file, EVENT_READ));
    expect(error).toMatchObject({ name: 'OSError', code: 'ENOTSOCK' });
    expect(error.message).toContain('only sockets can be watched on Windows');
    expect(selector.getMap()?.size).toBe(0);
  });

  test('a socket that a provider hides is refused with an error that names the providers and SelectSelector', () => {
    const [socket] = kit.current.pair();
    jest.spyOn(binding, 'addTo').mockReturnValueOnce(-binding.errnoByName.ENOTSUP);
    const error = thrownBy(() => selector.register(socket, EVENT_READ));
    expect(error).toMatchObject({ name: 'OSError', code: 'ENOTSUP' });
    expect(error.message).toContain('netsh winsock show catalog');
    expect(error.message).toContain('use a SelectSelector');
    expect(selector.getMap()?.size).toBe(0);
  });

  test('what came and went between two waits is not told', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    for (let times = 0; times < 20; times++) {
      expect(selector.select(0)).toEqual([]);
      other.send(Buffer.from('x'));
      expect(socket.recv(1)).toEqual(Buffer.from('x'));
    }
    expect(selector.select(0)).toEqual([]);
    other.send(Buffer.from('x'));
    expect(selector.select(null)).toEqual([[key, EVENT_READ]]);
    expect(selector.modify(socket, EVENT_WRITE).events).toBe(EVENT_WRITE);
    expect(selector.select(0).map(([, mask]) => mask)).toEqual([EVENT_WRITE]);
  });
}

if (binding.selectorNames.includes('iocp')) {
  selectorContract('IocpSelector', () => new IocpSelector(), iocpTraits);
  describe('completion ports', iocpTests);
} else {
  test('a build without completion ports says so', () => {
    expect(thrownBy(() => new IocpSelector())).toMatchObject({ code: 'ERR_NO_SELECTOR' });
  });
}
