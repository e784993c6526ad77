// bun.mjs: Bun's own sockets.
//
//   bun bun.mjs echo | udp | tls CERT KEY | source BYTES PIECE | sink        prints "port N"
/* global Bun */

const [mode, ...args] = process.argv.slice(2);

// Bun's write() takes what fits and tells how much that was: the rest is ours to keep.
function send(socket, data) {
  const { waiting } = socket.data;
  if (waiting.length > 0) {
    waiting.push(Buffer.from(data));
    return;
  }
  const sent = Math.max(0, socket.write(data));
  if (sent < data.length) waiting.push(Buffer.from(data.subarray(sent)));
}

function drain(socket) {
  const { waiting } = socket.data;
  while (waiting.length > 0) {
    const sent = Math.max(0, socket.write(waiting[0]));
    if (sent < waiting[0].length) {
      waiting[0] = waiting[0].subarray(sent);
      return;
    }
    waiting.shift();
  }
}

const piece = mode === 'source' ? Buffer.alloc(Number(args[1])) : null;

function fill(socket) {
  while (socket.data.left > 0) {
    const size = Math.min(piece.length, socket.data.left);
    const sent = Math.max(0, socket.write(size === piece.length ? piece : piece.subarray(0, size)));
    socket.data.left -= sent;
    if (sent < size) return;
  }
  socket.end();
}

const handlers = {
  echo: { data: send, drain },
  tls: { data: send, drain },
  sink: { data() {}, drain() {} },
  source: { data() {}, drain: fill },
};

if (mode === 'udp') {
  const socket = await Bun.udpSocket({
    hostname: '127.0.0.1',
    socket: {
      data(self, message, port, address) {
        try {
          self.send(message, port, address);
        } catch {
          // A peer that has gone is told at the next send, whoever that is for,
        }
      },
      error() {
        // or at the next receive.
      },
    },
  });
  console.log(`port ${socket.port}`);
} else {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    tls: mode === 'tls' ? { cert: Bun.file(args[0]), key: Bun.file(args[1]) } : undefined,
    socket: {
      ...handlers[mode],
      open(socket) {
        socket.data = { waiting: [], left: Number(args[0]) };
        if (mode === 'source') fill(socket);
      },
      end: (socket) => socket.end(),
      error() {},
    },
  });
  console.log(`port ${server.port}`);
}
