// poll-selector.test.ts: PollSelector keeps the selector contract.

import { PollSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { pollTraits } from './subjects';

selectorContract('PollSelector', () => new PollSelector(), pollTraits);
