'use strict';
// main.js: an echo server on a loop that is hosted in Electron's main process, and another one in a utility process; the
// main process talks to both, and says so in a window. `--test` runs fdloop's cases for Electron and both servers, prints
// the outcome and quits (test/electron/cases.js, of fdloop's repository).

const { app, BrowserWindow, MessageChannelMain, utilityProcess } = require('electron');
const path = require('node:path');

const { getRunningLoop, Protocol, run } = require('fdloop');
const { EchoServer } = require('./echo');

/** What an echo server on `port` sends back. */
async function talk(port, text) {
  const loop = getRunningLoop();
  const answered = loop.createFuture();
  let received = '';
  class Client extends Protocol {
    connectionMade(transport) {
      this.transport = transport;
      transport.write(Buffer.from(text));
    }
    dataReceived(chunk) {
      received += chunk;
      if (received.length === text.length) this.transport.close();
    }
    connectionLost(error) {
      if (error === null) answered.setResult(received);
      else answered.setException(error);
    }
  }
  await loop.createConnection(() => new Client(), '127.0.0.1', port);
  return answered;
}

/** Starts utility.js. It has a main thread of its own, so it may block, and its work does not disturb the windows. */
function startUtility() {
  const child = utilityProcess.fork(path.join(__dirname, 'utility.js'));
  const port = new Promise((resolve, reject) => {
    child.once('message', ({ port }) => resolve(port));
    child.once('exit', (code) => reject(new Error(`the utility process ended with ${code}`)));
  });
  return { port, stop: () => child.kill() };
}

async function main() {
  const server = await getRunningLoop().createServer(() => new EchoServer(), '127.0.0.1', 0);
  const utility = startUtility();
  try {
    return [
      await talk(server.sockets[0].getsockname()[1], 'from the main process'),
      await talk(await utility.port, 'from the utility process'),
    ];
  } finally {
    utility.stop();
    server.close();
    await server.waitClosed();
  }
}

/** Has functions called in tasks of the main thread, outside of libuv's loop: where messages of Chromium arrive. */
function taskPoster() {
  const { port1, port2 } = new MessageChannelMain();
  const waiting = [];
  port1.on('message', () => waiting.shift()());
  port1.start();
  return (action, seconds = 0) => {
    setTimeout(() => {
      waiting.push(action);
      port2.postMessage(null);
    }, seconds * 1000);
  };
}

async function test() {
  const runCases = require('../../test/electron/cases');
  console.log(
    `Electron ${process.versions.electron}, Node ${process.versions.node}, ${process.platform}-${process.arch}`,
  );
  const counts = await runCases(require('fdloop'), taskPoster());
  try {
    console.log(`ok - servers in the main process and in a utility process answer: ${(await run(main)).join(', ')}`);
    counts.passed += 1;
  } catch (error) {
    console.log(`not ok - servers in the main process and in a utility process answer\n${error.stack}`);
    counts.failed += 1;
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  app.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}

async function show() {
  const lines = await run(main);
  const window = new BrowserWindow({ width: 480, height: 240 });
  await window.loadURL(`data:text/plain,${encodeURIComponent(lines.join('\n'))}`);
}

app.on('window-all-closed', () => app.quit());
app
  .whenReady()
  .then(() => (process.argv.includes('--test') ? test() : show()))
  .catch((error) => {
    console.error(error);
    app.exit(1);
  });
