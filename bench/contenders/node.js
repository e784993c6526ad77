'use strict';
// node.js: Node's own net, tls and dgram.
//
//   node node.js echo | streams | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH | sink        prints "port N"

const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const tls = require('node:tls');

const [mode, ...args] = process.argv.slice(2);

function echo(socket) {
  socket.on('data', (chunk) => {
    if (!socket.write(chunk)) socket.pause();
  });
  socket.on('drain', () => socket.resume());
}

async function echoAwaited(socket) {
  for await (const chunk of socket) if (!socket.write(chunk)) await once(socket, 'drain');
}

function source(socket) {
  const piece = Buffer.alloc(Number(args[1]));
  let left = Number(args[0]);
  const fill = () => {
    while (left > 0) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
    socket.end();
  };
  socket.on('drain', fill);
  fill();
}

const handlers = {
  echo,
  streams: (socket) => void echoAwaited(socket).catch(() => {}),
  tls: echo,
  source,
  sendfile: (socket) => fs.createReadStream(args[0]).pipe(socket),
  sink: (socket) => socket.on('data', () => {}),
};

function handle(socket) {
  socket.on('error', () => socket.destroy());
  handlers[mode](socket);
}

const announce = (port) => console.log(`port ${port}`);

if (mode === 'udp') {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (message, { address, port }) => socket.send(message, port, address));
  socket.bind(0, '127.0.0.1', () => announce(socket.address().port));
} else {
  const server =
    mode === 'tls'
      ? tls.createServer({ cert: fs.readFileSync(args[0]), key: fs.readFileSync(args[1]), noDelay: true }, handle)
      : net.createServer({ noDelay: true }, handle);
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1', () => announce(server.address().port));
}
