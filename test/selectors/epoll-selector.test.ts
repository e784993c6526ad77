// epoll-selector.test.ts: EpollSelector keeps the selector contract. Only where the build has epoll: Linux.

import { binding } from '../../lib/native/binding';
import { EpollSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { thrownBy } from '../contracts/selector-kit';
import { epollTraits } from './subjects';

if (process.platform === 'linux' && !binding.selectorNames.includes('kqueue')) {
  selectorContract('EpollSelector', () => new EpollSelector(), epollTraits);
} else {
  test('a build without epoll says so', () => {
    expect(thrownBy(() => new EpollSelector())).toMatchObject({ code: 'ERR_NO_SELECTOR' });
  });
}
