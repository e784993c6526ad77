'use strict';
// streams.js: echo over TCP by coroutines that await: readers and writers, `for await` of a socket in Node.

const everybody = ['asyncio', 'uvloop', 'fdloop', 'fdloop, sync', 'fdloop, newer Node', 'newer Node', 'Node'];

module.exports = {
  title: 'Echo by streams',
  measures: 'processor time of the server for each message',
  unit: 'ns',
  base: 'asyncio',
  subject: 'fdloop',
  names: 'connections x size, messages under way on each',

  async run(bench) {
    const servers = await bench.servers(everybody, 'streams');
    await bench.warmUp(servers, 'echo', { connections: 50 });
    for (const [name, parameters] of [
      ['1 x 64 B, 1', { connections: 1, size: 64, pipeline: 1 }],
      ['50 x 64 B, 1', { connections: 50, size: 64, pipeline: 1 }],
      ['50 x 1 KiB, 16', { connections: 50, size: 1024, pipeline: 16 }],
      ['50 x 16 KiB, 1', { connections: 50, size: 16384, pipeline: 1 }],
    ]) {
      await bench.cell(name, servers, (server) => bench.load(server, 'echo', parameters));
    }
  },
};
