// epoll-selector.test.ts: EpollSelector keeps the selector contract.

import { EpollSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { epollTraits } from './subjects';

selectorContract('EpollSelector', () => new EpollSelector(), epollTraits);
