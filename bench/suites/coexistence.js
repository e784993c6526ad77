'use strict';
// coexistence.js: a hosted loop and a busy Node in one thread: how much each slows the other, with net.Server in its place as the
// measure. One process serves echo and HTTP, has a timer, and reads files; the load is on one port, on the other, on both.

const net = require('node:net');

const { source } = require('../harness/make');
const { contender } = require('../harness/contenders');

const CONNECTIONS = 20;

/** Bytes of one response: the load generator counts by length. */
function responseSize(port) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: bench\r\n\r\n'));
    socket.once('data', (chunk) => {
      resolve(chunk.length);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/** Figures here are wall-clock time: what one client gets is taken from the other. */
function wall({ perSecond, p50, p99, waited }) {
  return { value: 1e9 / perSecond, perSecond, p50, p99, waited };
}

module.exports = {
  title: 'Beside a busy Node',
  measures: 'wall-clock time for each operation',
  unit: 'ns',
  base: 'echo by node:net',
  subject: 'echo by fdloop',
  names: 'what is measured, what else goes on',

  async run(bench) {
    const node = contender('Node');
    const ways = [
      { ...node, name: 'echo by fdloop', serve: () => [process.execPath, source('contenders/busy-node.js'), 'fdloop'] },
      { ...node, name: 'echo by node:net', serve: () => [process.execPath, source('contenders/busy-node.js'), 'net'] },
    ];
    const servers = [];
    for (const way of ways) {
      bench.versions[way.name] = node.version;
      servers.push(await bench.start(way, ''));
    }
    const size = await responseSize(servers[0].otherPort);
    const echo = (server) => bench.load(server, 'echo', { connections: CONNECTIONS });
    const http = ({ program, otherPort }) =>
      bench.load({ program, port: otherPort }, 'http', { connections: CONNECTIONS, size });
    /** Says a line to the process. @returns its answer, about the time since the line before */
    const ask = async ({ program }, line) => {
      program.output = '';
      program.child.stdin.write(`${line}\n`);
      return JSON.parse((await program.until(/^\{.*\}\n/m, 10))[0]);
    };
    await bench.warmUp(servers, 'echo', { connections: CONNECTIONS });
    for (const server of servers) await http(server);

    await bench.cell('echo, nothing else', servers, async (server) => wall(await echo(server)));
    await bench.cell('HTTP, nothing else', servers, async (server) => wall(await http(server)));
    await bench.cells('echo and HTTP at once', servers, async (server) => {
      await ask(server, 'timer');
      const [echoed, answered] = await Promise.all([echo(server), http(server)]);
      const { timerP99 } = await ask(server, 'timer');
      return {
        'echo, beside HTTP': wall(echoed),
        'HTTP, beside echo': wall(answered),
        'lateness of a timer (99 %), beside both': { value: Math.max(timerP99 * 1e6, 1) },
      };
    });
    await bench.cells('echo and files at once', servers, async (server) => {
      await ask(server, 'files on');
      const echoed = await echo(server);
      const { filesRead } = await ask(server, 'files off');
      const seconds = (bench.budget.warm + bench.budget.time) / 1000;
      return {
        'echo, beside reading files': wall(echoed),
        'reading a file, beside echo': {
          value: (seconds * 1e9) / Math.max(filesRead, 1),
          perSecond: filesRead / seconds,
        },
      };
    });
  },
};
