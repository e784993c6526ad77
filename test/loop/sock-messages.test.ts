// sock-messages.test.ts: messages and descriptors through the loop: they wait as the other sock verbs do, and a descriptor that
// nobody takes any more is closed.

import { closeSync, fstatSync, readSync } from 'node:fs';

import { ancillary } from '../../lib/sockets/ancillary';
import { AF_INET, SOCK_DGRAM, SOL_SOCKET } from '../../lib/sockets/constants';
import { cmsgSpace } from '../../lib/sockets/control';
import { pipe } from '../../lib/sockets/owned-fd';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { useLoop } from '../support/loops';
import { SO_SNDBUF } from '../support/options';
import { describeOnPosix } from '../support/systems';

const isOpen = (fd: number): boolean => {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
};

describeOnPosix('sock verbs for messages', () => {
  const subject = useLoop('sync');
  let near: Socket;
  let far: Socket;

  beforeEach(() => {
    [near, far] = socketpair();
    subject.current.atEnd(() => {
      near.close();
      far.close();
    });
  });

  const iterate = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };

  test('sockRecvFds waits for descriptors, which are then the caller’s', async () => {
    const { loop } = subject.current;
    const [readEnd, writeEnd] = pipe();
    const waiting = loop.createTask(loop.sockRecvFds(near, 4, 100));
    await iterate(2);
    expect(waiting.done()).toBe(false);
    await subject.current.run(loop.sockSendFds(far, [writeEnd], Buffer.from('an end')));
    const { data, fds } = await subject.current.run(waiting);
    expect([data.toString(), fds.length]).toEqual(['an end', 1]);
    closeSync(fds[0]);
    writeEnd.close();
    expect(readSync(readEnd.fileno(), Buffer.alloc(1))).toBe(0);
    readEnd.close();
  });

  test('sockSendFds sends all of its data, and refuses what is no list', async () => {
    const { loop } = subject.current;
    near.setsockopt(SOL_SOCKET, SO_SNDBUF, 4096);
    const data = Buffer.alloc(1_000_000, 'x');
    const sending = loop.createTask(loop.sockSendFds(near, [far], data));
    const { fds, data: first } = await subject.current.run(loop.sockRecvFds(far, 1, 100));
    for (const fd of fds) closeSync(fd);
    let received = first.length;
    while (received < data.length) received += (await subject.current.run(loop.sockRecv(far, 65_536))).length;
    await subject.current.run(sending);
    expect([fds.length, received]).toEqual([1, data.length]);
    const refused = { code: 'ERR_INVALID_ARG_TYPE' };
    await expect(subject.current.run(loop.sockSendFds(near, 1 as never))).rejects.toMatchObject(refused);
    await expect(subject.current.run(loop.sockSendFds(near, [1], 'text' as never))).rejects.toMatchObject(refused);
  });

  test.each([
    ['sockRecvFds', (sock: Socket) => subject.current.loop.sockRecvFds(sock, 1, 10)],
    ['sockRecvmsg', (sock: Socket) => subject.current.loop.sockRecvmsg(sock, 10, cmsgSpace(4))],
  ])('%s that is cancelled after it has taken a descriptor closes it', async (_name, verb) => {
    const { loop } = subject.current;
    const taken: number[] = [];
    near.recvmsg = (...args) => {
      const message = Socket.prototype.recvmsg.apply(near, args);
      taken.push(...(ancillary.fds.decode(message[1]) ?? []));
      // Before the task is told.
      loop.callSoon(() => waiting.cancel());
      return message;
    };
    near.recvFds = (...args) => {
      const received = Socket.prototype.recvFds.apply(near, args);
      taken.push(...received.fds);
      loop.callSoon(() => waiting.cancel());
      return received;
    };
    const waiting = loop.createTask<unknown>(verb(near));
    await iterate(1);
    far.sendFds([far]);
    await subject.current.run(waiting).catch(() => undefined);
    expect([waiting.cancelled(), taken.map(isOpen)]).toEqual([true, [false]]);
  });

  test('sockSendmsg and sockRecvmsg carry a datagram, its sender and what came along', async () => {
    const { loop } = subject.current;
    const [one, other] = [new Socket(AF_INET, SOCK_DGRAM), new Socket(AF_INET, SOCK_DGRAM)];
    one.bind(['127.0.0.1', 0]);
    other.bind(['127.0.0.1', 0]);
    const waiting = loop.createTask(loop.sockRecvmsg(one, 100));
    await iterate(2);
    const chunks = [Buffer.from('in two '), Buffer.from('pieces')];
    expect(await subject.current.run(loop.sockSendmsg(other, chunks, [], 0, one.getsockname()))).toBe(13);
    const [data, items, , from] = await subject.current.run(waiting);
    expect([data.toString(), items, from]).toEqual(['in two pieces', [], other.getsockname()]);
    one.close();
    other.close();
  });
});
