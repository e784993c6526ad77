'use strict';
// workloads.js: the pieces of work that have a budget. Each is repeated until the engine has compiled it, then done once more
// between two calls of `os.hostname()`, whose libuv function is the mark by which callgrind cuts its counts
// (scripts/budget.js). Prints the bytes that each allocates, as JSON; there must be room for all of them without a collection.
//
//   node --expose-gc --single-threaded --min-semi-space-size=64 --max-semi-space-size=64 bench/budget/workloads.js [name...]

const os = require('node:os');
const fdloop = require('../..');
const { binding } = require('../../dist/native/binding');

const WARM_UP = 30_000;
const COUNTED = 10_000;
const MESSAGE = Buffer.alloc(64, 'x');

/** The other end of a connection, without any loop: it answers inside the server's callback. */
class Peer {
  constructor(socket) {
    this.fd = socket.fileno();
    this.socket = socket;
    this.memory = Buffer.alloc(MESSAGE.length);
  }

  send() {
    binding.sendFrom(this.fd, MESSAGE);
  }

  receive() {
    binding.recvInto(this.fd, this.memory);
  }
}

/** Echoes, lets the peer answer at once, and stops the loop after `left` round trips. */
class Echo extends fdloop.Protocol {
  constructor(loop, peer) {
    super();
    this.loop = loop;
    this.peer = peer;
    this.left = 0;
  }

  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(chunk) {
    this.transport.write(chunk);
    this.peer.receive();
    if (--this.left > 0) this.peer.send();
    else this.loop.stop();
  }
}

class BufferedEcho extends fdloop.BufferedProtocol {
  constructor(loop, peer) {
    super();
    this.loop = loop;
    this.peer = peer;
    this.left = 0;
    this.memory = Buffer.alloc(65536);
    this.message = this.memory.subarray(0, MESSAGE.length);
  }

  connectionMade(transport) {
    this.transport = transport;
  }

  getBuffer() {
    return this.memory;
  }

  bufferUpdated() {
    this.transport.write(this.message);
    this.peer.receive();
    if (--this.left > 0) this.peer.send();
    else this.loop.stop();
  }
}

function echo(Protocol, run) {
  const loop = fdloop.newEventLoop();
  const [near, far] = fdloop.socketpair();
  const peer = new Peer(far);
  const [, protocol] = loop.runUntilCompleteSync(loop.connectAcceptedSocket(() => new Protocol(loop, peer), near));
  return (count) => {
    protocol.left = count;
    peer.send();
    return loop[run]();
  };
}

/** The same system calls in the same order, without loop and transport: what an echo cannot do without. */
function bareEcho() {
  const [near, far] = fdloop.socketpair();
  const peer = new Peer(far);
  const selector = binding.createSelector('epoll');
  const fd = near.fileno();
  const number = selector.number;
  binding.addTo(number, fd, 1);
  const events = new Int32Array(128);
  const room = events.buffer;
  const memory = Buffer.alloc(65536);
  return (count) => {
    peer.send();
    for (let left = count - 1; left >= 0; left--) {
      binding.waitFor(number, -1, room, 64);
      binding.recvInto(fd, memory);
      binding.sendFrom(fd, MESSAGE);
      peer.receive();
      if (left > 0) peer.send();
    }
    return [near, selector];
  };
}

const BATCH = 1000;
const nothing = () => {};

function callSoon() {
  const loop = fdloop.newEventLoop();
  return (count) => {
    let left = count / BATCH;
    const round = () => {
      for (let index = 1; index < BATCH; index++) loop.callSoon(nothing);
      left -= 1;
      if (left > 0) loop.callSoon(round);
      else loop.stop();
    };
    loop.callSoon(round);
    loop.runForeverSync();
  };
}

/** One handle for each iteration, so that each has its look at the selector. */
function iteration() {
  const loop = fdloop.newEventLoop();
  return (count) => {
    let left = count;
    const next = () => {
      if (--left > 0) loop.callSoon(next);
      else loop.stop();
    };
    loop.callSoon(next);
    loop.runForeverSync();
  };
}

function timers() {
  const loop = fdloop.newEventLoop();
  return (count) => {
    for (let index = 0; index < count; index++) loop.callLater(1000, nothing).cancel();
    loop.callSoon(() => loop.stop());
    loop.runForeverSync();
  };
}

function awaits(isAsync) {
  const loop = fdloop.newEventLoop();
  const set = (future) => future.setResult();
  return (count) =>
    loop.runUntilCompleteSync(
      isAsync
        ? async () => {
            for (let index = 0; index < count; index++) {
              const future = loop.createFuture();
              loop.callSoon(set, future);
              await future;
            }
          }
        : function* () {
            for (let index = 0; index < count; index++) {
              const future = loop.createFuture();
              loop.callSoon(set, future);
              yield* future;
            }
          },
    );
}

/** What the others are compared with: objects made, queued and called, as any loop must, in plain JavaScript. */
function reference() {
  class Job {
    constructor(callback, argument) {
      this.callback = callback;
      this.argument = argument;
      this.done = false;
    }
  }
  const slots = new Array(1024).fill(undefined);
  const table = new Map(Array.from({ length: 64 }, (_, index) => [index, index]));
  let sum = 0;
  const add = (number) => {
    sum = (sum + table.get(number & 63)) | 0;
  };
  return (count) => {
    for (let done = 0; done < count; done += slots.length) {
      for (let index = 0; index < slots.length; index++) slots[index] = new Job(add, index);
      for (let index = 0; index < slots.length; index++) {
        const job = slots[index];
        slots[index] = undefined;
        if (!job.done) job.callback(job.argument);
      }
    }
    return sum;
  };
}

const workloads = {
  reference,
  'system calls of an echo': bareEcho,
  'echo, synchronous': () => echo(Echo, 'runForeverSync'),
  'echo, buffered protocol': () => echo(BufferedEcho, 'runForeverSync'),
  'echo, hosted': () => echo(Echo, 'runForever'),
  callSoon,
  iteration,
  'timer, set and cancelled': timers,
  'future awaited, generator': () => awaits(false),
  'future awaited, async function': () => awaits(true),
  // From the first async function on, contexts carry their task, and Node's hooks are on.
  'callSoon, after async functions': callSoon,
};

/** Runs `action` from a plain callback, where a synchronous run of a loop can drain microtasks. */
const outside = (action) =>
  new Promise((resolve, reject) =>
    setImmediate(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    }),
  );

async function main(names) {
  const bytes = {};
  // What a workload holds must live until its end, and be no part of the next one's collection.
  const kept = [];
  for (const name of names) {
    const run = await outside(workloads[name]);
    kept.push(run);
    for (let round = 0; round < 3; round++) await outside(() => run(WARM_UP / 3));
    // Only the young: a full collection would throw compiled code away, too.
    globalThis.gc({ type: 'minor' });
    let before = 0;
    await outside(() => {
      before = process.memoryUsage().heapUsed;
      os.hostname();
      return run(COUNTED);
    });
    os.hostname();
    bytes[name] = (process.memoryUsage().heapUsed - before) / COUNTED;
  }
  console.log(JSON.stringify(bytes));
  process.exit();
}

if (require.main === module) {
  const given = process.argv.slice(2);
  void main(given.length > 0 ? given : Object.keys(workloads));
}

module.exports = { names: Object.keys(workloads), COUNTED };
