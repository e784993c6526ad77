// signals.test.ts: a signal in the middle of a blocking call.

import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';

import { useCompiledLibrary } from '../support/compiled-library';
import { testOnPosix } from '../support/systems';

const library = useCompiledLibrary();

testOnPosix('SOCK-045: blocking calls go on after signals whose handlers return', async () => {
  const name = path.join(os.tmpdir(), `fdloop-signals-${process.pid}`);
  let signals: NodeJS.Timeout | undefined;
  let sent = 0;
  let client: net.Socket | undefined;
  const end = await library.run(
    `process.on('SIGWINCH', () => {});
     const { AF_UNIX } = fdloop.socketConstants;
     const name = ${JSON.stringify(name)};
     const listener = new fdloop.Socket(AF_UNIX);
     listener.bind(name);
     listener.listen();
     listener.setblocking(true);
     process.stdout.write('waiting', () => {
       const [socket] = listener.accept();
       socket.setblocking(true);
       const received = socket.recv(100);
       socket.close();
       listener.close();
       require('node:fs').unlinkSync(name);
       console.log(' got', received.toString());
     });`,
    {
      onOutput: (_text, child) => {
        signals ??= setInterval(() => {
          child.kill('SIGWINCH');
          sent += 1;
          if (sent === 10) client = net.connect(name);
          if (sent === 20) client?.write('all of it');
        }, 2);
      },
    },
  );
  clearInterval(signals);
  client?.destroy();
  expect(end).toEqual({ status: 0, signal: null, stdout: 'waiting got all of it\n', stderr: '' });
});
