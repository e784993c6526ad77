'use strict';
// idle.js: what a connection that only stays costs in memory: ten thousand of them, each used once.

const everybody = [
  ...['C epoll', 'libuv in C', 'fdloop', 'fdloop, buffered', 'fdloop, sync', 'fdloop, newer Node'],
  ...['uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'],
];

module.exports = {
  title: 'Idle connections',
  measures: 'memory of the server (anonymous, resident) for each of 10,000 connections',
  unit: 'bytes',
  base: 'Node',
  subject: 'fdloop',
  names: 'what is held',

  async run(bench) {
    // A process that has held ten thousand keeps their memory: each sample needs a new one.
    const rounds = bench.quick ? 1 : 3;
    await bench.cells(
      'memory for each connection',
      bench.contenders(everybody),
      async ({ name }) => {
        try {
          const [server] = await bench.servers([name], 'echo');
          if (!server) return {};
          const { memory, perSecond } = await bench.load(server, 'hold', { connections: bench.quick ? 3000 : 10000 });
          return { 'memory for each connection': { value: Math.max(memory ?? 0, 1), perSecond } };
        } finally {
          await bench.stop();
        }
      },
      rounds,
    );
  },
};
