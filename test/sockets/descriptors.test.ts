// descriptors.test.ts: descriptors that travel, none of which may be left over, and credentials.

import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';

import { EVENT_READ } from '../../lib/base/constants';
import { BlockingIOError, ValueError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { ancillary } from '../../lib/sockets/ancillary';
import { AF_INET, AF_UNIX, SOCK_DGRAM, socketConstants } from '../../lib/sockets/constants';
import { cmsgLen, cmsgSpace } from '../../lib/sockets/control';
import { socketOptions } from '../../lib/sockets/options';
import { Socket } from '../../lib/sockets/socket';
import { closedDescriptor } from '../support/descriptors';
import { thrownBy, useSocketKit, waitFor } from './socket-kit';
import { describeOnLinux, describeOnPosix, testOnLinux } from '../support/systems';

const { MSG_CTRUNC } = socketConstants;
const kit = useSocketKit();

/** How many descriptors this process has, of any kind. */
const openCount = (): number => fs.readdirSync('/dev/fd').length;

function closeAll(fds: readonly number[]): void {
  for (const fd of fds) fs.closeSync(fd);
}

/** Several descriptors of one open file. */
function withFiles<R>(count: number, action: (fds: number[]) => R): R {
  const fds = Array.from({ length: count }, () => fs.openSync('/dev/null', 'r'));
  try {
    return action(fds);
  } finally {
    closeAll(fds);
  }
}

describeOnPosix('passing descriptors', () => {
  test('a file arrives as a descriptor of its own, with the bytes', () => {
    const [left, right] = kit.current.pair();
    const folder = kit.current.folder();
    fs.writeFileSync(`${folder}/file`, 'contents');
    const sent = fs.openSync(`${folder}/file`, 'r');
    expect(left.sendFds([sent], Buffer.from('here it is'))).toBe(10);
    fs.closeSync(sent);
    const { data, fds, flags, address, ancillary: others } = right.recvFds(1, 100);
    expect([data.toString(), fds.length, flags, address, others]).toEqual(['here it is', 1, 0, null, []]);
    expect(fs.readFileSync(fds[0], 'utf8')).toBe('contents');
    closeAll(fds);
  });

  test('what is no list of descriptors is refused, and nothing is sent', () => {
    const [left, right] = kit.current.pair();
    expect(() => left.sendFds(1 as never)).toThrow('descriptors to send are in an array, not number');
    expect(() => right.recvFds(1)).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
  });

  test('a socket arrives alive', () => {
    const [left, right] = kit.current.pair();
    const [client, server] = kit.current.connection();
    left.sendFds([server]);
    server.close();
    const { data, fds } = right.recvFds(1);
    expect([...data]).toEqual([0]);
    const adopted = kit.current.own(Socket.fromFd(fds[0]));
    expect(adopted.family).toBe(AF_INET);
    client.send(Buffer.from('x'));
    waitFor(adopted, EVENT_READ);
    expect(adopted.recv(1).toString()).toBe('x');
  });

  test('what arrives is close-on-exec', () => {
    const [left, right] = kit.current.pair();
    withFiles(1, (files) => left.sendFds(files));
    const { fds } = right.recvFds(1);
    expect(binding.getInheritable(fds[0])).toBe(0);
    closeAll(fds);
    withFiles(1, (files) => left.sendFds(files));
    const items = right.recvmsg(1, cmsgSpace(4))[1];
    const [fd] = ancillary.fds.decode(items);
    expect(binding.getInheritable(fd)).toBe(0);
    closeAll([fd]);
  });

  // What others do with those that find no room is not known, nor their limits.
  testOnLinux('more than were asked for are closed, and the flags say so', () => {
    const [left, right] = kit.current.pair();
    for (const [sent, wanted] of [
      [5, 2],
      [2, 1],
      [253, 3],
      [3, 0],
    ]) {
      withFiles(sent, (files) => left.sendFds(files));
      const before = openCount();
      const { data, fds, flags } = right.recvFds(wanted);
      expect([data.length, fds.length, flags & MSG_CTRUNC]).toEqual([1, wanted, MSG_CTRUNC]);
      closeAll(fds);
      expect(openCount()).toBe(before);
    }
  });

  testOnLinux('as many as one message carries arrive, and one more is refused', () => {
    const [left, right] = kit.current.pair();
    withFiles(254, (files) => {
      expect(thrownBy(() => left.sendFds(files))).toMatchObject({ code: 'EINVAL', syscall: 'sendmsg' });
      left.sendFds(files.slice(1));
    });
    const { fds, flags } = right.recvFds(253);
    expect([fds.length, flags]).toEqual([253, 0]);
    closeAll(fds);
    expect(thrownBy(() => right.recvFds(254))).toBeInstanceOf(ValueError);
  });

  testOnLinux('recvmsg with little room gets as many as fit, and the others are closed', () => {
    const [left, right] = kit.current.pair();
    withFiles(4, (files) => left.sendFds(files));
    const before = openCount();
    const [, items, flags] = right.recvmsg(1, cmsgLen(3 * 4));
    const fds = ancillary.fds.decode(items);
    expect([fds.length, flags & MSG_CTRUNC]).toEqual([3, MSG_CTRUNC]);
    expect(openCount()).toBe(before + 3);
    closeAll(fds);
    withFiles(4, (files) => left.sendFds(files));
    expect(right.recvmsg(1)[1]).toEqual([]);
    withFiles(4, (files) => left.sendFds(files));
    right.recv(1);
    expect(openCount()).toBe(before);
  });

  test('a message without descriptors has none', () => {
    const [left, right] = kit.current.pair();
    left.send(Buffer.from('abc'));
    expect(right.recvFds(10, 10)).toEqual({
      data: Buffer.from('abc'),
      fds: [],
      flags: 0,
      address: null,
      ancillary: [],
    });
    expect(thrownBy(() => right.recvFds(10, 10))).toBeInstanceOf(BlockingIOError);
    left.close();
    expect(right.recvFds(10, 10).data).toHaveLength(0);
  });

  test('a read does not go beyond the bytes that descriptors came with', () => {
    const [left, right] = kit.current.pair();
    withFiles(2, (files) => {
      left.sendFds([files[0]], [Buffer.from('a'), Buffer.from('b')]);
      left.sendFds([files[1]], Buffer.from('c'));
    });
    const messages = [right.recvFds(5, 10), right.recvFds(5, 10)];
    expect(messages.map(({ data, fds }) => [data.toString(), fds.length])).toEqual([
      ['ab', 1],
      ['c', 1],
    ]);
    closeAll(messages.flatMap(({ fds }) => fds));
  });

  test('descriptors that nobody receives are closed with the socket', () => {
    const before = openCount();
    const [left, right] = kit.current.pair();
    withFiles(3, (files) => left.sendFds(files));
    left.close();
    right.close();
    expect(openCount()).toBe(before);
  });

  test('a datagram carries descriptors and its sender', () => {
    const receiver = kit.current.socket(AF_UNIX, SOCK_DGRAM);
    const folder = kit.current.folder();
    receiver.bind(`${folder}/receiver`);
    const sender = kit.current.socket(AF_UNIX, SOCK_DGRAM);
    sender.bind(`${folder}/sender`);
    sender.connect(receiver.getsockname() as string);
    withFiles(1, (files) => sender.sendFds(files, Buffer.from('x')));
    const { fds, address } = receiver.recvFds(1);
    expect([fds.length, address]).toEqual([1, sender.getsockname()]);
    closeAll(fds);
  });

  testOnLinux('credentials may come along and take nothing from the descriptors', () => {
    const [left, right] = kit.current.pair();
    socketOptions.passCredentials.set(right, true);
    withFiles(3, (files) => left.sendFds(files));
    const { fds, flags, ancillary: others } = right.recvFds(3);
    expect([fds.length, flags]).toEqual([3, 0]);
    expect(ancillary.credentials.decode(others)?.pid).toBe(process.pid);
    closeAll(fds);
  });

  testOnLinux('a process that may have no more descriptors loses those, and learns of it', () => {
    const limit = spawnSync(
      'bash',
      [
        '-c',
        `ulimit -n 64; exec "$0" -e '
        const addon = require(process.argv[1]);
        const fs = require("node:fs");
        const fds = new Int32Array(2);
        addon.socketpair(1, 1, 0, fds);
        const none = new Uint8Array(0);
        const list = new Uint8Array(new Int32Array(10).fill(fds[0]).buffer);
        const control = new Uint8Array(addon.controlSpace(40));
        addon.appendControl(control, 0, 1, addon.constants.SCM_RIGHTS, list);
        addon.sendMessage(fds[0], [Buffer.from("x")], 1, 0, control, control.length, none, 0);
        const extra = [];
        try { for (;;) extra.push(fs.openSync("/dev/null", "r")); } catch {}
        fs.closeSync(extra.pop()); fs.closeSync(extra.pop());
        const lengths = new Int32Array(3);
        const got = addon.recvMessage(fds[1], [Buffer.alloc(1)], 1, 0, control, none, lengths);
        const entry = new Int32Array(4);
        addon.nextControl(control, lengths[1], 0, entry);
        console.log(got, entry[3] / 4, lengths[2] === addon.constants.MSG_CTRUNC);' "$1"`,
        process.execPath,
        require.resolve('../../build/Release/addon.node'),
      ],
      { encoding: 'utf8' },
    );
    expect([limit.stdout, limit.stderr]).toEqual(['1 2 true\n', '']);
  });

  test('what is no open descriptor is refused, and nothing is sent', () => {
    const [left, right] = kit.current.pair();
    expect(thrownBy(() => left.sendFds([closedDescriptor()]))).toMatchObject({ code: 'EBADF', syscall: 'sendmsg' });
    const closed = kit.current.socket();
    closed.close();
    expect(thrownBy(() => left.sendFds([closed]))).toMatchObject({ code: 'EBADF' });
    for (const value of ['1', null, undefined, {}, { fileno: () => '1' }]) {
      expect(thrownBy(() => left.sendFds([value as never]))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    }
    expect(thrownBy(() => left.sendFds([0], 'text' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(thrownBy(() => right.recv(1))).toBeInstanceOf(BlockingIOError);
    expect(thrownBy(() => right.recvFds('1' as never))).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  });

  // The BSDs refuse it.
  testOnLinux('a socket of another family carries no descriptors', () => {
    const [client] = kit.current.connection();
    expect(client.sendFds([0], Buffer.from('x'))).toBe(1);
  });
});

describeOnLinux('credentials', () => {
  const own = { pid: process.pid, uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1 };

  test('a connected Unix socket knows its peer', () => {
    const [left, right] = kit.current.pair();
    expect(left.peerCredentials()).toEqual(own);
    expect(socketOptions.peerCredentials.get(right)).toEqual(own);
  });

  test('a socket without a peer has no process', () => {
    expect(kit.current.socket(AF_UNIX).peerCredentials()).toEqual({ pid: 0, uid: 0xffffffff, gid: 0xffffffff });
  });

  test('each message names its sender, when the receiver wants it', () => {
    const [left, right] = kit.current.pair(SOCK_DGRAM);
    expect(socketOptions.passCredentials.get(right)).toBe(false);
    socketOptions.passCredentials.set(right, true);
    left.send(Buffer.from('x'));
    expect(ancillary.credentials.decode(right.recvmsg(1, cmsgSpace(12))[1])).toEqual(own);
    left.sendmsg([Buffer.from('x')], [ancillary.credentials.encode(own)]);
    expect(ancillary.credentials.decode(right.recvmsg(1, cmsgSpace(12))[1])).toEqual(own);
    expect(ancillary.credentials.decode([])).toBeNull();
  });

  test('only root may name another process, and only one that there is', () => {
    const [left] = kit.current.pair(SOCK_DGRAM);
    const nobody = ancillary.credentials.encode({ ...own, pid: 2 ** 22 + 1 });
    const error = thrownBy(() => left.sendmsg([Buffer.from('x')], [nobody]));
    expect(error).toMatchObject({ code: own.uid === 0 ? 'ESRCH' : 'EPERM', syscall: 'sendmsg' });
  });
});
