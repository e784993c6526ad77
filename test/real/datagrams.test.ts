// datagrams.test.ts: programs of the system send datagrams to Unix sockets of ours.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { run } from '../../lib/runner';
import { getRunningLoop } from '../../lib/futures/current';
import type { SelectorEventLoop } from '../../lib/event-loop';
import { wrapPromise } from '../../lib/futures/ensure-future';
import { AF_UNIX } from '../../lib/sockets/constants';
import { DatagramProtocol } from '../../lib/transports/protocol';
import { needProgram, useFolder } from './kit';

const start = promisify(execFile);

class Collecting extends DatagramProtocol {
  readonly texts: string[] = [];

  constructor(private readonly enough: () => boolean | void) {
    super();
  }

  override datagramReceived(data: Buffer): void {
    this.texts.push(data.toString());
    this.enough();
  }
}

/** What arrives at a Unix datagram socket at `path` until `count` datagrams are there. */
function collect(path: string, count: number, send: () => Promise<unknown>): Promise<string[]> {
  return run(function* () {
    const loop = getRunningLoop() as SelectorEventLoop;
    const done = loop.createFuture<void>();
    const protocol: Collecting = new Collecting(() => {
      if (protocol.texts.length === count) done.setResult();
    });
    const [transport] = yield* loop.createDatagramEndpoint(() => protocol, { family: AF_UNIX, localAddr: path });
    yield* wrapPromise(send(), loop);
    yield* done;
    transport.close();
    return protocol.texts;
  });
}

describe('datagrams of the system', () => {
  const folder = useFolder();

  beforeAll(() => needProgram('systemd-notify', 'logger'));

  test('systemd-notify tells a socket of ours that a service is ready', async () => {
    const path = folder.file('notify');
    const texts = await collect(path, 1, () =>
      start('systemd-notify', ['--ready', '--no-block', '--status=all is well'], {
        env: { ...process.env, NOTIFY_SOCKET: path },
      }),
    );
    expect(texts[0].split('\n').sort()).toEqual(expect.arrayContaining(['READY=1', 'STATUS=all is well']));
  });

  test('logger writes to a socket of ours as it does to /dev/log', async () => {
    const path = folder.file('log');
    const texts = await collect(path, 2, async () => {
      await start('logger', ['-u', path, '-t', 'fdloop', '-p', 'daemon.info', 'first message']);
      await start('logger', ['-u', path, '-t', 'fdloop', '-p', 'daemon.info', 'second message']);
    });
    expect(texts).toEqual([
      expect.stringMatching(/^<30>.*fdloop.*first message/),
      expect.stringMatching(/^<30>.*fdloop.*second message/),
    ]);
  });
});
