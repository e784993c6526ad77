// poll-selector.test.ts: PollSelector keeps the selector contract. Windows has none.

import { PollSelector } from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { thrownBy } from '../contracts/selector-kit';
import { isWindows } from '../support/systems';
import { pollTraits } from './subjects';

if (isWindows) {
  test('a build without poll says so', () => {
    expect(thrownBy(() => new PollSelector())).toMatchObject({ code: 'ERR_NO_SELECTOR' });
  });
} else {
  selectorContract('PollSelector', () => new PollSelector(), pollTraits);
}
