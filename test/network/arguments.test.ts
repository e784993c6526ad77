// arguments.test.ts: what every verb that makes transports refuses before it asks the system: options that it does not have,
// and what makes no protocols.

import type { SelectorEventLoop } from '../../lib/event-loop';
import { socketpair } from '../../lib/sockets/socket';
import { pipe } from '../../lib/sockets/owned-fd';
import { openConnection, openUnixConnection, startServer, startUnixServer } from '../../lib/streams/open';
import { type DatagramProtocol, Protocol } from '../../lib/transports/protocol';
import { useLoop } from '../support/loops';
import { describeOnPosix } from '../support/systems';

type Factory = () => Protocol & DatagramProtocol;
type Verb = (loop: SelectorEventLoop, factory: Factory, options?: object) => PromiseLike<unknown>;

const nowhere = '/there/is/no/such/folder/socket';
const [sock, peer] = socketpair();
afterAll(() => {
  sock.close();
  peer.close();
});

const withOptions: readonly [name: string, verb: Verb][] = [
  ['createServer', (loop, factory, options) => loop.createServer(factory, '127.0.0.1', 0, options)],
  ['createConnection', (loop, factory, options) => loop.createConnection(factory, '127.0.0.1', 1, options)],
  ['createUnixServer', (loop, factory, options) => loop.createUnixServer(factory, nowhere, options)],
  ['createUnixConnection', (loop, factory, options) => loop.createUnixConnection(factory, nowhere, options)],
  ['connectAcceptedSocket', (loop, factory, options) => loop.connectAcceptedSocket(factory, sock, options)],
  ['createDatagramEndpoint', (loop, factory, options) => loop.createDatagramEndpoint(factory, options)],
];
const ofStreams: readonly [name: string, verb: Verb][] = [
  ['createConnection', (_loop, _factory, options) => openConnection('127.0.0.1', 1, options)],
  ['createUnixConnection', (_loop, _factory, options) => openUnixConnection(nowhere, options)],
  ['createServer', (_loop, _factory, options) => startServer(() => undefined, '127.0.0.1', 0, options)],
  ['createUnixServer', (_loop, _factory, options) => startUnixServer(() => undefined, nowhere, options)],
];

describe('the verbs of the network', () => {
  const subject = useLoop('sync');
  const factory: Factory = () => new Protocol() as Protocol & DatagramProtocol;
  const refusal = (message: string) =>
    expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message }) as unknown;

  test.each([...withOptions, ...ofStreams])('%s refuses an option that it does not have', async (name, verb) => {
    const call = (options: object) => subject.current.run(async () => verb(subject.current.loop, factory, options));
    await expect(call({ noSuchOption: 1 })).rejects.toEqual(refusal(`${name} has no option 'noSuchOption'`));
  });

  test('an option in Python’s spelling is told how it is spelt here', async () => {
    const { loop } = subject.current;
    const options = { start_serving: false } as object;
    await expect(subject.current.run(loop.createServer(factory, '127.0.0.1', 0, options))).rejects.toEqual(
      refusal("createServer has no option 'start_serving': it is 'startServing' here"),
    );
  });

  test.each(withOptions)('%s refuses options that are no object', async (name, verb) => {
    const { loop } = subject.current;
    await expect(subject.current.run(async () => verb(loop, factory, 'fast' as never))).rejects.toEqual(
      refusal(`the options of ${name} are an object, not 'fast'`),
    );
  });

  test.each(withOptions)('%s refuses a class, and what is no function, as a factory', async (_name, verb) => {
    class Echo extends Protocol {}
    const call = (given: unknown) =>
      subject.current.run(async () => verb(subject.current.loop, given as Factory, undefined));
    await expect(call(Echo)).rejects.toEqual(
      refusal('a protocol factory is a function, not a class: () => new Echo()'),
    );
    await expect(call('127.0.0.1')).rejects.toEqual(refusal("a protocol factory is a function, not '127.0.0.1'"));
  });

  test('servers of streams refuse what cannot be called for each connection', async () => {
    const refused = refusal("what is called for each connection is a function, not '127.0.0.1'");
    const wrong = '127.0.0.1' as never;
    await expect(subject.current.run(async () => startServer(wrong, null, 0))).rejects.toEqual(refused);
    await expect(subject.current.run(async () => startUnixServer(wrong, nowhere))).rejects.toEqual(refused);
  });

  describeOnPosix('of pipes and processes', () => {
    test('refuse a class as a factory, and the pipe stays the caller’s', async () => {
      const { loop } = subject.current;
      const [readEnd, writeEnd] = pipe();
      class Echo extends Protocol {}
      const refused = refusal('a protocol factory is a function, not a class: () => new Echo()');
      await expect(subject.current.run(loop.connectReadPipe(Echo as never, readEnd))).rejects.toEqual(refused);
      await expect(subject.current.run(loop.connectWritePipe(Echo as never, writeEnd))).rejects.toEqual(refused);
      await expect(subject.current.run(loop.subprocessExec(Echo as never, 'true'))).rejects.toEqual(refused);
      readEnd.close();
      writeEnd.close();
    });
  });
});
