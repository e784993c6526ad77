// selector-register-contract.ts: the part of the selector contract about file objects, register and unregister.

import * as fs from 'node:fs';

import { EVENT_READ, EVENT_WRITE } from '../../lib/base/constants';
import { KeyError, OSError, PermissionError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { SelectorKey } from '../../lib/selectors/base-selector';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { closedDescriptor } from '../support/descriptors';
import type { SelectorSubject } from './selector-contract';
import { thrownBy, useSelectorKit } from './selector-kit';

const BOTH = EVENT_READ | EVENT_WRITE;

/** A file object whose `fileno` can be told what to do. */
class Told {
  constructor(public answer: unknown) {}

  fileno(): number {
    if (this.answer instanceof Error) throw this.answer;
    return this.answer as number;
  }
}

export function fileObjectContract({ make }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test('SEL-002: a number is a descriptor, and an object is asked for its own', () => {
    const [byNumber, byObject] = kit.current.pair();
    expect(selector.register(byNumber.fileno(), EVENT_READ).fd).toBe(byNumber.fileno());
    expect(selector.register(byObject, EVENT_READ).fd).toBe(byObject.fileno());
  });

  test('SEL-002: a numeric string from fileno() counts', () => {
    const [socket] = kit.current.pair();
    for (const text of [`${socket.fileno()}`, ` ${socket.fileno()} `, `+${socket.fileno()}`]) {
      const key = selector.register(new Told(text), EVENT_READ);
      expect(key.fd).toBe(socket.fileno());
      selector.unregister(key.fd);
    }
  });

  // Differs from asyncio: Python's booleans are integers; a boolean here is somebody's mistake.
  test.each([
    ['a boolean', true],
    ['null', null],
    ['undefined', undefined],
    ['a string', '1'],
    ['a bigint', 1n],
    ['NaN', NaN],
    ['infinity', Infinity],
    ['a fraction', 1.5],
    ['a number beyond 31 bits', 2 ** 31],
    ['an object without fileno()', {}],
    ['an object whose fileno is no function', { fileno: 5 }],
    ['an object without a prototype', Object.create(null)],
    ['an object whose fileno() gives a word', new Told('five')],
    ['an object whose fileno() gives nothing', new Told(undefined)],
    ['an object whose fileno() gives a boolean', new Told(true)],
    ['an object whose fileno() gives an empty string', new Told('')],
    ['an object whose fileno() gives a fraction', new Told(7.5)],
    ['an object whose fileno() throws a TypeError', new Told(new TypeError('told so'))],
    ['an object whose fileno() throws a ValueError', new Told(new ValueError('told so'))],
  ])('SEL-003: %s is no file object', (_what, value) => {
    const fileObject = value as unknown as number;
    for (const verb of [
      () => selector.register(fileObject, EVENT_READ),
      () => selector.unregister(fileObject),
      () => selector.modify(fileObject, EVENT_READ),
      () => selector.getKey(fileObject),
    ]) {
      const error = thrownBy(verb);
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_INVALID_FILE_OBJECT');
      expect(error.message).toMatch(/^invalid file object: /);
    }
    expect(selector.getMap()?.size).toBe(0);
  });

  test('what else fileno() throws goes to the caller', () => {
    const problem = new OSError('gone', { code: 'EBADF', errno: -9 });
    expect(thrownBy(() => selector.register(new Told(problem), EVENT_READ))).toBe(problem);
  });

  test.each([-1, -7])('SEL-004: the negative descriptor %d is refused', (fd) => {
    for (const fileObject of [fd, new Told(fd), new Told(String(fd))]) {
      const error = thrownBy(() => selector.register(fileObject, EVENT_READ));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.message).toBe(`invalid file descriptor: ${fd}`);
      expect(error.code).toBe('ERR_INVALID_FD');
    }
  });
}

