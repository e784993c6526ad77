// echo.mjs: an echo server and a client on one hosted loop, by `import`. Run in a folder where the package is installed.

import assert from 'node:assert';
import { createRequire } from 'node:module';
import { getRunningLoop, Protocol, run } from 'fdloop';
import { VirtualClock } from 'fdloop/testing';

const required = createRequire(import.meta.url);
assert.strictEqual(required('fdloop').Protocol, Protocol, 'one class, however it was asked for');
assert.strictEqual(required('fdloop/testing').VirtualClock, VirtualClock);

class Echo extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(chunk) {
    this.transport.write(chunk);
  }
}

class Client extends Protocol {
  constructor(answered) {
    super();
    this.answered = answered;
  }

  dataReceived(chunk) {
    this.answered.setResult(chunk.toString());
  }
}

await run(async () => {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new Echo(), '127.0.0.1', 0);
  const answered = loop.createFuture();
  const [, port] = server.sockets[0].getsockname();
  const [transport] = await loop.createConnection(() => new Client(answered), '127.0.0.1', port);
  transport.write(Buffer.from('hello'));
  assert.strictEqual(await answered, 'hello');
  transport.close();
  server.close();
  await server.waitClosed();
});
console.log('echo by import: ok');
