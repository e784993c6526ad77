'use strict';
// echo.js: messages that come back, over TCP. The figure that most users will feel, and the one where a layer too many shows.

const everybody = [
  'C epoll',
  'libuv in C',
  'fdloop',
  'fdloop, buffered',
  'fdloop, sync',
  'fdloop, sync, buffered',
  'fdloop, newer Node',
  'uvloop',
  'Bun',
  'Go',
  'asyncio',
  'Deno',
  'newer Node',
  'Node',
];

const kib = (size) => (size < 1024 ? `${size} B` : `${size / 1024} KiB`);

module.exports = {
  title: 'Echo over TCP',
  measures: 'processor time of the server for each message',
  unit: 'ns',
  base: 'C epoll',
  subject: 'fdloop',
  names: 'connections x size, messages under way on each',

  async run(bench) {
    const servers = await bench.servers(everybody, 'echo');
    await bench.warmUp(servers, 'echo', { connections: 50 });
    const sizes = bench.quick ? [64, 16384] : [64, 1024, 16384];
    for (const connections of bench.quick ? [1, 50] : [1, 50, 500]) {
      for (const size of sizes) {
        for (const pipeline of [1, 16]) {
          await bench.cell(`${connections} x ${kib(size)}, ${pipeline}`, servers, (server) =>
            bench.load(server, 'echo', { connections, size, pipeline }),
          );
        }
      }
    }
  },

  /** One panel for each number of connections: the mean over sizes and pipelines. */
  panels: (cells) =>
    [...new Set(cells.map(({ name }) => name.split(' ')[0]))].map((connections) => ({
      title: `${connections} connection${connections === '1' ? '' : 's'}`,
      cells: cells.filter(({ name }) => name.startsWith(`${connections} `)),
    })),
};
