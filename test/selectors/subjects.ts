// subjects.ts: the selectors of this build with what is known about their facilities.

import type { SelectorTraits } from '../contracts/selector-contract';

const FD_SETSIZE = 1024;

export const epollTraits: SelectorTraits = {
  facility: 'epoll',
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
  supports: ['priority'],
  refusesAtRegistration: true,
  modifiesInPlace: true,
  hangUpIsBoth: true,
  readyOrder: true,
  wholeMilliseconds: true,
  descriptorLimit: null,
  closedWhileRegistered: 'forgotten',
};

export const kqueueTraits: SelectorTraits = {
  facility: 'kqueue',
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
  supports: ['priority'],
  refusesAtRegistration: false,
  modifiesInPlace: false,
  hangUpIsBoth: false,
  readyOrder: false,
  wholeMilliseconds: false,
  descriptorLimit: FD_SETSIZE,
  closedWhileRegistered: 'EBADF',
};
