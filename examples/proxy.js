'use strict';
// proxy.js: a TCP proxy of two coroutines for each connection; a slow side slows the other one down, because `drain` waits.
//   node examples/proxy.js 8080 example.org 80

const { openConnection, run, startServer, taskGroup } = require('..');

const [port, host, hostPort] = process.argv.slice(2);

async function pump(reader, writer) {
  for (let chunk = await reader.read(65536); chunk.length > 0; chunk = await reader.read(65536)) {
    writer.write(chunk);
    await writer.drain();
  }
  if (writer.canWriteEof()) writer.writeEof();
}

async function serve(reader, writer) {
  try {
    const [farReader, farWriter] = await openConnection(host, Number(hostPort));
    try {
      await taskGroup(async (group) => {
        group.createTask(() => pump(reader, farWriter));
        group.createTask(() => pump(farReader, writer));
      });
    } finally {
      farWriter.close();
    }
  } catch (error) {
    console.error(`a connection failed: ${(error.errors ?? [error]).join(', ')}`);
  } finally {
    writer.close();
  }
}

run(async () => {
  const server = await startServer(serve, '127.0.0.1', Number(port));
  console.log('listening on port', server.sockets[0].getsockname()[1]);
  await server.serveForever();
});
