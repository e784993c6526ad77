// accept.test.ts: the accept loop, from a ready listening socket to a protocol.

import { KeyboardInterrupt } from '../../lib/base/errors';
import { setLogReceiver } from '../../lib/base/log';
import { EVENT_READ } from '../../lib/base/constants';
import { AF_INET, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import type { SelectorEventLoop } from '../../lib/event-loop';
import type { Server } from '../../lib/network/server';
import { TransportSocket } from '../../lib/transports/transport-socket';
import { again, systemError } from '../support/errors';
import { useLoop } from '../support/loops';
import { addressOf, connectTo } from '../support/peers';
import { NotingProtocol, type Reactions } from '../support/protocols';

/** A listening socket whose accept answers from a script first. */
class ScriptedListener extends Socket {
  readonly script: (Error | undefined)[] = [];
  accepts = 0;

  override accept(): ReturnType<Socket['accept']> {
    this.accepts += 1;
    const error = this.script.shift();
    if (error !== undefined) throw error;
    return super.accept();
  }
}

describe('the accept loop', () => {
  const subject = useLoop('virtual');
  let listener: ScriptedListener;
  let server: Server;
  let protocols: NotingProtocol[];

  const iterate = async (count = 1): Promise<void> => {
    for (let index = 0; index < count; index++) await subject.current.runOnce();
  };
  const serve = async (options: { backlog?: number; reactions?: Reactions; factory?: () => NotingProtocol } = {}) => {
    const { loop } = subject.current;
    listener = new ScriptedListener(AF_INET, SOCK_STREAM);
    listener.bind(['127.0.0.1', 0]);
    protocols = [];
    const factory =
      options.factory ??
      (() => {
        const protocol = new NotingProtocol(options.reactions ?? {});
        protocols.push(protocol);
        return protocol;
      });
    const serveOptions = { sock: listener, ...(options.backlog === undefined ? {} : { backlog: options.backlog }) };
    server = await subject.current.run(loop.createServer(factory, null, null, serveOptions));
    subject.current.atEnd(() => {
      server.close();
      for (const protocol of protocols) protocol.transport?.abort();
    });
  };
  const listening = (): boolean => subject.current.loop._isWatched(listener.fileno(), EVENT_READ);

  test('ACC-001, ACC-002: a server reads its listening socket, with a backlog of 100', async () => {
    await serve();
    expect([listening(), server._backlog]).toEqual([true, 100]);
  });

  test('ACC-003, ACC-026: one readiness takes as many as the backlog, the rest come later', async () => {
    await serve({ backlog: 2 });
    // The kernel admits one more than the backlog.
    for (let index = 0; index < 3; index++) connectTo(subject.current, addressOf(server));
    listener.accepts = 0;
    await iterate();
    expect(listener.accepts).toBe(2);
    await iterate();
    expect(listener.accepts).toBe(4);
    await iterate(3);
    expect(protocols).toHaveLength(3);
  });

  test('ACC-004: with a backlog of 0 one is taken for each readiness', async () => {
    await serve({ backlog: 0 });
    connectTo(subject.current, addressOf(server));
    await iterate(3);
    expect(protocols).toHaveLength(1);
  });

  test('ACC-005, ACC-014, ACC-015, ACC-016: factory one iteration after accept, connectionMade one after that', async () => {
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    const made: [number, number][] = [];
    for (let index = 0; index < 3; index++) {
      await iterate();
      made.push([protocols.length, protocols[0]?.events.length ?? 0]);
    }
    expect(made).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ]);
    const { transport } = protocols[0];
    expect(transport.getExtraInfo('peername')).toEqual(client.getsockname());
    expect(transport._sock?.gettimeout()).toBe(0);
  });

  test.each([again(), systemError('ECONNABORTED', 'aborted')])('ACC-007: %p ends the batch quietly', async (error) => {
    await serve();
    connectTo(subject.current, addressOf(server));
    listener.script.push(error);
    await iterate();
    expect(listener.accepts).toBe(1);
    await iterate(3);
    expect(protocols).toHaveLength(1);
  });

  test.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])(
    'ACC-008, ACC-009, ACC-010, ACC-012: after %s one report, a pause of one second, then it goes on',
    async (code) => {
      const { loop } = subject.current;
      await serve();
      connectTo(subject.current, addressOf(server));
      const error = systemError(code);
      listener.script.push(error);
      await iterate();
      const [context, ...more] = subject.current.takeContexts();
      expect(more).toEqual([]);
      expect(context).toMatchObject({ exception: error, socket: expect.any(TransportSocket) });
      expect([listener.accepts, listening(), loop._scheduled.length]).toEqual([1, false, 1]);
      const start = loop.time();
      await subject.current.run(function* () {
        while (protocols.length === 0) yield* sleepOnce(loop);
      });
      expect(loop.time() - start).toBeGreaterThanOrEqual(1);
    },
  );

  test('ACC-011: a server that was closed in that second is not opened again', async () => {
    const { loop } = subject.current;
    await serve();
    connectTo(subject.current, addressOf(server));
    listener.script.push(systemError('EMFILE'));
    await iterate();
    subject.current.takeContexts();
    server.close();
    await subject.current.run(function* () {
      const end = loop.time() + 2;
      while (loop.time() < end) yield* sleepOnce(loop);
    });
    expect(protocols).toEqual([]);
  });

  test('ACC-013: any other error is reported, and serving goes on', async () => {
    await serve();
    connectTo(subject.current, addressOf(server));
    const error = systemError('EINVAL');
    listener.script.push(error);
    await iterate();
    expect(subject.current.takeContexts()[0]).toMatchObject({
      exception: error,
      message: expect.stringContaining('Exception in callback'),
    });
    await iterate(3);
    expect(protocols).toHaveLength(1);
  });

  test('ACC-019: the fatal pair of the factory ends the run', async () => {
    await serve({
      factory: () => {
        throw new KeyboardInterrupt();
      },
    });
    connectTo(subject.current, addressOf(server));
    await expect(iterate(3)).rejects.toBeInstanceOf(KeyboardInterrupt);
  });

  test('ACC-020, ACC-021: an error of the factory is swallowed without debug, and the socket is closed', async () => {
    const error = new Error('no protocol');
    await serve({
      factory: () => {
        throw error;
      },
    });
    const client = connectTo(subject.current, addressOf(server));
    await iterate(3);
    expect(client.recv(1)).toHaveLength(0);
    subject.current.loop.setDebug(true);
    connectTo(subject.current, addressOf(server));
    await iterate(3);
    const [context] = subject.current.takeContexts();
    expect(Object.keys(context).sort()).toEqual(['exception', 'message']);
    expect(context.exception).toBe(error);
  });

  test('ACC-022, ACC-018: a set-up that is cancelled closes its transport and ends normally', async () => {
    const { loop } = subject.current;
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    await iterate(2);
    const [task] = [...loop._tasks];
    task.cancel();
    await iterate(3);
    expect([task.cancelled(), task.exception()]).toEqual([false, null]);
    expect(client.recv(1)).toHaveLength(0);
  });

  test('ACC-021: a set-up that is cancelled before its first step closes the socket', async () => {
    const { loop } = subject.current;
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    await iterate();
    const [task] = [...loop._tasks];
    task.cancel();
    await iterate();
    expect([task.cancelled(), protocols]).toEqual([true, []]);
    expect(client.recv(1)).toHaveLength(0);
  });

  test('ACC-021: a task factory that throws is reported, and the socket is closed', async () => {
    const { loop } = subject.current;
    const error = new Error('no task');
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    loop.setTaskFactory(() => {
      throw error;
    });
    await iterate();
    loop.setTaskFactory(null);
    expect(subject.current.takeContexts()).toEqual([expect.objectContaining({ exception: error })]);
    expect(client.recv(1)).toHaveLength(0);
  });

  test('ACC-016, ACC-020: a factory that gives no protocol closes the connection', async () => {
    const { loop } = subject.current;
    await serve({ factory: () => undefined as unknown as NotingProtocol });
    loop.setDebug(true);
    const client = connectTo(subject.current, addressOf(server));
    await iterate(3);
    loop.setDebug(false);
    expect(subject.current.takeContexts()).toEqual([
      expect.objectContaining({ exception: expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }) }),
    ]);
    expect(client.recv(1)).toHaveLength(0);
  });

  test('ACC-023: a server closed between accept and set-up drops the connection', async () => {
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    await iterate();
    server.close();
    await iterate(2);
    expect(protocols.map((protocol) => protocol.names())).toEqual([[]]);
    expect(client.recv(1)).toHaveLength(0);
  });

  test('ACC-006: each accept is logged in debug mode', async () => {
    const messages: string[] = [];
    await serve();
    connectTo(subject.current, addressOf(server));
    subject.current.loop.setDebug(true);
    setLogReceiver((record) => messages.push(`${record.level} ${record.message}`));
    await iterate();
    setLogReceiver(null);
    subject.current.loop.setDebug(false);
    await iterate(2);
    expect(messages.some((message) => message.startsWith('debug') && message.includes('new connection'))).toBe(true);
  });

  test('ACC-024, ACC-025: closing the server stops listening and leaves connections alone', async () => {
    await serve();
    const client = connectTo(subject.current, addressOf(server));
    await iterate(3);
    const fd = listener.fileno();
    server.close();
    expect([listener.fileno(), subject.current.loop._isWatched(fd, EVENT_READ)]).toEqual([-1, false]);
    client.send(Buffer.from('still there'));
    await iterate();
    expect(protocols[0].received.map(String)).toEqual(['still there']);
  });
});

function* sleepOnce(loop: SelectorEventLoop) {
  const future = loop.createFuture<void>();
  loop.callLater(0.25, () => future.setResult());
  yield* future;
}
