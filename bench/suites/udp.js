'use strict';
// udp.js: datagrams that come back.

const everybody = [
  ...[
    'C epoll',
    'libuv in C',
    'fdloop',
    'fdloop, sync',
    'uvloop',
    'Bun',
    'Go',
    'asyncio',
    'Deno',
    'newer Node',
    'Node',
  ],
];

module.exports = {
  title: 'Echo over UDP',
  measures: 'processor time of the server for each datagram',
  unit: 'ns',
  base: 'C epoll',
  subject: 'fdloop',
  names: 'size, datagrams under way',

  async run(bench) {
    const servers = await bench.servers(everybody, 'udp');
    await bench.warmUp(servers, 'udp', { pipeline: 8 });
    for (const [name, parameters] of [
      ['64 B, 1', { pipeline: 1 }],
      ['64 B, 8', { pipeline: 8 }],
      ['1 KiB, 8', { pipeline: 8, size: 1024 }],
    ]) {
      await bench.cell(name, servers, (server) => bench.load(server, 'udp', parameters));
    }
  },
};
