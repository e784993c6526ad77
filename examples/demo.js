'use strict';
// demo.js: what `npm start` shows. An echo server and some clients, on one fdloop loop, hosted in this Node process beside
// a plain setInterval that keeps ticking. Ends by itself after some seconds, or on Ctrl-C.

const { run, sleep, getRunningLoop, Protocol } = require('..');

const SECONDS = Number(process.env.DEMO_SECONDS ?? 5);
const CLIENTS = 20;
const MESSAGE = Buffer.alloc(64, 'x');

let messages = 0;

class EchoServer extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(chunk) {
    this.transport.write(chunk);
  }
}

class EchoClient extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
    this.missing = MESSAGE.length;
    transport.write(MESSAGE);
  }

  dataReceived(chunk) {
    this.missing -= chunk.length;
    if (this.missing > 0) return;
    messages += 1;
    this.missing = MESSAGE.length;
    this.transport.write(MESSAGE);
  }
}

// Listening before run() leaves Ctrl-C to us: it would cancel main() otherwise, as in asyncio.
let stopped = false;
process.on('SIGINT', () => {
  stopped = true;
});

let ticks = 0;
const ticking = setInterval(() => {
  ticks += 1;
}, 100);

async function main() {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new EchoServer(), '127.0.0.1', 0);
  const [host, port] = server.sockets[0].getsockname();
  console.log(`echo server on ${host}:${port}, ${CLIENTS} clients, messages of ${MESSAGE.length} bytes`);

  const transports = [];
  for (let count = 0; count < CLIENTS; count++) {
    const [transport] = await loop.createConnection(() => new EchoClient(), host, port);
    transports.push(transport);
  }

  let before = 0;
  const steps = SECONDS * 2;
  for (let step = 1; step <= steps && !stopped; step++) {
    const started = loop.time();
    await sleep(0.5);
    const rate = Math.round((messages - before) / (loop.time() - started));
    before = messages;
    const line = `${(step / 2).toFixed(1)} s  ${rate.toLocaleString('en')} messages/s  setInterval ticked ${ticks} times`;
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
  }
  if (process.stdout.isTTY) process.stdout.write('\n');

  for (const transport of transports) transport.abort();
  server.close();
  await server.waitClosed();
  console.log(
    stopped ? 'stopped by Ctrl-C, everything closed' : `done: ${messages.toLocaleString('en')} messages echoed`,
  );
}

run(main).finally(() => clearInterval(ticking));
