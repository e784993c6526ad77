'use strict';
// utility.js: an echo server in a utility process: the place for much traffic, and for synchronous runs.

const { getRunningLoop, run, runSync, sleep } = require('fdloop');
const { EchoServer } = require('./echo');

// No window stands still because of this.
runSync(() => sleep(0.01));

run(async () => {
  const server = await getRunningLoop().createServer(() => new EchoServer(), '127.0.0.1', 0);
  process.parentPort.postMessage({ port: server.sockets[0].getsockname()[1] });
  await server.serveForever();
});
