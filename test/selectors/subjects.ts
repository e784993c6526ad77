// subjects.ts: the selectors of this build with what is known about their facilities.

import type { SelectorTraits } from '../contracts/selector-contract';

const FD_SETSIZE = 1024;
const isWindows = process.platform === 'win32';

export const epollTraits: SelectorTraits = {
  facility: 'epoll',
  socketsOnly: false,
  supports: ['priority', 'edge', 'oneshot'],
  refusesAtRegistration: true,
  modifiesInPlace: true,
  hangUpIsBoth: true,
  readyOrder: true,
  wholeMilliseconds: true,
  descriptorLimit: null,
  closedWhileRegistered: 'forgotten',
};

export const iocpTraits: SelectorTraits = {
  facility: 'iocp',
  socketsOnly: true,
  supports: ['priority'],
  refusesAtRegistration: true,
  modifiesInPlace: true,
  hangUpIsBoth: true,
  readyOrder: false,
  wholeMilliseconds: true,
  descriptorLimit: null,
  closedWhileRegistered: 'forgotten',
};

export const kqueueTraits: SelectorTraits = {
  facility: 'kqueue',
  socketsOnly: false,
  supports: ['edge'],
  refusesAtRegistration: true,
  modifiesInPlace: false,
  hangUpIsBoth: true,
  readyOrder: false,
  wholeMilliseconds: false,
  descriptorLimit: null,
  closedWhileRegistered: 'forgotten',
};

export const pollTraits: SelectorTraits = {
  facility: 'poll',
  socketsOnly: false,
  supports: ['priority'],
  refusesAtRegistration: false,
  modifiesInPlace: true,
  hangUpIsBoth: true,
  readyOrder: false,
  wholeMilliseconds: true,
  descriptorLimit: null,
  closedWhileRegistered: 'ready for both',
};

export const selectTraits: SelectorTraits = {
  facility: 'select',
  socketsOnly: isWindows,
  supports: ['priority'],
  refusesAtRegistration: false,
  modifiesInPlace: false,
  hangUpIsBoth: false,
  readyOrder: false,
  wholeMilliseconds: isWindows ? null : false,
  // Windows takes a list of any length.
  descriptorLimit: isWindows ? null : FD_SETSIZE,
  closedWhileRegistered: 'EBADF',
};

/** The traits of a facility by its name. */
export const traitsOf: Readonly<Record<string, SelectorTraits>> = {
  epoll: epollTraits,
  iocp: iocpTraits,
  kqueue: kqueueTraits,
  poll: pollTraits,
  select: selectTraits,
};
