// ready.ts: the result of a select, in the form the loop reads fastest.

import type { Seconds } from '../base/constants';
import type { BaseSelector, ReadyEntry } from '../selectors/base-selector';
import { NativeSelectorBase, type ReadyPairs } from '../selectors/native-selector';

/** What a loop asks of its selector: any object of the selector contract. */
export type SelectorLike = Pick<BaseSelector, 'register' | 'unregister' | 'modify' | 'select' | 'close' | 'getMap'> & {
  fileno?(): number;
};

/** Ready entries: the pairs of a native selector, or a list of [key, mask]. */
export type ReadyList = ReadyPairs | readonly ReadyEntry[];

/** Selects without making an object for each entry, unless `select` is somebody else's. */
export function selectReady(selector: SelectorLike, timeout: Seconds | null): ReadyList {
  if (selector instanceof NativeSelectorBase && selector.select === NativeSelectorBase.prototype.select) {
    return selector._select(timeout);
  }
  return selector.select(timeout);
}
