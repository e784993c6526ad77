// tcp.test.ts: servers and clients over loopback, through every rung.

import type { SelectorSocketTransport } from '../../lib/transports/socket-transport';
import type { BaseTransport } from '../../lib/transports/transport';
import { Protocol } from '../../lib/transports/protocol';
import { forEveryLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';

class Echo extends Protocol {
  transport!: SelectorSocketTransport;

  override connectionMade(transport: BaseTransport): void {
    this.transport = transport as never;
  }

  override dataReceived(data: Buffer): void {
    this.transport.write(data);
  }
}

forEveryLoop((name, use) => {
  describe(`an echo over TCP: ${name}`, () => {
    const subject = use();

    test('goes through every rung and back, byte for byte, and everything is closed at the end', async () => {
      const { loop } = subject.current;
      const sent = Buffer.alloc(1_000_000);
      for (let index = 0; index < sent.length; index++) sent[index] = (index * 31) & 0xff;
      const received: Buffer[] = [];
      const done = loop.createFuture<void>();
      let bytes = 0;
      const client = new NotingProtocol({
        connectionMade: (transport) => transport.write(sent),
        dataReceived: (transport, data) => {
          received.push(data as Buffer);
          bytes += (data as Buffer).length;
          if (bytes === sent.length) transport.close();
        },
        connectionLost: () => done.setResult(),
      });
      await subject.current.run(function* () {
        const server = yield* loop.createServer(() => new Echo(), '127.0.0.1', 0);
        const [host, port] = server.sockets[0].getsockname() as [string, number];
        yield* loop.createConnection(() => client, host, port);
        yield* done;
        server.close();
        yield* server.waitClosed();
      });
      expect(Buffer.concat(received).equals(sent)).toBe(true);
      expect(client.events.at(-1)).toEqual(['connectionLost', null]);
    });
  });
});
