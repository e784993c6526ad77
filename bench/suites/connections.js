'use strict';
// connections.js: connections that come and go, and those that only stay.

const everybody = [
  ...['C epoll', 'libuv in C', 'fdloop', 'fdloop, buffered', 'fdloop, sync', 'fdloop, newer Node'],
  ...['uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'],
];

module.exports = {
  title: 'Connections',
  measures: 'processor time of the server for each connection',
  unit: 'ns',
  base: 'C epoll',
  subject: 'fdloop',
  names: 'what happens',

  async run(bench) {
    const servers = await bench.servers(everybody, 'echo');
    await bench.warmUp(servers, 'connect', { connections: 32 });
    for (const [name, parameters] of [
      ['connect, 64 B and back, close; 32 under way', { connections: 32 }],
      ['connect, close: a storm of 300', { connections: 300, size: 0 }],
    ]) {
      await bench.cell(name, servers, (server) => bench.load(server, 'connect', parameters));
    }
  },
};