export function registerContract({ make, traits }: SelectorSubject): void {
  const kit = useSelectorKit();
  let selector: NativeSelectorBase;
  beforeEach(() => {
    selector = kit.current.own(make());
  });

  test('SEL-001: read is 1 and write is 2, and 1, 2 and 3 are the masks', () => {
    expect([EVENT_READ, EVENT_WRITE]).toEqual([1, 2]);
    const [socket] = kit.current.pair();
    for (const mask of [1, 2, 3]) {
      expect(selector.register(socket, mask).events).toBe(mask);
      selector.unregister(socket);
    }
  });

  test('SEL-005: a key is a frozen record of fileobj, fd, events and data, in this order', () => {
    const [socket] = kit.current.pair();
    const data = { some: 'thing' };
    const key = selector.register(socket, BOTH, data);
    expect(key).toBeInstanceOf(SelectorKey);
    expect(Object.entries(key)).toEqual([
      ['fileobj', socket],
      ['fd', socket.fileno()],
      ['events', BOTH],
      ['data', data],
    ]);
    expect(() => Object.assign(key, { events: EVENT_READ })).toThrow(TypeError);
    expect(key.events).toBe(BOTH);
  });

  test('SEL-005: keys are compared by value', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, BOTH, 'data');
    const fd = socket.fileno();
    expect(key.equals(new SelectorKey(socket, fd, BOTH, 'data'))).toBe(true);
    expect(key.equals(new SelectorKey(other, fd, BOTH, 'data'))).toBe(false);
    expect(key.equals(new SelectorKey(socket, fd + 1, BOTH, 'data'))).toBe(false);
    expect(key.equals(new SelectorKey(socket, fd, EVENT_READ, 'data'))).toBe(false);
    expect(key.equals(new SelectorKey(socket, fd, BOTH, 'other'))).toBe(false);
  });

  test.each([0, 4, 7, -1, 1.5, 2 ** 32 + 1, 0x80001, NaN, '1', null, undefined, true])(
    'SEL-006: the mask %p is refused',
    (mask) => {
      let asked = false;
      const fileObject = {
        fileno: () => {
          asked = true;
          return 0;
        },
      };
      const error = thrownBy(() => selector.register(fileObject, mask as number));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_INVALID_EVENTS');
      expect(error.message).toMatch(/^invalid events: /);
      expect(asked).toBe(false);
    },
  );

  test('SEL-006: the mask is looked at before the file object', () => {
    expect(thrownBy(() => selector.register(-1, 0)).code).toBe('ERR_INVALID_EVENTS');
  });

  test('SEL-007: a known descriptor is refused, also through another object', () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    for (const fileObject of [socket, socket.fileno(), new Told(socket.fileno())]) {
      const error = thrownBy(() => selector.register(fileObject, EVENT_WRITE));
      expect(error).toBeInstanceOf(KeyError);
      expect(error.code).toBe('ERR_ALREADY_REGISTERED');
    }
    expect(selector.getKey(socket)).toBe(key);
  });

  test('SEL-008: data is null when left out, and the new key is given back', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    expect(key.data).toBeNull();
    expect(selector.getKey(socket)).toBe(key);
    expect(selector.register(other, EVENT_READ, 0).data).toBe(0);
  });

  // Differs from asyncio: there poll and select take it, and report it for ever.
  const testWithFiles = traits.socketsOnly ? test.skip : test;
  testWithFiles('SEL-009, SEL-010: a regular file or a directory is refused, and leaves no key', () => {
    for (const fd of [kit.current.file(), kit.current.fd(fs.openSync('/', 'r'))]) {
      for (const mask of [EVENT_READ, EVENT_WRITE, BOTH]) {
        const error = thrownBy(() => selector.register(fd, mask));
        expect(error).toBeInstanceOf(PermissionError);
        expect(error.code).toBe('EPERM');
        expect(error.syscall).toBe(`${traits.facility} register`);
        expect(error.message).toContain(
          `descriptor ${fd} is always ready, as regular files and directories are, and cannot be watched`,
        );
      }
      expect(selector.getMap()?.size).toBe(0);
      expect(selector.getMap()?.has(fd)).toBe(false);
    }
    expect(selector.select(0)).toEqual([]);
  });

  if (traits.refusesAtRegistration) {
    test('SEL-009, SEL-011: a descriptor that is not open is refused, and leaves no key', () => {
      const fd = closedDescriptor();
      const error = thrownBy(() => selector.register(fd, EVENT_READ));
      expect(error).toBeInstanceOf(OSError);
      expect(error.code).toBe('EBADF');
      expect(selector.getMap()?.size).toBe(0);
    });

    test('SEL-009: a refused descriptor can be registered later', () => {
      const [socket] = kit.current.pair();
      const fd = socket.fileno();
      socket.close();
      expect(() => selector.register(fd, EVENT_READ)).toThrow(OSError);
      kit.current.pairWithFd(fd);
      expect(selector.register(fd, EVENT_WRITE).fd).toBe(fd);
      expect(selector.select(0).map(([key]) => key.fd)).toEqual([fd]);
    });
  } else {
    test('SEL-011: a descriptor that is not open is accepted', () => {
      const fd = closedDescriptor();
      expect(selector.register(fd, EVENT_READ).fd).toBe(fd);
      expect(selector.getMap()?.has(fd)).toBe(true);
    });
  }

  if (traits.descriptorLimit !== null) {
    // Differs from asyncio, where the descriptor is taken and every select fails from then on.
    test('a descriptor beyond the limit is refused when it is registered', () => {
      const error = thrownBy(() => selector.register(traits.descriptorLimit as number, EVENT_READ));
      expect(error).toBeInstanceOf(OSError);
      expect(error.code).toBe('EINVAL');
      expect(selector.getMap()?.size).toBe(0);
      expect(selector.select(0)).toEqual([]);
    });
  }

  test('SEL-012: unregister gives the key back, and forgets it', () => {
    const [socket] = kit.current.pair();
    const key = selector.register(socket, EVENT_WRITE, 'data');
    expect(selector.unregister(socket)).toBe(key);
    expect(selector.getMap()?.size).toBe(0);
    expect(selector.select(0)).toEqual([]);
    expect(selector.register(socket, EVENT_WRITE)).not.toBe(key);
  });

  test('SEL-012: unregister of an unknown descriptor is a KeyError', () => {
    const [socket] = kit.current.pair();
    for (const fileObject of [socket, socket.fileno(), closedDescriptor()]) {
      const error = thrownBy(() => selector.unregister(fileObject));
      expect(error).toBeInstanceOf(KeyError);
      expect(error.code).toBe('ERR_NOT_REGISTERED');
      expect(error.message).toMatch(/is not registered$/);
    }
  });

  test('SEL-013: a descriptor that was closed elsewhere can be unregistered', () => {
    const [socket] = kit.current.pair();
    const fd = socket.fileno();
    const key = selector.register(fd, EVENT_READ);
    socket.close();
    expect(binding.getNonBlocking(fd)).toBe(-binding.errnoByName.EBADF);
    expect(selector.unregister(fd)).toBe(key);
    expect(selector.getMap()?.size).toBe(0);
  });

  test('SEL-014, SEL-015: an object registered as such is found after it was closed', () => {
    const [socket, other] = kit.current.pair();
    const key = selector.register(socket, EVENT_READ);
    selector.register(other, EVENT_READ);
    socket.close();
    expect(selector.getKey(socket)).toBe(key);
    expect(selector.getMap()?.has(socket)).toBe(true);
    expect(selector.modify(socket, EVENT_READ, 'data').data).toBe('data');
    expect(selector.unregister(socket)).toMatchObject({ fd: key.fd, data: 'data' });
    expect(thrownBy(() => selector.unregister(socket))).toBeInstanceOf(ValueError);
  });

  test('SEL-015: an object registered by number is not found after it was closed, but its number is', () => {
    const [socket] = kit.current.pair();
    const fd = socket.fileno();
    const key = selector.register(fd, EVENT_READ);
    socket.close();
    const error = thrownBy(() => selector.unregister(socket));
    expect(error).toBeInstanceOf(ValueError);
    expect(error.message).toBe('invalid file descriptor: -1');
    expect(selector.unregister(fd)).toBe(key);
  });

  test('SEL-014: an object whose fileno() throws is found by identity, and its error is told if it is not', () => {
    const [socket] = kit.current.pair();
    const fileObject = new Told(socket.fileno());
    const key = selector.register(fileObject, EVENT_READ);
    const problem = new Error('there is no descriptor any more');
    fileObject.answer = problem;
    expect(selector.unregister(fileObject)).toBe(key);
    expect(thrownBy(() => selector.unregister(fileObject))).toBe(problem);
  });
}
