'use strict';
// echo.js: CPU time that an echo server spends on each message: fdloop, hosted and synchronous, next to node:net. Every server
// is a process of its own; they are measured in turns, and the median ratio to node:net is what counts.
//
//   node bench/echo.js [connections] [bytes] [rounds]

const { fork } = require('node:child_process');
const net = require('node:net');

const servers = {
  'node:net': () => {
    const server = net.createServer((socket) =>
      socket.on('data', (chunk) => socket.write(chunk)).on('error', () => {}),
    );
    server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  },
  'fdloop, hosted': () => serveWith('run'),
  'fdloop, synchronous': () => serveWith('runSync'),
};

function serveWith(runner) {
  const fdloop = require('..');
  class Echo extends fdloop.Protocol {
    connectionMade(transport) {
      this.transport = transport;
    }

    dataReceived(chunk) {
      this.transport.write(chunk);
    }
  }
  fdloop[runner](function* () {
    const loop = fdloop.getRunningLoop();
    const server = yield* loop.createServer(() => new Echo(), '127.0.0.1', 0);
    process.send({ port: server.sockets[0].getsockname()[1] });
    yield* server.serveForever();
  });
}

/** CPU time of a process in clock ticks; the unit cancels out in a ratio. */
function cpuTicks(pid) {
  const fields = require('node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function start(name) {
  return new Promise((resolve) => {
    const child = fork(__filename, ['--serve', name], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.once('message', ({ port }) => resolve({ name, child, port }));
  });
}

/** Keeps one message under way on each connection for a while. @returns messages that came back */
async function load(port, connections, message, milliseconds) {
  let count = 0;
  let running = true;
  const sockets = await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise((resolve, reject) => {
          const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
          socket.setNoDelay(true).on('error', reject);
        }),
    ),
  );
  for (const socket of sockets) {
    let missing = message.length;
    socket.on('data', (chunk) => {
      missing -= chunk.length;
      if (missing > 0) return;
      count += 1;
      missing = message.length;
      if (running) socket.write(message);
    });
    socket.write(message);
  }
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  running = false;
  for (const socket of sockets) socket.destroy();
  return count;
}

async function main() {
  const [connections = 50, bytes = 64, rounds = 5] = process.argv.slice(2).map(Number);
  const message = Buffer.alloc(bytes, 'x');
  const running = await Promise.all(Object.keys(servers).map(start));
  const costs = new Map(running.map(({ name }) => [name, []]));
  for (const { port } of running) await load(port, connections, message, 300);
  for (let round = 0; round < rounds; round++) {
    for (const { name, child, port } of running) {
      const before = cpuTicks(child.pid);
      const count = await load(port, connections, message, 1000);
      costs.get(name).push((cpuTicks(child.pid) - before) / count);
    }
  }
  for (const { child } of running) child.kill();
  const baseline = costs.get('node:net');
  console.log(`${connections} connections, ${bytes} bytes, ${rounds} rounds; CPU per message, node:net = 1`);
  for (const [name, values] of costs) {
    const ratios = values.map((value, round) => value / baseline[round]).sort((a, b) => a - b);
    const at = (share) => ratios[Math.floor((ratios.length - 1) * share)].toFixed(2);
    console.log(`${name.padEnd(22)} ${at(0.5)}   (quartiles ${at(0.25)} to ${at(0.75)})`);
  }
}

if (process.argv[2] === '--serve') servers[process.argv[3]]();
else main();
