// bytes.test.ts: what counts as bytes, and where it does.

import { runInNewContext } from 'node:vm';

import { isBytes } from '../../lib/base/bytes';
import { socketpair } from '../../lib/sockets/socket';
import { Protocol } from '../../lib/transports/protocol';
import { useLoop } from '../support/loops';

const foreign = (): Uint8Array => runInNewContext('new Uint8Array([104, 105])') as Uint8Array;

test('bytes are a Uint8Array or a Buffer, also one of another realm, and nothing else', () => {
  expect([new Uint8Array(1), Buffer.alloc(1), foreign()].map(isBytes)).toEqual([true, true, true]);
  const others = ['hi', [104], null, undefined, new ArrayBuffer(1), new DataView(new ArrayBuffer(1)), new Int8Array(1)];
  expect(others.map(isBytes)).toEqual(others.map(() => false));
});

describe('bytes of another realm', () => {
  const subject = useLoop('sync');

  test('are sent by sockets, verbs of the loop and transports', async () => {
    const { loop } = subject.current;
    const [near, far] = socketpair();
    near.send(foreign());
    await subject.current.run(loop.sockSendall(near, foreign()));
    const transport = loop._makeSocketTransport(near, new Protocol());
    transport.write(foreign());
    transport.writelines([foreign(), foreign()]);
    transport.close();
    subject.current.atEnd(() => far.close());
    expect(far.recv(100).toString()).toBe('hihihihihi');
  });
});
