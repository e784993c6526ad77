'use strict';
// bulk.js: one gibibyte in one connection: written in pieces, sent from a file, received.

const fs = require('node:fs');
const { built } = require('../harness/make');

const writers = ['C epoll', 'fdloop', 'fdloop, sync', 'uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'];
// uvloop and Bun have no call of their own for it.
const senders = ['C epoll', 'fdloop', 'fdloop, sync', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'];
const readers = [
  ...['C epoll', 'libuv in C', 'fdloop', 'fdloop, buffered', 'fdloop, sync'],
  ...['uvloop', 'Bun', 'Go', 'asyncio', 'Deno', 'newer Node', 'Node'],
];

const GiB = 2 ** 30;

/** A file of that size, sparse: reading it costs no disk. */
function fileOf(size) {
  const file = built('bulk.bin');
  if (!fs.existsSync(file)) fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  return file;
}

module.exports = {
  title: 'Bulk',
  measures: 'processor time of the server for each KiB',
  unit: 'ns',
  base: 'C epoll',
  subject: 'fdloop',
  names: 'what is moved',

  async run(bench) {
    const bytes = bench.quick ? GiB / 8 : GiB;
    const size = bench.quick ? '128 MiB' : '1 GiB';
    for (const [name, kind, who, mode, args] of [
      [`write, ${size} in 64 KiB`, 'sink', writers, 'source', [bytes, 65536]],
      [`write, ${size} in 1 MiB`, 'sink', writers, 'source', [bytes, 1048576]],
      [`sendfile, ${size}`, 'sink', senders, 'sendfile', [fileOf(bytes)]],
      [`receive, ${size}`, 'source', readers, 'sink', []],
    ]) {
      const servers = await bench.servers(who, mode, args.map(String));
      await bench.cells(
        name,
        servers,
        async (server) => {
          const sample = await bench.load(server, kind, { bytes });
          return { [name]: { ...sample, value: sample.value * 1024 } };
        },
        3,
      );
      await bench.stop();
    }
  },
};
