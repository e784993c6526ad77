// collected.test.ts: what is dropped without being closed is given back, with a warning.

import { useCertificates } from '../support/certificates';
import { useCompiledLibrary } from '../support/compiled-library';
import { testOnPosix } from '../support/systems';

// Collects until `seen` is not empty: a finalizer runs some turns after its collection.
const untilWarned = `
  const seen = [];
  process.on('warning', (warning) => seen.push(warning.name + ': ' + warning.message));
  const untilWarned = async () => {
    for (let turn = 0; turn < 200 && seen.length === 0; turn++) {
      global.gc();
      await new Promise((resolve) => setImmediate(resolve));
    }
    console.log(JSON.stringify({ seen, more: count() - before, areShown: before > 0 }));
  };
  // Under wine /proc is there, but its server would lose its lock if one looked.
  const names = () => (process.platform === 'linux' ? require('fs').readdirSync('/proc/self/fd') : []);
  const count = () => names().filter((fd) => {
    try { return /socket|eventpoll/.test(require('fs').readlinkSync('/proc/self/fd/' + fd)); } catch { return false; }
  }).length;
  const before = count();
`;

describe('garbage', () => {
  const library = useCompiledLibrary();
  const certificates = useCertificates();
  const nodeOptions = ['--expose-gc'];

  test('LOOP-061: a loop that is dropped while open is closed, with a ResourceWarning', async () => {
    const end = await library.run(
      `${untilWarned}
      (() => { fdloop.newEventLoop().createWaker(() => {}); })();
      untilWarned();`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen, more } = JSON.parse(end.stdout) as { seen: string[]; more: number };
    expect(seen).toEqual([expect.stringMatching(/^ResourceWarning: unclosed event loop/)]);
    expect(more).toBe(0);
  });

  test('FUT-012: a forgotten task that failed with something without a text is reported, and ends no process', async () => {
    const end = await library.run(
      `${untilWarned}
      const loop = fdloop.newEventLoop();
      loop.setExceptionHandler((_loop, { message, future }) => seen.push(message + ': ' + future));
      (() => { loop.createTask(function* () { throw Object.create(null); }); })();
      loop.runUntilComplete(fdloop.sleep(0)).then(untilWarned).finally(() => loop.close());`,
      { nodeOptions },
    );
    expect([end.status, end.stderr]).toEqual([0, '']);
    const { seen } = JSON.parse(end.stdout) as { seen: string[] };
    expect(seen).toEqual([
      expect.stringMatching(/^Task exception was never retrieved: <Task finished .*null prototype/),
    ]);
  });

  test('in debug mode a coroutine that nobody awaited is told, with the place where it was made', async () => {
    const end = await library.run(
      `${untilWarned}
      const loop = fdloop.newEventLoop();
      loop.setDebug(true);
      (function forgetful() { loop.sockRecv(loop._ssock, 1); })();
      loop.sockRecv(loop._ssock, 1).close();
      untilWarned().then(() => loop.close());`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen } = JSON.parse(end.stdout) as { seen: string[] };
    expect(seen).toEqual([expect.stringMatching(/^RuntimeWarning: a coroutine was never awaited.*forgetful/)]);
  });

  test('TR-034: a transport that is dropped without being closed has its socket closed, and connectionLost is not called', async () => {
    const end = await library.run(
      `${untilWarned}
      class Noting extends fdloop.Protocol { connectionLost() { seen.push('connectionLost'); } }
      const loop = fdloop.newEventLoop();
      (() => {
        const [near, far] = fdloop.socketpair();
        far.close();
        const transport = loop._makeSocketTransport(near, new Noting());
        transport.pauseReading();
        loop.stop();
        loop.runForeverSync();
        // Nobody but the loop's map knows it, and that must not keep it.
      })();
      untilWarned().then(() => loop.close());`,
      { nodeOptions },
    );
    expect(end.stderr).toContain('unclosed transport');
    const { seen } = JSON.parse(end.stdout) as { seen: string[] };
    expect(seen).toEqual([expect.stringMatching(/^ResourceWarning: unclosed transport/)]);
  });

  test('TR-034, LOOP-061: a loop that is dropped takes its connections along, and their sockets are closed', async () => {
    const end = await library.run(
      `${untilWarned}
      (() => {
        const loop = fdloop.newEventLoop();
        const [near, far] = fdloop.socketpair();
        far.close();
        loop._makeSocketTransport(near, new fdloop.Protocol());
        loop.stop();
        loop.runForeverSync();
      })();
      untilWarned();`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen, more } = JSON.parse(end.stdout) as { seen: string[]; more: number };
    expect(seen.sort()).toEqual([
      expect.stringMatching(/^ResourceWarning: unclosed event loop/),
      expect.stringMatching(/^ResourceWarning: unclosed transport/),
    ]);
    expect(more).toBe(0);
  });

  test('TR-034: a loop that was closed keeps no connection', async () => {
    const end = await library.run(
      `${untilWarned}
      const loop = fdloop.newEventLoop();
      (() => {
        const [near, far] = fdloop.socketpair();
        far.close();
        loop._makeSocketTransport(near, new fdloop.Protocol());
        loop.close();
      })();
      untilWarned().then(() => loop.isClosed());`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen, more } = JSON.parse(end.stdout) as { seen: string[]; more: number };
    expect(seen).toEqual([expect.stringMatching(/^ResourceWarning: unclosed transport/)]);
    expect(more).toBe(0);
  });

  testOnPosix('UNIX-046: pipe transports that are dropped have their pipes closed, and nobody is told', async () => {
    const end = await library.run(
      `${untilWarned}
      class Noting extends fdloop.Protocol { connectionLost() { seen.push('connectionLost'); } }
      const fs = require('fs');
      const loop = fdloop.newEventLoop();
      const fds = [];
      (() => {
        const [readEnd, far] = fdloop.pipe();
        const terminal = fs.openSync('/dev/null', 'w');
        fds.push(readEnd.fileno(), terminal);
        loop.runUntilCompleteSync(async () => {
          const [reading] = await loop.connectReadPipe(() => new Noting(), readEnd);
          reading.pauseReading();
          await loop.connectWritePipe(() => new Noting(), terminal);
        });
        far.close();
      })();
      // Not whether they are open: somebody else may have the numbers by then.
      const identity = (fd) => { try { const { dev, ino } = fs.fstatSync(fd); return dev + ' ' + ino; } catch { return 'closed'; } };
      const then = fds.map(identity);
      (async () => {
        for (let turn = 0; turn < 200 && seen.length < 2; turn++) {
          global.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        console.log(JSON.stringify({ seen, fds, same: fds.map((fd, index) => identity(fd) === then[index]) }));
        loop.close();
      })();`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen, fds, same } = JSON.parse(end.stdout) as { seen: string[]; fds: number[]; same: boolean[] };
    expect(seen.sort()).toEqual(
      fds.map((fd) => `ResourceWarning: unclosed transport: its pipe, descriptor ${fd}, is closed now`).sort(),
    );
    expect(same).toEqual([false, false]);
  });

  testOnPosix(
    'UNIX-046: of pipe transports that were closed nothing is heard, and their numbers are left alone',
    async () => {
      const end = await library.run(
        `${untilWarned}
      const fs = require('fs');
      const loop = fdloop.newEventLoop();
      const [readEnd, far] = fdloop.pipe();
      const fds = [readEnd.detach(), fs.openSync('/dev/null', 'w')];
      (() => {
        loop.runUntilCompleteSync(async () => {
          const verbs = ['connectReadPipe', 'connectWritePipe'];
          for (const [index, verb] of verbs.entries()) {
            const [transport] = await loop[verb](() => new fdloop.Protocol(), fds[index]);
            transport.close();
          }
          await fdloop.sleep(0);
        });
      })();
      const again = fds.map(() => fs.openSync('/dev/null', 'r'));
      (async () => {
        for (let turn = 0; turn < 30; turn++) {
          global.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        for (const fd of again) fs.closeSync(fd);
        far.close();
        console.log(JSON.stringify({ seen, fds, again: again.sort((one, other) => one - other) }));
        loop.close();
      })();`,
        { nodeOptions },
      );
      expect([end.status, end.stderr]).toEqual([0, '']);
      const { seen, fds, again } = JSON.parse(end.stdout) as { seen: string[]; fds: number[]; again: number[] };
      expect(seen).toEqual([]);
      expect(again).toEqual(fds);
    },
  );

  testOnPosix('UNIX-046: a pipe transport that is watched stays, until its loop is dropped too', async () => {
    const end = await library.run(
      `${untilWarned}
      let loop = fdloop.newEventLoop();
      const [readEnd, writeEnd] = fdloop.pipe();
      const text = [];
      class Noting extends fdloop.Protocol { dataReceived(data) { text.push(String(data)); } }
      (() => loop.runUntilCompleteSync(loop.connectReadPipe(() => new Noting(), readEnd)))();
      (async () => {
        for (let turn = 0; turn < 5; turn++) {
          global.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        require('fs').writeSync(writeEnd.fileno(), 'still there');
        loop.stop();
        loop.runForeverSync();
        loop = null;
        for (let turn = 0; turn < 200 && seen.length < 2; turn++) {
          global.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        console.log(JSON.stringify({ seen, text, fd: readEnd.fileno() }));
      })();`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen, text, fd } = JSON.parse(end.stdout) as { seen: string[]; text: string[]; fd: number };
    expect([text, fd]).toEqual([['still there'], -1]);
    expect(seen.sort()).toEqual([
      expect.stringMatching(/^ResourceWarning: unclosed event loop/),
      expect.stringMatching(/^ResourceWarning: unclosed transport: its pipe/),
    ]);
  });

  test('STR-005, STR-034: streams that are dropped without being closed close their connection, with a ResourceWarning', async () => {
    const end = await library.run(
      `${untilWarned}
      const loop = fdloop.newEventLoop();
      const [near, far] = fdloop.socketpair();
      async function main() {
        const [reader] = await fdloop.openConnection(null, null, { sock: near });
        far.send(Buffer.from('some'));
        // While somebody reads, nothing is closed, though nobody has the writer.
        for (let turn = 0; turn < 10; turn++) { global.gc(); await fdloop.wrapPromise(new Promise(setImmediate)); }
        const first = await reader.read(10);
        far.send(Buffer.from('more'));
        seen.length = 0;
        const second = await reader.read(10);
        console.error(String(first) + String(second));
      }
      loop.runUntilComplete(main).then(async () => {
        for (let turn = 0; turn < 200 && seen.length === 0; turn++) {
          global.gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        await loop.runUntilComplete(() => fdloop.sleep(0));
        console.error('then ' + far.recv(10).length);
        far.close();
        loop.close();
        console.log(JSON.stringify(seen));
      });`,
      { nodeOptions },
    );
    expect(end.stderr).toMatch(/^somemore\n[^]*\nthen 0$/m);
    expect(JSON.parse(end.stdout)).toEqual(['ResourceWarning: unclosed stream']);
  });

  test('STR-034: streams that are dropped when their loop is closed are only told of', async () => {
    const end = await library.run(
      `${untilWarned}
      const loop = fdloop.newEventLoop();
      const [near, far] = fdloop.socketpair();
      (() => {
        loop.runUntilCompleteSync(() => fdloop.openConnection(null, null, { sock: near }));
        loop.close();
      })();
      untilWarned().then(() => far.close());`,
      { nodeOptions },
    );
    expect(end.status).toBe(0);
    const { seen } = JSON.parse(end.stdout) as { seen: string[] };
    expect(seen).toContain('ResourceWarning: a stream was left open and its loop is closed');
  });

  test('TLS-082: a TLS transport that is dropped without being closed is told of, and its socket closed', async () => {
    const { keyFile, certFile } = certificates.current.selfSigned('server');
    const end = await library.run(
      `${untilWarned}
      const { readFileSync } = require('fs');
      const [key, cert] = [${JSON.stringify(keyFile)}, ${JSON.stringify(certFile)}].map((file) => readFileSync(file));
      class Noting extends fdloop.Protocol { connectionLost() { seen.push('connectionLost'); } }
      const loop = fdloop.newEventLoop();
      const [near, far] = fdloop.socketpair();
      let kept;
      const open = async () => {
        const accepted = loop.connectAcceptedSocket(() => new fdloop.Protocol(), far, { ssl: { key, cert } });
        const served = loop.createTask(accepted);
        const ssl = { ca: cert };
        const options = { sock: near, ssl, serverHostname: 'localhost' };
        const [transport] = await loop.createConnection(() => new Noting(), null, null, options);
        [kept] = await served;
        // Nothing is read below either: the selector does not hold it.
        transport.pauseReading();
        transport.setReadBufferLimits(0);
      };
      loop.runUntilComplete(open()).then(untilWarned).then(async () => {
        kept.abort();
        await loop.runUntilComplete(fdloop.sleep(0));
        loop.close();
      });`,
      { nodeOptions },
    );
    expect(end.stderr).toContain('unclosed transport');
    const { seen, more, areShown } = JSON.parse(end.stdout) as { seen: string[]; more: number; areShown: boolean };
    expect(seen).toEqual([expect.stringMatching(/^ResourceWarning: unclosed transport/)]);
    // The loop's own three, and the other end; only Linux shows them.
    expect(more).toBe(areShown ? 4 : 0);
  });

  test('a TLS connection that ends or fails in a synchronous run is collected in that run', async () => {
    const { keyFile, certFile } = certificates.current.selfSigned('server');
    const end = await library.run(
      `const { readFileSync } = require('fs');
      const [key, cert] = [${JSON.stringify(keyFile)}, ${JSON.stringify(certFile)}].map((file) => readFileSync(file));
      const tls = require('tls');
      const references = [];
      const events = [];
      const { TLSSocket } = tls;
      tls.TLSSocket = function (...args) {
        const socket = new TLSSocket(...args);
        references.push(new WeakRef(socket));
        socket.on('close', () => events.push('close'));
        return socket;
      };
      const loop = fdloop.newEventLoop();
      function* connect() {
        const [near, far] = fdloop.socketpair();
        const served = loop.createTask(loop.connectAcceptedSocket(() => new fdloop.Protocol(), far, { ssl: { key, cert } }));
        const lost = loop.createFuture();
        class Client extends fdloop.Protocol { connectionLost(error) { lost.setResult(error); } }
        const options = { sock: near, ssl: { ca: cert }, serverHostname: 'localhost' };
        const [transport] = yield* loop.createConnection(() => new Client(), null, null, options);
        references.push(new WeakRef(transport.getExtraInfo('ssl_object')));
        yield* served;
        transport.close();
        yield* lost;
      }
      function* fail() {
        const [near, far] = fdloop.socketpair();
        near.send(Buffer.from('this is no TLS'));
        try {
          yield* loop.connectAcceptedSocket(() => new fdloop.Protocol(), far, { ssl: { key, cert } });
        } catch (error) {
          events.push(error.code);
        }
        near.close();
      }
      loop.runUntilCompleteSync((function* () {
        for (let round = 0; round < 3; round++) {
          yield* connect();
          yield* fail();
        }
        const left = () => references.filter((reference) => reference.deref() !== undefined).length;
        for (let turn = 0; turn < 200 && left() > 0; turn++) {
          yield* fdloop.sleep(0);
          global.gc();
        }
        console.log(JSON.stringify({ made: references.length, left: left(), events }));
      })());
      loop.close();`,
      { nodeOptions },
    );
    expect(end.stderr).toBe('');
    const code = 'ERR_SSL_WRONG_VERSION_NUMBER';
    const { events, ...counts } = JSON.parse(end.stdout) as { events: string[] };
    expect(counts).toEqual({ made: 9, left: 0 });
    expect(events.sort()).toEqual([code, code, code, ...Array<string>(6).fill('close')]);
  });
});
