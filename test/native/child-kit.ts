// child-kit.ts: what scripts for the binding have in common, and what their ends are held against.

import { binding } from '../../lib/native/binding';
import type { ChildEnd } from '../support/compiled-library';

/** A selector for each way to watch one: with a descriptor, and without, for all that are the best of their system. */
export const watched = (
  [
    ['nested', 'epoll'],
    ['nested', 'kqueue'],
    ['thread', 'poll'],
    ['thread', 'iocp'],
    ['thread', 'select'],
  ] as const
).filter(([, name]) => binding.selectorNames.includes(name) && (name !== 'select' || process.platform === 'win32'));

/** Fails with what the child had to say, unless it ended well. */
export function expectOk(end: ChildEnd): void {
  expect(end).toEqual({ status: 0, signal: null, stdout: 'ok\n', stderr: '' });
}

/** Names of the scripts: `own` keeps a descriptor, `end` closes all of them and says that it went well. */
export const childKit = `
  const assert = require('node:assert');
  const { AF_INET, AF_UNIX, SOCK_STREAM, SOCK_DGRAM, SOL_SOCKET, SO_ERROR, SO_REUSEADDR } = addon.constants;
  const hasBatches = process.platform === 'linux';
  const hasFiles = process.platform !== 'win32';
  const { EINVAL, EBADF, ENOSYS, ENOTSUP, EPERM, EAGAIN, ENAMETOOLONG, EAFNOSUPPORT } = addon.errnoByName;
  const opened = [];
  const own = (fd) => { assert(fd >= 0); opened.push(fd); return fd; };
  const PAIR_FAMILY = process.platform === 'win32' ? AF_INET : AF_UNIX;
  const socket = (type = SOCK_STREAM) => own(addon.socket(PAIR_FAMILY, type, 0));
  // Two sockets for UDP that have each other as their peer.
  const datagramPair = (fds) => {
    const names = [0, 1].map((index) => {
      const name = new Uint8Array(addon.SOCKADDR_STORAGE_SIZE);
      const room = new ArrayBuffer(8 + name.length);
      fds[index] = addon.socket(AF_INET, SOCK_DGRAM, 0);
      assert.strictEqual(addon.bind(fds[index], name, addon.encodeInetAddress(AF_INET, '127.0.0.1', 0, 0, 0, name)), 0);
      assert.strictEqual(addon.getsocknameAt(fds[index], room), 0);
      return new Uint8Array(room, 8, new Int32Array(room)[0]);
    });
    fds.forEach((fd, index) => assert.strictEqual(addon.connect(fd, names[1 - index], names[1 - index].length), 0));
  };
  const pair = (type = SOCK_STREAM) => {
    const fds = new Int32Array(2);
    if (type === SOCK_DGRAM && PAIR_FAMILY === AF_INET) datagramPair(fds);
    else assert.strictEqual(addon.socketpair(PAIR_FAMILY, type, 0, fds), 0);
    for (const fd of fds) { own(fd); addon.setNonBlocking(fd, true); }
    return [...fds];
  };
  // What this build has for its system, and how a host can watch it.
  const best = addon.selectorNames[0];
  const watchMode = ['epoll', 'kqueue'].includes(best) ? 'nested' : 'thread';
  const closeAll = () => { for (const fd of opened.splice(0)) addon.close(fd); };
  const address = () => new Uint8Array(addon.SOCKADDR_STORAGE_SIZE);
  const attempt = (call) => { try { return { result: call() }; } catch (error) { return { error }; } };
  const isTypeError = ({ error }) => error instanceof TypeError && error.code === 'ERR_INVALID_ARG_TYPE';
  const end = () => { closeAll(); console.log('ok'); };
  const collect = () => {
    require('node:v8').setFlagsFromString('--expose-gc');
    require('node:vm').runInNewContext('gc')();
  };
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  // Known on Linux only; elsewhere nothing is ever open.
  const openCount = () => process.platform === 'linux' ? require('node:fs').readdirSync('/proc/self/fd').length : 0;
`;
