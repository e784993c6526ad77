'use strict';
// echo.js: an echo server and a client on one hosted loop, by `require`. Run in a folder where the package is installed.

const assert = require('node:assert');
const { getRunningLoop, Protocol, run } = require('fdloop');

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

async function main() {
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
}

void run(main).then(() => console.log('echo by require: ok'));
