'use strict';
// shutdown.js: an echo server that ends well. SIGTERM or Ctrl-C: it takes no new connections, and those that are there may go on for
// some seconds; a second one ends them at once. SIGHUP: it says how many they are.
//   node examples/shutdown.js 8080, and  nc localhost 8080

const { Event, getRunningLoop, run, startServer, TimeoutError, waitFor } = require('..');

const PATIENCE = 30; // seconds

let connections = 0;

async function echo(reader, writer) {
  connections += 1;
  try {
    for await (const line of reader) {
      writer.write(line);
      await writer.drain();
    }
  } finally {
    connections -= 1;
    writer.close();
  }
}

run(async () => {
  const loop = getRunningLoop();
  const server = await startServer(echo, '127.0.0.1', Number(process.argv[2]));
  console.log('listening on port', server.sockets[0].getsockname()[1]);

  const isOver = new Event();
  for (const signal of ['SIGTERM', 'SIGINT']) {
    loop.addSignalHandler(signal, () => (isOver.isSet() ? server.abortClients() : isOver.set()));
  }
  loop.addSignalHandler('SIGHUP', () => console.log('connections:', connections));
  await isOver.wait();

  server.close();
  console.log('no new connections');
  try {
    await waitFor(server.waitClosed(), PATIENCE);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    server.abortClients();
    await server.waitClosed();
  }
  console.log('the end');
});
