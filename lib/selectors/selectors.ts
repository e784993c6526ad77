// selectors.ts: one class for each facility, and the choice between them. asyncio: the classes of selectors.py.

import { EVENT_EDGE, EVENT_ONESHOT, EVENT_PRI } from '../base/constants';
import { binding } from '../native/binding';
import { SelectorKey } from './base-selector';
import type { FileObject } from './file-object';
import { NativeSelectorBase } from './native-selector';

/** How the kernels say that a descriptor is of a kind that has no filters. */
const UNWATCHABLE = ['EINVAL', 'ENODEV', 'ENXIO', 'EOPNOTSUPP', 'ENOTSUP'];

/**
 * Linux's epoll. Refuses devices that never wait, and descriptors that are not open, when they are registered. Supports
 * every flag.
 */
export class EpollSelector extends NativeSelectorBase {
  constructor() {
    super('epoll', EVENT_PRI | EVENT_EDGE | EVENT_ONESHOT);
  }

  /** The descriptor of the epoll instance, which another selector can watch. @throws ValueError after close */
  fileno(): number {
    this._checkOpen();
    return this._native.fd;
  }
}

/** poll(2). Accepts anything but files; a descriptor that is not open is reported as ready for both. Supports 'priority'. */
export class PollSelector extends NativeSelectorBase {
  constructor() {
    super('poll', EVENT_PRI);
  }
}

/**
 * kqueue, of macOS and the BSDs. Refuses descriptors that are not open when they are registered, and on macOS terminals
 * and some other devices (EINVAL), which SelectSelector takes. Supports 'edge'.
 */
export class KqueueSelector extends NativeSelectorBase {
  constructor() {
    super('kqueue', EVENT_EDGE);
  }

  /** The descriptor of the kqueue, which another selector can watch. @throws ValueError after close */
  fileno(): number {
    this._checkOpen();
    return this._native.fd;
  }

  /**
   * Differs from asyncio: one step, which finds out that the number was closed and used again, instead of leaving and entering
   * again. A bad mask is refused, and leaves nothing registered (SEL-024). @internal
   */
  override _modifyEvents(key: SelectorKey, fileobj: FileObject, events: number, data: unknown): SelectorKey {
    if (this._isValid(events)) {
      return super._modifyEvents(new SelectorKey(fileobj, key.fd, key.events, key.data), fileobj, events, data);
    }
    this.unregister(fileobj);
    return this.register(fileobj, events, data);
  }

  /** @internal */
  override _refusalAdvice(code: string): string {
    return UNWATCHABLE.includes(code)
      ? ' cannot be watched by kqueue, as some devices cannot: use a SelectSelector'
      : '';
  }
}

/**
 * Windows' completion port, which is told of by the driver behind Winsock. Only sockets: whatever else is open is refused
 * when it is registered (ENOTSOCK), and so is what is not open (EBADF). Reports of errors go to both directions. Supports
 * 'priority'. asyncio has no such selector: its completion ports are another kind of loop.
 */
export class IocpSelector extends NativeSelectorBase {
  constructor() {
    super('iocp', EVENT_PRI);
  }

  /** @internal */
  override _refusalAdvice(code: string): string {
    if (code === 'ENOTSOCK') return ' is no socket, and only sockets can be watched on Windows';
    if (code !== 'ENOTSUP') return '';
    return ' is hidden by a layered service provider (netsh winsock show catalog): use a SelectSelector';
  }
}

/**
 * select(2). Only descriptors below FD_SETSIZE; one that is not open makes `select` throw EBADF. Supports 'priority'. On
 * Windows any number of sockets, and nothing but sockets (ENOTSOCK).
 */
export class SelectSelector extends NativeSelectorBase {
  constructor() {
    super('select', EVENT_PRI);
  }

  /** Leaves and enters again, so that a bad mask is refused and leaves nothing registered (SEL-024). @internal */
  override _modifyEvents(_key: SelectorKey, fileobj: FileObject, events: number, data: unknown): SelectorKey {
    this.unregister(fileobj);
    return this.register(fileobj, events, data);
  }
}

/** A selector class that needs no arguments. */
export type SelectorClass = new () => NativeSelectorBase;

const classes: Readonly<Record<string, SelectorClass>> = {
  epoll: EpollSelector,
  iocp: IocpSelector,
  kqueue: KqueueSelector,
  poll: PollSelector,
  select: SelectSelector,
};

function usable(name: string): boolean {
  try {
    new classes[name]().close();
    return true;
  } catch {
    return false;
  }
}

/** The best selector of this system of which an instance could be made. asyncio: DefaultSelector. */
export const DefaultSelector: SelectorClass =
  classes[binding.selectorNames.find((name) => name in classes && usable(name)) ?? 'select'];
