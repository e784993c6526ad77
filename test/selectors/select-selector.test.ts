// select-selector.test.ts: SelectSelector keeps the selector contract.

import { SelectSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { selectTraits } from './subjects';

selectorContract('SelectSelector', () => new SelectSelector(), selectTraits);
