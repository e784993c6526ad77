// selector-contract.ts: what every selector promises, run for each of them. Where the facilities of the system differ,
// the traits say how, and both ways are tested.

import type { SelectorFlag } from '../../lib/selectors/base-selector';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { flagContract } from './selector-flag-contract';
import { closingContract, mapContract } from './selector-map-contract';
import { modifyContract } from './selector-modify-contract';
import { fileObjectContract, registerContract } from './selector-register-contract';
import { closedDescriptorContract } from './selector-stale-contract';
import { readinessContract, timeoutContract } from './selector-wait-contract';

/** How a selector's facility differs from the others. */
export interface SelectorTraits {
  /** The system's name of the facility. */
  facility: 'epoll' | 'iocp' | 'kqueue' | 'poll' | 'select';
  /** Nothing but sockets can be watched: Windows. Then there are no pipes to test with, and no files to refuse as such. */
  socketsOnly: boolean;
  /** The system knows what is registered, so it refuses descriptors that are not open. */
  refusesAtRegistration: boolean;
  /** The flags that it has, of those that not every selector has. */
  supports: SelectorFlag[];
  /** A new mask is one step for the system, which does not look at it; otherwise it is leaving and entering again. */
  modifiesInPlace: boolean;
  /** An error or a hang-up without data counts as both directions; otherwise as what the system made of it. */
  hangUpIsBoth: boolean;
  /** Entries come in the order in which they became ready. */
  readyOrder: boolean;
  /** A time limit is rounded up to whole milliseconds; null where the system's tick is longer than that. */
  wholeMilliseconds: boolean | null;
  /** The descriptors that it can watch are below this. */
  descriptorLimit: number | null;
  /** What a wait makes of a descriptor that was closed while registered. */
  closedWhileRegistered: 'forgotten' | 'ready for both' | 'EBADF';
}

export interface SelectorSubject {
  make: () => NativeSelectorBase;
  traits: SelectorTraits;
}

export function selectorContract(name: string, make: () => NativeSelectorBase, traits: SelectorTraits): void {
  const subject: SelectorSubject = { make, traits };
  describe(name, () => {
    describe('file objects', () => fileObjectContract(subject));
    describe('register and unregister', () => registerContract(subject));
    describe('modify', () => modifyContract(subject));
    describe('keys and the map', () => mapContract(subject));
    describe('close', () => closingContract(subject));
    describe('readiness', () => readinessContract(subject));
    describe('flags outside of the contract', () => flagContract(subject));
    describe('time limits', () => timeoutContract(subject));
    describe('descriptors closed elsewhere', () => closedDescriptorContract(subject));
  });
}
