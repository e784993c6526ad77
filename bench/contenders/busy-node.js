'use strict';
// busy-node.js: one Node process with more than one thing to do: an echo server (of fdloop, hosted, or of node:net), an HTTP server, a
// timer each 5 ms, and, when asked to, a file that is read again and again. Prints "port ECHO HTTP"; for each line on its standard
// input one line of JSON: how late the timer was (ms), how many files were read since the last line. "files on|off" switches.
//
//   node busy-node.js fdloop|net

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');

// Exactly 128 bytes with this head, so that the load generator can count by length.
const body = 'x'.repeat(25);

const web = http.createServer((request, response) => {
  response.sendDate = false;
  response.setHeader('Content-Length', body.length);
  response.end(body);
});
web.keepAliveTimeout = 0;

let lateness = [];
let expected = performance.now() + 5;
setInterval(() => {
  const now = performance.now();
  lateness.push(Math.max(0, now - expected));
  expected = now + 5;
}, 5);

let filesRead = 0;
let reading = false;
function readNext() {
  if (!reading) return;
  fs.readFile(__filename, () => {
    filesRead += 1;
    readNext();
  });
}

process.stdin.on('data', (line) => {
  const word = String(line).trim();
  if (word.startsWith('files')) {
    const were = reading;
    reading = word === 'files on';
    if (reading && !were) for (let index = 0; index < 4; index++) readNext();
  }
  const sorted = lateness.sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  console.log(JSON.stringify({ timerP50: at(0.5), timerP99: at(0.99), filesRead }));
  lateness = [];
  filesRead = 0;
});

function echoByFdloop() {
  const fdloop = require(process.env.FDLOOP_PACKAGE ?? '../..');
  class Echo extends fdloop.Protocol {
    connectionMade(transport) {
      this.transport = transport;
    }

    dataReceived(data) {
      this.transport.write(data);
    }
  }
  return new Promise((resolve) => {
    fdloop.run(function* () {
      const server = yield* fdloop.getRunningLoop().createServer(() => new Echo(), '127.0.0.1', 0);
      resolve(server.sockets[0].getsockname()[1]);
      yield* server.serveForever();
    });
  });
}

function echoByNode() {
  const server = net.createServer({ noDelay: true }, (socket) => {
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('error', () => {});
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

async function main() {
  const port = await (process.argv[2] === 'fdloop' ? echoByFdloop() : echoByNode());
  web.listen(0, '127.0.0.1', () => console.log(`port ${port} ${web.address().port}`));
}

main();
