// write-pipe-transport.test.ts: what a transport writes to pipes, sockets and terminals, and how it ends.

import { forEveryLoop } from '../support/loops';
import { isOpen, pipeKinds, writePipe } from '../support/pipes';
import { NotingProtocol } from '../support/protocols';
import { describeOnPosix } from '../support/systems';

describeOnPosix('write pipes', () => {
  forEveryLoop((name, use) =>
    describe(name, () => {
      const subject = use();

      test.each(pipeKinds)('all that is written to a %s arrives, and then the end', async (kind) => {
        const { transport, protocol, fd, arrived } = await writePipe(subject.current, new NotingProtocol(), kind);
        const data = Buffer.from(`${'0123456789'.repeat(50)}\n`.repeat(kind.startsWith('terminal') ? 1 : 800));
        transport.write(data);
        transport.write(Buffer.from('last\n'));
        transport.close();
        const chunks: Buffer[] = [];
        await subject.current.runUntil(() => {
          chunks.push(arrived());
          return Buffer.concat(chunks).includes('last') && protocol.names().at(-1) === 'connectionLost';
        });
        expect(Buffer.concat(chunks).toString().replaceAll('\r', '')).toBe(`${data.toString()}last\n`);
        expect(protocol.events.at(-1)).toEqual(['connectionLost', null]);
        expect(isOpen(fd)).toBe(false);
      });
    }),
  );
});
