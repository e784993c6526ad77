'use strict';
// node-watching.js: what an event costs on descriptors that are always ready, by the ways there are in Node. The callbacks count
// and do nothing else.
//
//   node node-watching.js WAY COUNT      prints { event: nanoseconds }, and its version with COUNT = 0

const path = require('node:path');
const fdloop = require(process.env.FDLOOP_PACKAGE ?? '../..');
const { perOperation } = require('./clock');

const [way, count] = [process.argv[2], Number(process.argv[3])];

const installed = (name) => require(path.join(__dirname, '..', 'node_modules', name));

const pairs = Array.from({ length: count }, () => fdloop.socketpair());
for (const [, writer] of pairs) writer.send(Buffer.from('x'));
const fds = pairs.map(([reader]) => reader.fileno());

// The first ones do not count: as many rounds as the compiler needs. Of what takes a thread for an event, or for a round, there
// are fewer.
const WARM = Math.min(3_000 * count, 200_000);
const MOST = 1_000_000;
const TOTAL =
  { epoll: 10_000, serialport: 10_000, koffiAsync: Math.min(10_000 * count, MOST) }[way] ??
  Math.min(100_000 * count, MOST);

let seen = 0;
let before;

/** To be called for each event. @returns false at the end */
function event() {
  seen += 1;
  if (seen === WARM) before = process.cpuUsage();
  return seen < WARM + TOTAL;
}

function done() {
  console.log(JSON.stringify({ event: perOperation(TOTAL, before) }));
  process.exit(0);
}

/** poll(2) by koffi, and its array of struct pollfd as bytes. */
function polling() {
  const poll = installed('koffi').load('libc.so.6').func('int poll(void *fds, unsigned long count, int timeout)');
  const entries = Buffer.alloc(8 * fds.length);
  fds.forEach((fd, index) => {
    entries.writeInt32LE(fd, 8 * index);
    entries.writeInt16LE(1, 8 * index + 4);
  });
  const words = new Int16Array(entries.buffer, entries.byteOffset, 4 * fds.length);
  const tell = () => {
    for (let index = 0; index < fds.length; index++) if (words[4 * index + 3] !== 0) event() || done();
  };
  return { poll, entries, tell };
}

const version = (name) => require(path.join(__dirname, '..', 'node_modules', name, 'package.json')).version;

const ways = {
  watch: {
    version: () => require('../../package.json').version,
    run() {
      for (const fd of fds) fdloop.watch(fd, 'r', () => event() || done());
    },
  },

  reader: {
    version: () => require('../../package.json').version,
    run() {
      const loop = fdloop.newEventLoop();
      for (const fd of fds) loop.addReader(fd, () => event() || done());
      loop.runForever();
    },
  },

  selector: {
    version: () => require('../../package.json').version,
    run() {
      const selector = new fdloop.EpollSelector();
      for (const fd of fds) selector.register(fd, fdloop.EVENT_READ);
      for (;;) for (const _ of selector.select(0)) event() || done();
    },
  },

  // The fastest that a foreign function interface can do, and nothing else happens in the thread.
  koffi: {
    version: () => version('koffi'),
    run() {
      const { poll, entries, tell } = polling();
      for (;;) {
        poll(entries, fds.length, 0);
        tell();
      }
    },
  },

  koffiAsync: {
    version: () => version('koffi'),
    run() {
      const { poll, entries, tell } = polling();
      const again = () =>
        poll.async(entries, fds.length, -1, (error) => {
          if (error) throw error;
          tell();
          again();
        });
      again();
    },
  },

  // One handle of libuv's for each descriptor. Dropped ones are collected, and fall silent.
  koffiPoll: {
    version: () => version('koffi'),
    run() {
      const { poll } = installed('koffi').node;
      globalThis.handles = fds.map((fd) => poll(fd, { readable: true }, () => event() || done()));
    },
  },

  epoll: {
    version: () => version('epoll'),
    run() {
      const { Epoll } = installed('epoll');
      const poller = new Epoll(() => event() || done());
      for (const fd of fds) poller.add(fd, Epoll.EPOLLIN);
    },
  },

  serialport: {
    version: () => version('@serialport/bindings-cpp'),
    run() {
      const { Poller } = installed('@serialport/bindings-cpp/dist/poller');
      for (const fd of fds) {
        const poller = new Poller(fd);
        const again = () => {
          event() || done();
          poller.once('readable', again);
        };
        poller.once('readable', again);
      }
    },
  },
};

if (count === 0) {
  if (way === 'epoll' || way.startsWith('koffi')) installed(way.replace(/Async|Poll/, ''));
  if (way === 'serialport') installed('@serialport/bindings-cpp/dist/poller');
  console.log(JSON.stringify({ version: ways[way].version() }));
} else ways[way].run();
