'use strict';
// chat.js: a chat server, ported from asyncio: chat.py is the original. Try:  node examples/chat.js 8888, and  nc localhost 8888

const { run, getRunningLoop, Protocol } = require('..');

const members = new Map();

class Chat extends Protocol {
  connectionMade(transport) {
    this.transport = transport;
    this.name = null;
    this.rest = '';
    transport.write(Buffer.from('your name? '));
  }

  dataReceived(data) {
    const lines = (this.rest + data).split('\n');
    this.rest = lines.pop();
    for (const line of lines) this.lineReceived(line.trim());
  }

  lineReceived(line) {
    if (this.name !== null) {
      this.tell(`${this.name}: ${line}`);
    } else if (line === '' || members.has(line)) {
      this.transport.write(Buffer.from('another name, please: '));
    } else {
      this.name = line;
      members.set(line, this);
      this.tell(`${line} is here, which makes ${members.size}`);
    }
  }

  connectionLost() {
    if (this.name !== null) {
      members.delete(this.name);
      this.tell(`${this.name} has left`);
    }
  }

  tell(text) {
    for (const member of members.values()) member.transport.write(Buffer.from(`${text}\n`));
  }
}

async function main(port) {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => new Chat(), '127.0.0.1', port);
  console.log('listening on port', server.sockets[0].getsockname()[1]);
  await server.serveForever();
}

run(() => main(Number(process.argv[2] ?? 0)));
