// activation.test.ts: a listening socket that somebody else opened, as systemd hands it to a service.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';

import { Socket } from '../../lib/sockets/socket';
import { useCompiledLibrary } from '../support/compiled-library';
import { needProgram, useFolder } from './kit';

/** What a service does: its sockets begin at descriptor 3. */
const service = `
  class Greeting extends fdloop.Protocol {
    connectionMade(transport) {
      transport.write(Buffer.from('pid ' + process.pid + ' fds ' + process.env.LISTEN_FDS));
      transport.close();
    }
    connectionLost() { fdloop.getRunningLoop().stop(); }
  }
  fdloop.run(function* () {
    const loop = fdloop.getRunningLoop();
    const server = yield* loop.createServer(() => new Greeting(), null, null, { sock: fdloop.Socket.fromFd(3) });
    yield* server.serveForever();
  }).catch((error) => { if (error.code !== 'ERR_LOOP_STOPPED') throw error; });`;

function freePort(): number {
  const socket = new Socket();
  socket.bind(['127.0.0.1', 0]);
  const [, port] = socket.getsockname() as [string, number];
  socket.close();
  return port;
}

/** Connects as soon as somebody listens. */
async function greeting(port: number): Promise<string> {
  for (;;) {
    const client = net.connect(port, '127.0.0.1');
    const text = await new Promise<string | null>((resolve) => {
      let received = '';
      client.on('data', (chunk: Buffer) => (received += chunk.toString()));
      client.on('end', () => resolve(received));
      client.on('error', () => resolve(null));
    });
    client.destroy();
    if (text !== null && text !== '') return text;
  }
}

describe('socket activation', () => {
  const library = useCompiledLibrary();
  const folder = useFolder();

  beforeAll(() => needProgram('systemd-socket-activate'));

  test('a service of ours serves on the socket that systemd-socket-activate opened', async () => {
    const port = freePort();
    const script = library.script(service, folder.file('service.js'));
    const child = spawn('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, process.execPath, script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const text = await greeting(port);
    expect(text).toBe(`pid ${child.pid} fds 1`);
    await once(child, 'exit');
  });
});
