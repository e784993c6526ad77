// deno.mjs: Deno's own sockets.
//
//   deno run --allow-all --unstable-net deno.mjs echo | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH | sink
//                                                                                              prints "port N"
/* global Deno */

const [mode, ...args] = Deno.args;

async function writeAll(conn, data) {
  for (let offset = 0; offset < data.length;) offset += await conn.write(offset ? data.subarray(offset) : data);
}

async function echo(conn) {
  const buffer = new Uint8Array(64 * 1024);
  for (let count; (count = await conn.read(buffer)) !== null;) await writeAll(conn, buffer.subarray(0, count));
}

const handlers = {
  echo,
  tls: echo,
  async sink(conn) {
    const buffer = new Uint8Array(256 * 1024);
    while ((await conn.read(buffer)) !== null);
  },
  async source(conn) {
    const piece = new Uint8Array(Number(args[1]));
    for (let left = Number(args[0]); left > 0; left -= piece.length) await writeAll(conn, piece);
  },
  async sendfile(conn) {
    const file = await Deno.open(args[0]);
    await file.readable.pipeTo(conn.writable, { preventClose: true });
  },
};

async function serve(conn) {
  try {
    if (mode !== 'tls') conn.setNoDelay(true);
    await handlers[mode](conn);
  } catch {
    // The peer is gone.
  }
  try {
    conn.close();
  } catch {
    // So is the connection.
  }
}

if (mode === 'udp') {
  const socket = Deno.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 });
  console.log(`port ${socket.addr.port}`);
  for (;;) {
    const [data, address] = await socket.receive();
    await socket.send(data, address);
  }
}
const options = { hostname: '127.0.0.1', port: 0 };
const listener =
  mode === 'tls'
    ? Deno.listenTls({ ...options, cert: Deno.readTextFileSync(args[0]), key: Deno.readTextFileSync(args[1]) })
    : Deno.listen(options);
console.log(`port ${listener.addr.port}`);
for await (const conn of listener) serve(conn);
