// select-selector.test.ts: SelectSelector keeps the selector contract, and what is its own.

import { EVENT_WRITE } from '../../lib/base/constants';
import { binding } from '../../lib/native/binding';
import { SO_ERROR, SOL_SOCKET } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { SelectSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { useSelectorKit } from '../contracts/selector-kit';
import { selectTraits } from './subjects';

selectorContract('SelectSelector', () => new SelectSelector(), selectTraits);

describe('select', () => {
  const kit = useSelectorKit();

  // Elsewhere the system may have told the caller of connect() already, and the socket is writable all the same.
  test('SEL-051: a connect that fails wakes its writer, also where only the exceptional set tells of it', () => {
    const { ECONNREFUSED } = binding.errnoByName;
    const selector = kit.current.own(new SelectSelector());
    const listener = new Socket();
    listener.bind(['127.0.0.1', 0]);
    const nowhere = listener.getsockname() as [string, number];
    listener.close();
    const client = kit.current.own(new Socket());
    const first = client.connectEx(nowhere);
    const key = selector.register(client, EVENT_WRITE);
    expect(selector.select(10)).toEqual([[key, EVENT_WRITE]]);
    expect(first === ECONNREFUSED ? first : client.getsockopt(SOL_SOCKET, SO_ERROR)).toBe(ECONNREFUSED);
  });
});
