'use strict';
// fdloop.js: the subject: hosted inside Node's loop (run) or synchronous (runSync), with both kinds of protocol.
//
//   node fdloop.js run|runSync echo | buffered-echo | streams | udp | tls CERT KEY | source BYTES PIECE | sendfile PATH |
//                            sink | buffered-sink                                            prints "port N"

const fs = require('node:fs');
const fdloop = require(process.env.FDLOOP_PACKAGE ?? '../..');

const [runner, mode, ...args] = process.argv.slice(2);

class Echo extends fdloop.Protocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  dataReceived(data) {
    this.transport.write(data);
  }

  pauseWriting() {
    this.transport.pauseReading();
  }

  resumeWriting() {
    this.transport.resumeReading();
  }
}

// One buffer serves all connections, because write() sends at once. What it cannot send a transport keeps without a copy: then the
// buffer is left to it, and the next reads go into another one.
let shared = Buffer.allocUnsafeSlow(256 * 1024);

class BufferedEcho extends fdloop.BufferedProtocol {
  connectionMade(transport) {
    this.transport = transport;
    transport.setWriteBufferLimits(0);
  }

  getBuffer() {
    return shared;
  }

  bufferUpdated(count) {
    this.transport.write(shared.subarray(0, count));
  }

  pauseWriting() {
    shared = Buffer.allocUnsafeSlow(256 * 1024);
    this.transport.pauseReading();
  }

  resumeWriting() {
    this.transport.resumeReading();
  }
}

class BufferedSink extends fdloop.BufferedProtocol {
  getBuffer() {
    return shared;
  }

  bufferUpdated() {}
}

class Source extends fdloop.Protocol {
  connectionMade(transport) {
    this.transport = transport;
    this.piece = Buffer.alloc(Number(args[1]));
    this.left = Number(args[0]);
    this.paused = false;
    this.fill();
  }

  fill() {
    while (this.left > 0 && !this.paused) {
      this.left -= this.piece.length;
      this.transport.write(this.piece);
    }
    if (this.left <= 0) this.transport.close();
  }

  pauseWriting() {
    this.paused = true;
  }

  resumeWriting() {
    this.paused = false;
    this.fill();
  }
}

class SendFile extends fdloop.Protocol {
  connectionMade(transport) {
    const loop = fdloop.getRunningLoop();
    loop.createTask(function* () {
      const file = fs.openSync(args[0], 'r');
      yield* loop.sendfile(transport, file);
      fs.closeSync(file);
      transport.close();
    });
  }
}

class EchoDatagrams extends fdloop.DatagramProtocol {
  connectionMade(transport) {
    this.transport = transport;
  }

  datagramReceived(data, address) {
    this.transport.sendto(data, address);
  }
}

async function echoStream(reader, writer) {
  for (;;) {
    const data = await reader.read(65536);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

const protocols = {
  echo: Echo,
  tls: Echo,
  'buffered-echo': BufferedEcho,
  source: Source,
  sendfile: SendFile,
  sink: fdloop.Protocol,
  'buffered-sink': BufferedSink,
};

function* main() {
  const loop = fdloop.getRunningLoop();
  const announce = (sock) => console.log(`port ${sock.getsockname()[1]}`);
  if (mode === 'udp') {
    const [transport] = yield* loop.createDatagramEndpoint(() => new EchoDatagrams(), {
      localAddr: ['127.0.0.1', 0],
    });
    announce(transport.getExtraInfo('socket'));
    yield* loop.createFuture();
  }
  if (mode === 'streams') {
    const server = yield* fdloop.startServer(echoStream, '127.0.0.1', 0, { backlog: 511 });
    announce(server.sockets[0]);
    yield* server.serveForever();
  }
  const ssl = mode === 'tls' ? { cert: fs.readFileSync(args[0]), key: fs.readFileSync(args[1]) } : undefined;
  const Protocol = protocols[mode];
  const server = yield* loop.createServer(() => new Protocol(), '127.0.0.1', 0, { ssl, backlog: 511 });
  announce(server.sockets[0]);
  yield* server.serveForever();
}

fdloop[runner](main);
