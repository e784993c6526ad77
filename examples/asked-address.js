'use strict';
// asked-address.js: a UDP server on all addresses sees which one was asked, and answers from there.

const { ancillary, getRunningLoop, run, Socket, socketConstants, socketOptions } = require('..');

const { AF_INET, SOCK_DGRAM } = socketConstants;

run(async () => {
  const loop = getRunningLoop();
  const server = new Socket(AF_INET, SOCK_DGRAM);
  socketOptions.packetInfo.set(server, true);
  server.bind(['', 0]);
  const [, port] = server.getsockname();
  loop.addReader(server, () => {
    const [question, items, , client] = server.recvmsg(1500, 256);
    const asked = ancillary.packetInfo.decode(items);
    server.sendmsg(
      [Buffer.from(`${question} at ${asked.destination}`)],
      [ancillary.packetInfo.encode(asked)],
      0,
      client,
    );
  });

  for (const host of ['127.0.0.1', '127.0.0.2', '127.9.9.9']) {
    const client = new Socket(AF_INET, SOCK_DGRAM);
    await loop.sockSendto(client, Buffer.from('who is there'), [host, port]);
    const [answer, [from]] = await loop.sockRecvfrom(client, 1500);
    console.log(`${answer}, says ${from}`);
    client.close();
  }
  loop.removeReader(server);
  server.close();
});
