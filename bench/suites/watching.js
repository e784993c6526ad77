'use strict';
// watching.js: descriptors that are always ready, watched from Node: by fdloop, and by the packages that people use today.

const { contender } = require('../harness/contenders');

// Name, way of node-watching.js. koffi has a verb for this, and can call poll(2): on the spot, which keeps Node from everything
// else, or on a thread of Node's pool.
const ways = [
  ['watch()', 'watch'],
  ['loop.addReader()', 'reader'],
  ['EpollSelector', 'selector'],
  ['koffi.node.poll()', 'koffiPoll'],
  ['koffi, poll(2) in place', 'koffi'],
  ['koffi, poll(2) on a thread', 'koffiAsync'],
  ['epoll', 'epoll'],
  ['@serialport poller', 'serialport'],
];

module.exports = {
  title: 'Watching descriptors',
  measures: 'processor time for each event',
  unit: 'ns',
  base: 'watch()',
  subject: 'watch()',
  names: 'descriptors',

  async run(bench) {
    const node = contender('Node');
    const program = (way, count) => bench.program(node, 'watching', [way, String(count)], 20);
    const participants = [];
    for (const [name, way] of ways) {
      try {
        bench.versions[name] = (await program(way, 0)).version.value;
        participants.push({ name, way });
      } catch (error) {
        bench.skip(name, error.message);
      }
    }
    for (const count of [1, 16, 128]) {
      await bench.cell(`${count} ready`, participants, async ({ way }) => (await program(way, count)).event);
    }
  },
};
