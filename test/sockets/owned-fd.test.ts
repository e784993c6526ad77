// owned-fd.test.ts: descriptors with an owner, and pipes.

import * as fs from 'node:fs';
import { inspect } from 'node:util';

import { OSError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { OwnedFd, pipe } from '../../lib/sockets/owned-fd';
import { closedDescriptor } from '../support/descriptors';
import { isOpen } from '../support/pipes';
import { describeOnPosix, isWindows } from '../support/systems';
import { thrownBy } from './socket-kit';

describeOnPosix('OwnedFd', () => {
  test('closes its descriptor, once', () => {
    const fd = fs.openSync('/dev/null', 'r');
    const owned = new OwnedFd(fd);
    expect([owned.fileno(), inspect(owned)]).toEqual([fd, `<OwnedFd fd=${fd}>`]);
    owned.close();
    owned.close();
    expect([owned.fileno(), inspect(owned), isOpen(fd)]).toEqual([-1, '<OwnedFd closed>', false]);
  });

  test('gives its descriptor away', () => {
    const fd = fs.openSync('/dev/null', 'r');
    const owned = new OwnedFd(fd);
    expect([owned.detach(), owned.detach(), owned.fileno()]).toEqual([fd, -1, -1]);
    owned.close();
    expect(isOpen(fd)).toBe(true);
    fs.closeSync(fd);
  });

  test('is closed at the end of a `using` block', () => {
    const owned = new OwnedFd(fs.openSync('/dev/null', 'r'));
    owned[Symbol.dispose]();
    expect(owned.fileno()).toBe(-1);
  });

  test.each([
    [-1, 'ERR_INVALID_ARG_VALUE'],
    [0.5, 'ERR_INVALID_ARG_VALUE'],
    ['1', 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
  ])('%p is no descriptor', (value, code) => {
    expect(thrownBy(() => new OwnedFd(value as never)).code).toBe(code);
  });

  test('a number where nothing is open is refused', () => {
    expect(thrownBy(() => new OwnedFd(closedDescriptor())).code).toBe('EBADF');
  });

  test('tells if the descriptor was closed by somebody else', () => {
    const fd = fs.openSync('/dev/null', 'r');
    const owned = new OwnedFd(fd);
    fs.closeSync(fd);
    expect(thrownBy(() => owned.close()).code).toBe('EBADF');
    expect(owned.fileno()).toBe(-1);
  });
});

describeOnPosix('pipe', () => {
  test('what is written to one end is read from the other; both block and are close-on-exec', () => {
    const [readEnd, writeEnd] = pipe();
    for (const end of [readEnd, writeEnd]) {
      expect([binding.getNonBlocking(end.fileno()), binding.getInheritable(end.fileno())]).toEqual([0, 0]);
    }
    fs.writeSync(writeEnd.fileno(), 'data');
    writeEnd.close();
    expect(fs.readFileSync(readEnd.fileno(), 'utf8')).toBe('data');
    readEnd.close();
  });
});

(isWindows ? test : test.skip)('there are no pipes on Windows', () => {
  const error = thrownBy(() => pipe());
  expect(error).toBeInstanceOf(OSError);
  expect(error.code).toBe('ENOSYS');
});
