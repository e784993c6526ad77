// surroundings.test.ts: TLS where Node does not give all that it wants: no TLS at all, no way to confirm a write at
// once, no way to drain microtasks.

import { TLSSocket } from 'node:tls';
import { Duplex } from 'node:stream';

import { SelectorEventLoop } from '../../lib/event-loop';
import type { Coroutine } from '../../lib/futures/coroutine';
import { socketpair } from '../../lib/sockets/socket';
import { useCompiledLibrary } from '../support/compiled-library';
import { driverNames, useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { useTlsCertificates } from '../support/tls';

describe('a Node without TLS', () => {
  const library = useCompiledLibrary();

  test('TLS-002: everything else works, and TLS is a RuntimeError, after the check of who owns the socket', async () => {
    const end = await library.run(`
      const Module = require('module');
      const load = Module._load;
      const asked = [];
      Module._load = function (name, ...rest) {
        asked.push(name);
        if (/^(node:)?tls$/.test(name)) throw Object.assign(new Error('no crypto'), { code: 'ERR_NO_CRYPTO' });
        return load.call(this, name, ...rest);
      };
      const { makeSSLTransport } = lib('tls/make-transport');
      const loop = fdloop.newEventLoop();
      const [near, far] = fdloop.socketpair();
      const make = (ssl) => () => loop.createConnection(() => new fdloop.Protocol(), null, null, { sock: near, ...ssl });
      const tls = { ssl: true, serverHostname: '' };
      const settings = { options: {}, serverSide: false, serverHostname: null };
      const tell = (error) => [error.name, error.code, error.cause?.code];
      const said = [];
      loop.runUntilCompleteSync(function* () {
        try { yield* make(tls)(); } catch (error) { said.push(tell(error)); }
        const asksBefore = asked.length;
        const [transport] = yield* make({})();
        said.push(transport.isReading());
        try { makeSSLTransport(loop, near, null, settings, null, {}, null); } catch (error) { said.push(tell(error)); }
        transport.abort();
        yield* fdloop.sleep(0);
        try { makeSSLTransport(loop, far, null, settings, null, {}, null); } catch (error) { said.push(tell(error)); }
      });
      far.close();
      loop.close();
      console.log(JSON.stringify(said));
    `);
    expect(end.stderr).toBe('');
    const missing = ['RuntimeError', 'ERR_TLS_NOT_AVAILABLE', 'ERR_NO_CRYPTO'];
    expect(JSON.parse(end.stdout)).toEqual([missing, true, ['RuntimeError', expect.any(String), null], missing]);
  });

  test('node:tls is not loaded before somebody asks for TLS', async () => {
    const end = await library.run(
      `console.log(process.moduleLoadList.filter((name) => /NativeModule _?tls/.test(name)).length)`,
    );
    expect(end.stdout.trim()).toBe('0');
  });
});

for (const driver of driverNames) {
  describe(`a Node whose writes cannot be confirmed at once, ${driver}`, () => {
    const use = useLoop(driver);
    const certificates = useTlsCertificates();
    // The prototype of the native half, whose `_parentWrap` is where the engine finds what it wants.
    const native = Object.getPrototypeOf(
      (new TLSSocket(new Duplex({ read: () => undefined })) as unknown as { _handle: object })._handle,
    ) as object;

    const own = (target: object, name: string | symbol): unknown => {
      const value = name === 'finishWrite' ? undefined : (Reflect.get(target, name) as unknown);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    };

    beforeEach(() => {
      const wraps = new WeakMap<object, object>();
      Object.defineProperty(native, '_parentWrap', {
        configurable: true,
        get(this: object) {
          return wraps.get(this);
        },
        set(this: object, wrap: object) {
          // As it is, but for what confirms: nobody finds that here.
          wraps.set(this, new Proxy(wrap, { get: (target, name) => own(target, name) }));
        },
      });
    });
    afterEach(() => {
      Reflect.deleteProperty(native, '_parentWrap');
    });

    const connect = async (): Promise<[NotingProtocol, NotingProtocol]> => {
      const { loop } = use.current;
      const [near, far] = socketpair();
      const protocols: [NotingProtocol, NotingProtocol] = [new NotingProtocol(), new NotingProtocol()];
      const { clientSsl, serverSsl } = certificates;
      const served = loop.createTask(loop.connectAcceptedSocket(() => protocols[1], far, { ssl: serverSsl }));
      served.addDoneCallback((done) => done.cancelled() || done.exception());
      const [client] = await use.current.run(
        loop.createConnection(() => protocols[0], null, null, {
          sock: near,
          ssl: clientSsl,
          serverHostname: 'localhost',
        }),
      );
      use.current.atEnd(() => client.abort());
      const [server] = await use.current.run(served);
      use.current.atEnd(() => server.abort());
      return protocols;
    };

    if (driver === 'hosted') {
      test("a hosted run goes on by Node's own loop, byte for byte", async () => {
        const [client, server] = await connect();
        const sent = Buffer.alloc(300_000, 'abcdefghijklmnopqrstuvw');
        const got = use.current.loop.createFuture<void>();
        let count = 0;
        server.reactions.dataReceived = (_transport, data) => {
          count += (data as Buffer).length;
          if (count === sent.length) got.setResult();
        };
        client.transport.write(sent);
        await use.current.run(got);
        expect(Buffer.concat(server.received).equals(sent)).toBe(true);
        const lost = use.current.loop.createFuture<unknown>();
        client.reactions.connectionLost = (_transport, error) => lost.setResult(error);
        client.transport.close();
        expect(await use.current.run(lost)).toBeNull();
        expect(server.names().slice(-2)).toEqual(['eofReceived', 'connectionLost']);
      });
    } else {
      test('a synchronous run fails at once, with a RuntimeError, and the handler hears of it', async () => {
        await expect(connect()).rejects.toMatchObject({ name: 'RuntimeError', code: 'ERR_TLS_IN_SYNC_RUN' });
        await use.current.runOnce();
        await use.current.runOnce();
        for (const context of use.current.takeContexts()) {
          expect(context).toMatchObject({
            message: 'TLS handshake failed',
            exception: { code: 'ERR_TLS_IN_SYNC_RUN' },
          });
        }
      });
    }
  });
}

describe('a Node that asks an SNICallback in a turn of its own loop', () => {
  const library = useCompiledLibrary();
  const certificates = useTlsCertificates();

  // What Node 26 does, for any Node. Notes what a server and a client of it are told: in a synchronous run and in a hosted one.
  const program = (): string => `
    const fs = require('node:fs');
    const { TLSSocket } = require('node:tls');
    const init = TLSSocket.prototype._init;
    TLSSocket.prototype._init = function (...given) {
      init.apply(this, given);
      const handle = this._handle;
      const asked = handle.oncertcb;
      if (asked !== undefined) handle.oncertcb = (...told) => void setImmediate(() => asked.apply(handle, told));
    };
    const [key, cert] = ${JSON.stringify([certificates.keyFile, certificates.certFile])}.map((file) => fs.readFileSync(file));
    const talk = function* (loop, said) {
      const SNICallback = (name, answer) => { said.push(name); answer(null); };
      const [near, far] = fdloop.socketpair();
      const factory = () => new fdloop.Protocol();
      const served = loop.createTask(
        loop.connectAcceptedSocket(factory, far, { ssl: { key, cert, SNICallback } }),
      );
      const options = { sock: near, ssl: { ca: cert }, serverHostname: 'localhost' };
      const connected = loop.createTask(loop.createConnection(factory, null, null, options));
      const [[server], [client]] = (yield* fdloop.gather([served, connected], { returnExceptions: true })).map(
        (result) => Array.isArray(result) ? result : [result],
      );
      for (const side of [server, client]) {
        said.push(side instanceof Error ? [side.name, side.code] : 'connected');
        side.abort?.();
      }
      yield* fdloop.sleep(0);
    };
    const notingLoop = (said) => {
      const loop = fdloop.newEventLoop();
      loop.setExceptionHandler((_, { message, exception }) => said.push([message, exception.code]));
      return loop;
    };
    const said = { sync: [], hosted: [] };
    const first = notingLoop(said.sync);
    first.runUntilCompleteSync(talk(first, said.sync));
    first.close();
    const second = notingLoop(said.hosted);
    void second.runUntilComplete(talk(second, said.hosted)).then(() => {
      second.close();
      console.log(JSON.stringify(said));
    });
  `;

  test('is refused it in a synchronous run, at once, and asks it in a hosted one', async () => {
    const end = await library.run(program());
    expect(end.stderr).toBe('');
    expect(JSON.parse(end.stdout)).toEqual({
      sync: [
        ['TLS handshake failed', 'ERR_TLS_IN_SYNC_RUN'],
        ['RuntimeError', 'ERR_TLS_IN_SYNC_RUN'],
        ['ConnectionResetError', 'ECONNRESET'],
      ],
      hosted: ['localhost', 'connected', 'connected'],
    });
  });
});

describe('a synchronous run inside of a promise job', () => {
  const certificates = useTlsCertificates();

  test('refuses every verb of TLS at once, with a RuntimeError, and closes what was opened for it', async () => {
    await Promise.resolve();
    const loop = new SelectorEventLoop();
    const [near, far] = socketpair();
    const codes: unknown[] = [];
    const { clientSsl, serverSsl } = certificates;
    const factory = (): NotingProtocol => new NotingProtocol();
    loop.runUntilCompleteSync(
      (function* () {
        const [transport, protocol] = yield* loop.connectAcceptedSocket(factory, far);
        const attempts = [
          loop.createConnection(factory, null, null, { sock: near, ssl: clientSsl, serverHostname: '' }),
          loop.startTls(transport, protocol, serverSsl, { serverSide: true }),
        ];
        for (const attempt of attempts) {
          try {
            yield* attempt as Coroutine<unknown>;
          } catch (error) {
            codes.push((error as { code: string }).code);
          }
        }
        codes.push(near.fileno(), transport.isReading(), transport.getProtocol() === protocol);
        transport.abort();
      })(),
    );
    loop.stop();
    loop.runForeverSync();
    loop.close();
    expect(codes).toEqual(['ERR_TLS_IN_SYNC_RUN', 'ERR_TLS_IN_SYNC_RUN', -1, true, true]);
  });
});
