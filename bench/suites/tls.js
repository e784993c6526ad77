'use strict';
// tls.js: the same over TLS 1.3, and handshakes (with one message each).

const { built } = require('../harness/make');

const everybody = ['C epoll', 'fdloop', 'fdloop, sync', 'uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'];

module.exports = {
  title: 'Echo over TLS 1.3',
  measures: 'processor time of the server for each message or connection',
  unit: 'ns',
  base: 'Node',
  subject: 'fdloop',
  names: 'connections x size',

  async run(bench) {
    const servers = await bench.servers(everybody, 'tls', [built('cert.pem'), built('key.pem')]);
    await bench.warmUp(servers, 'echo', { tls: 1, connections: 10 });
    await bench.warmUp(servers, 'connect', { tls: 1, connections: 10 });
    const cells = [
      ['50 x 64 B', 'echo', { connections: 50, size: 64 }],
      ['50 x 16 KiB', 'echo', { connections: 50, size: 16384 }],
      ['handshake, 32 under way', 'connect', { connections: 32, size: 64 }],
    ];
    for (const [name, kind, parameters] of cells) {
      await bench.cell(name, servers, (server) => bench.load(server, kind, { tls: 1, ...parameters }));
    }
  },
};
