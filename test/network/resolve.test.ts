// resolve.test.ts: names to addresses and back, by the system's resolver, in every kind of run. Only this machine and
// numeric hosts are relied on.

import { setLogReceiver, type LogRecord } from '../../lib/base/log';
import { GaiError, OSError, ValueError } from '../../lib/base/errors';
import { Coroutine } from '../../lib/futures/coroutine';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { gather } from '../../lib/futures/gather';
import { SelectorEventLoop } from '../../lib/event-loop';
import { VirtualClock } from '../../lib/loop/driver';
import { ensureResolved } from '../../lib/loop/sock-io';
import { defaultWorkerCount } from '../../lib/loop/thread-pool';
import { binding } from '../../lib/native/binding';
import { numericAddress, type AddressInfo } from '../../lib/sockets/numeric-address';
import { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_STREAM, socketConstants } from '../../lib/sockets/constants';
import { useCompiledLibrary } from '../support/compiled-library';
import { openDescriptors } from '../support/descriptors';
import { driverNames, forEveryLoop, outsideOfMicrotasks, useLoop } from '../support/loops';
import { NotingProtocol } from '../support/protocols';
import { isWindows, testNotOnWine } from '../support/systems';

const { AI_CANONNAME, AI_NUMERICHOST, AI_PASSIVE, NI_NUMERICHOST, NI_NUMERICSERV, IPPROTO_TCP, IPPROTO_UDP } =
  socketConstants;

const UNKNOWN_HOST = 'nonexistent.invalid';

/** The error that a coroutine ends with. */
async function errorOf(promise: PromiseLike<unknown>): Promise<Error & { code?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to fail');
}

forEveryLoop((name, use) => {
  describe(`getaddrinfo: ${name}`, () => {
    const subject = use();

    test('LOOP-084: gives what the resolver gives; every option is 0 unless given', async () => {
      const { loop } = subject.current;
      const all = await subject.current.run(loop.getaddrinfo('127.0.0.1', 80));
      // Windows lists each address once, of no type, and knows no protocol that was not asked for.
      expect(all.map(({ type }) => type)).toEqual(isWindows ? [0] : expect.arrayContaining([SOCK_STREAM, SOCK_DGRAM]));
      for (const info of all) {
        expect(info).toMatchObject({ family: AF_INET, canonicalName: '', address: ['127.0.0.1', 80] });
      }
      const options = { family: AF_INET, type: SOCK_DGRAM, proto: IPPROTO_UDP, flags: AI_NUMERICHOST };
      expect(await subject.current.run(loop.getaddrinfo('127.0.0.1', 80, options))).toEqual([
        { family: AF_INET, type: SOCK_DGRAM, proto: IPPROTO_UDP, canonicalName: '', address: ['127.0.0.1', 80] },
      ]);
    });

    test('knows this machine by its name', async () => {
      const { loop } = subject.current;
      const found = await subject.current.run(
        loop.getaddrinfo('localhost', 80, { family: AF_INET, type: SOCK_STREAM }),
      );
      expect(found).toContainEqual({
        family: AF_INET,
        type: SOCK_STREAM,
        proto: isWindows ? 0 : IPPROTO_TCP,
        canonicalName: '',
        address: ['127.0.0.1', 80],
      });
    });

    test('an unknown host fails with a GaiError, which is an OSError', async () => {
      const { loop } = subject.current;
      const error = await errorOf(subject.current.run(loop.getaddrinfo(UNKNOWN_HOST, 80)));
      expect(error).toBeInstanceOf(GaiError);
      expect(error).toBeInstanceOf(OSError);
      // Without a network the resolver says that it may know later.
      expect(['EAI_NONAME', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_FAIL']).toContain(error.code);
      expect(error).toMatchObject({ name: 'GaiError', syscall: 'getaddrinfo', address: UNKNOWN_HOST, port: 80 });
      expect((error as GaiError).errno).toBeLessThan(0);
      expect(error.message).toContain(binding.resolverErrorMessage(socketConstants[error.code as 'EAI_NONAME']));
    });

    test('more questions than threads are all answered', async () => {
      const { loop } = subject.current;
      const count = 3 * defaultWorkerCount();
      const answers: AddressInfo[][] = await subject.current.run(function* () {
        const ports = Array.from({ length: count }, (_, port) => port);
        return yield* gather(ports.map((port) => loop.getaddrinfo('127.0.0.1', port, { type: SOCK_STREAM })));
      });
      expect(answers.map(([info]) => info.address[1])).toEqual(Array.from({ length: count }, (_, port) => port));
    });

    test('createServer and createConnection take the name of this machine', async () => {
      const { loop } = subject.current;
      const served: NotingProtocol[] = [];
      const client = new NotingProtocol();
      await subject.current.run(function* () {
        const isLost = loop.createFuture<void>();
        const serving = (): NotingProtocol => {
          served.push(new NotingProtocol({ connectionLost: () => isLost.setResult() }));
          return served[0];
        };
        const server = yield* loop.createServer(serving, 'localhost', 0, { family: AF_INET });
        const [, port] = server.sockets[0].getsockname() as [string, number];
        const [transport] = yield* loop.createConnection(() => client, 'localhost', port, { family: AF_INET });
        transport.close();
        yield* isLost;
        server.close();
        yield* server.waitClosed();
      });
      expect(client.events).toEqual([['connectionMade'], ['connectionLost', null]]);
      expect(served[0].names()[0]).toBe('connectionMade');
    });
  });
});

describe('what getaddrinfo is asked for', () => {
  const subject = useLoop('sync');
  const ask = (...args: Parameters<SelectorEventLoop['getaddrinfo']>): Promise<AddressInfo[]> =>
    subject.current.run(subject.current.loop.getaddrinfo(...args));

  test('no host is this machine, or with AI_PASSIVE every interface', async () => {
    const stream = { family: AF_INET, type: SOCK_STREAM };
    expect((await ask(null, 80, stream))[0].address).toEqual(['127.0.0.1', 80]);
    expect((await ask(null, 80, { ...stream, flags: AI_PASSIVE }))[0].address).toEqual(['0.0.0.0', 80]);
  });

  test('an address of IPv6 has four parts', async () => {
    const [info] = await ask('::1', 80, { type: SOCK_STREAM });
    expect(info).toMatchObject({ family: AF_INET6, address: ['::1', 80, 0, 0] });
  });

  test('a port may be the name of a service, or digits, or nothing', async () => {
    const stream = { type: SOCK_STREAM };
    expect((await ask('127.0.0.1', 'http', stream))[0].address).toEqual(['127.0.0.1', 80]);
    expect((await ask('127.0.0.1', '8080', stream))[0].address).toEqual(['127.0.0.1', 8080]);
    expect((await ask('127.0.0.1', null, stream))[0].address).toEqual(['127.0.0.1', 0]);
  });

  test('the canonical name is given when it is asked for', async () => {
    const [info] = await ask('127.0.0.1', 80, { flags: AI_CANONNAME | AI_NUMERICHOST });
    expect(info.canonicalName).toBe('127.0.0.1');
  });

  testNotOnWine('an unknown service and an empty host have codes of their own', async () => {
    expect((await errorOf(ask('127.0.0.1', 'nosuchservice'))).code).toBe('EAI_SERVICE');
    expect((await errorOf(ask('', 80))).code).toBe('EAI_NONAME');
    expect((await errorOf(ask(null, null))).code).toBe('EAI_NONAME');
    expect((await errorOf(ask('127.0.0.1', 80, { family: 9999 }))).code).toBe('EAI_FAMILY');
  });

  test.each([
    ['a label of 64 letters', `${'a'.repeat(64)}.example`],
    ['a last label of 64 letters', `www.${'a'.repeat(64)}`],
    ['an empty label', 'a..example'],
    ['a NUL', 'a\0b'],
    ['what no domain can be', 'ä b\u{ffff}'],
  ])('a host with %s is refused before anybody is asked', async (_what, host) => {
    const asked = jest.spyOn(binding, 'startAddressLookup');
    try {
      const error = await errorOf(ask(host, 80));
      expect(error).toBeInstanceOf(ValueError);
      expect(error.code).toBe('ERR_INVALID_HOST');
      expect(asked).not.toHaveBeenCalled();
    } finally {
      asked.mockRestore();
    }
  });

  test('a host beyond ASCII is asked for in its ASCII form', async () => {
    const asked = jest.spyOn(binding, 'startAddressLookup');
    try {
      await errorOf(ask('bücher.invalid', 80));
      expect(asked.mock.calls[0][0]).toBe('xn--bcher-kva.invalid');
    } finally {
      asked.mockRestore();
    }
  });

  test('wrong types are TypeErrors', async () => {
    expect(await errorOf(ask(5 as never, 80))).toBeInstanceOf(TypeError);
    expect(await errorOf(ask('::1', 1.5))).toBeInstanceOf(TypeError);
    expect(await errorOf(ask('::1', {} as never))).toBeInstanceOf(TypeError);
    expect((await errorOf(ask('::1', 80, { type: 'stream' as never }))).message).toContain('type');
  });

  test('a thread that cannot be started is an OSError, and the next question is asked as usual', async () => {
    const start = jest.spyOn(binding, 'startAddressLookup').mockReturnValueOnce(-binding.errnoByName.EAGAIN);
    try {
      expect(await errorOf(ask('127.0.0.1', 80))).toMatchObject({ code: 'EAGAIN', syscall: 'getaddrinfo' });
      expect(await ask('127.0.0.1', 80, { type: SOCK_STREAM })).toHaveLength(1);
    } finally {
      start.mockRestore();
    }
  });

  test('an error of the system behind the resolver is an OSError of its own', async () => {
    const { EAI_SYSTEM } = socketConstants;
    const taken = jest.spyOn(binding, 'lookupAnswer').mockReturnValueOnce({
      error: EAI_SYSTEM,
      systemError: binding.errnoByName.EMFILE,
      addresses: [],
      host: '',
      service: '',
    });
    try {
      const error = await errorOf(ask('127.0.0.1', 80));
      expect(error).not.toBeInstanceOf(GaiError);
      expect(error.code).toBe('EMFILE');
    } finally {
      taken.mockRestore();
    }
  });
});

describe('a host that is a numeric address', () => {
  const subject = useLoop('sync');

  /** What ensureResolved gives, and how often it asked the resolver. */
  async function resolved(
    ...[host, port, options]: Parameters<typeof numericAddress>
  ): Promise<[AddressInfo[], number]> {
    const { loop } = subject.current;
    const asked = jest.spyOn(loop, 'getaddrinfo').mockImplementation(() => new Coroutine(nothing()));
    const found = await subject.current.run(() => ensureResolved(loop, host, port, options));
    const count = asked.mock.calls.length;
    asked.mockRestore();
    return [found, count];
  }

  function* nothing(): CoroutineGenerator<AddressInfo[]> {
    return [];
  }

  const stream = { type: SOCK_STREAM };

  test('LOOP-086: is not looked up: it is the one result as it stands', async () => {
    expect(await resolved('192.0.2.1', 80, { ...stream, family: AF_INET })).toEqual([
      [{ family: AF_INET, type: SOCK_STREAM, proto: IPPROTO_TCP, canonicalName: '', address: ['192.0.2.1', 80] }],
      0,
    ]);
    expect((await resolved('example.invalid', 80, stream))[1]).toBe(1);
  });

  test('LOOP-087: stream means TCP and datagram UDP; another type, another protocol and no host are looked up', async () => {
    const protocols = [
      stream,
      { type: SOCK_DGRAM },
      { ...stream, proto: IPPROTO_TCP },
      { type: SOCK_DGRAM, proto: IPPROTO_UDP },
    ];
    const found = protocols.map((options) => numericAddress('192.0.2.1', 80, options)?.proto);
    expect(found).toEqual([IPPROTO_TCP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_UDP]);
    expect((await resolved('192.0.2.1', 80, {}))[1]).toBe(1);
    expect((await resolved('192.0.2.1', 80, { type: socketConstants.SOCK_RAW }))[1]).toBe(1);
    expect((await resolved('192.0.2.1', 80, { ...stream, proto: 255 }))[1]).toBe(1);
    expect((await resolved(null, 80, stream))[1]).toBe(1);
  });

  test('LOOP-087: no port is 0, and digits are a port; the name of a service is looked up', async () => {
    for (const [port, number] of [
      [null, 0],
      ['', 0],
      ['80', 80],
      [' 80 ', 80],
      ['-1', -1],
      [443, 443],
    ] as const) {
      const [[info], asked] = await resolved('192.0.2.1', port, stream);
      expect([info.address, asked]).toEqual([['192.0.2.1', number], 0]);
    }
    for (const port of ['http', '8o', '1.5', ' ']) expect((await resolved('192.0.2.1', port, stream))[1]).toBe(1);
  });

  test('LOOP-088: either family is found when none is asked for; another one than is asked for is looked up', async () => {
    const [[inet6]] = await resolved('::1', 80, stream);
    expect([inet6.family, inet6.address]).toEqual([AF_INET6, ['::1', 80, 0, 0]]);
    const [[inet]] = await resolved('127.0.0.1', 80, stream);
    expect(inet.family).toBe(AF_INET);
    expect((await resolved('127.0.0.1', 80, { ...stream, family: AF_INET6 }))[1]).toBe(1);
    expect((await resolved('::1', 80, { ...stream, family: AF_INET }))[1]).toBe(1);
  });

  test('LOOP-088: a zone, and short or hexadecimal forms, are looked up', async () => {
    for (const host of ['fe80::1%lo', '::1%1', '127.1', '0x7f.0.0.1', '2130706433', '127.0.0.01', '']) {
      expect([host, (await resolved(host, 80, stream))[1]]).toEqual([host, 1]);
    }
  });
});

describe('getnameinfo', () => {
  describe.each(driverNames)('%s', (driver) => {
    const subject = useLoop(driver);

    test('LOOP-084: gives host and service, as text or numbers', async () => {
      const { loop } = subject.current;
      const numeric = NI_NUMERICHOST | NI_NUMERICSERV;
      expect(await subject.current.run(loop.getnameinfo(['127.0.0.1', 80], numeric))).toEqual(['127.0.0.1', '80']);
      expect(await subject.current.run(loop.getnameinfo(['::1', 80, 0, 0], numeric))).toEqual(['::1', '80']);
      expect((await subject.current.run(loop.getnameinfo(['127.0.0.1', 80], NI_NUMERICHOST)))[1]).toBe('http');
    });
  });

  describe('what it refuses', () => {
    const subject = useLoop('sync');
    const ask = (...args: Parameters<SelectorEventLoop['getnameinfo']>): Promise<[string, string]> =>
      subject.current.run(subject.current.loop.getnameinfo(...args));

    test('a host that is a name, as Python does', async () => {
      const error = await errorOf(ask(['localhost', 80]));
      expect(error).toBeInstanceOf(GaiError);
      expect(error.code).toBe('EAI_NONAME');
    });

    test('an address of another form', async () => {
      expect(await errorOf(ask('/tmp/socket'))).toBeInstanceOf(TypeError);
      expect(await errorOf(ask(['127.0.0.1', 80, 0]))).toBeInstanceOf(ValueError);
      expect(await errorOf(ask(['127.0.0.1', 70000]))).toBeInstanceOf(ValueError);
    });

    testNotOnWine('a flag that the resolver does not know', async () => {
      expect((await errorOf(ask(['127.0.0.1', 80], 0x40000000))).code).toBe('EAI_BADFLAGS');
    });
  });
});

describe('debug mode', () => {
  const subject = useLoop('hosted');

  async function recordsOf(slowCallbackDuration: number): Promise<LogRecord[]> {
    const { loop } = subject.current;
    const records: LogRecord[] = [];
    loop.setDebug(true);
    loop.slowCallbackDuration = slowCallbackDuration;
    const previous = setLogReceiver((record) => {
      if (record.message.includes('getaddrinfo')) records.push(record);
    });
    try {
      await subject.current.run(loop.getaddrinfo('127.0.0.1', 80, { type: SOCK_STREAM }));
    } finally {
      setLogReceiver(previous);
    }
    return records;
  }

  test('LOOP-085: the request is logged, and how long it took', async () => {
    const [request, duration, ...others] = await recordsOf(100);
    expect(others).toEqual([]);
    expect(request.level).toBe('debug');
    expect(request.message).toContain('127.0.0.1:80, type=1');
    expect(duration.level).toBe('debug');
    expect(duration.message).toMatch(/took \d+\.\d{3} ms.*127\.0\.0\.1/s);
  });

  test('LOOP-085: a slow one is worth an info', async () => {
    expect((await recordsOf(0)).map(({ level }) => level)).toEqual(['debug', 'info']);
  });
});

describe('a lookup that nobody waits for', () => {
  describe.each(driverNames)('%s', (driver) => {
    const subject = useLoop(driver);

    test('may be cancelled, and the loop goes on', async () => {
      const { loop } = subject.current;
      const task = loop.createTask(loop.getaddrinfo(UNKNOWN_HOST, 80));
      loop.callSoon(() => task.cancel());
      expect((await errorOf(subject.current.run(task))).name).toBe('CancelledError');
      expect(await subject.current.run(loop.getaddrinfo('127.0.0.1', 80, { type: SOCK_STREAM }))).toHaveLength(1);
    });

    test('is never asked if it is cancelled while it waits for a thread', async () => {
      const { loop } = subject.current;
      const asked = jest.spyOn(binding, 'startAddressLookup');
      const held = jest.spyOn(binding, 'lookupAnswer').mockReturnValue(-binding.errnoByName.EAGAIN);
      try {
        const most = defaultWorkerCount();
        const tasks = Array.from({ length: most + 5 }, () => loop.createTask(loop.getaddrinfo('127.0.0.1', 80)));
        await subject.current.runOnce();
        expect(asked).toHaveBeenCalledTimes(most);
        for (const task of tasks) task.cancel();
        held.mockRestore();
        // Whatever the threads say from now on makes room; nobody is left to use it.
        const last = await subject.current.run(loop.getaddrinfo('127.0.0.1', 443, { type: SOCK_STREAM }));
        expect(last[0].address[1]).toBe(443);
        expect(asked).toHaveBeenCalledTimes(most + 1);
      } finally {
        asked.mockRestore();
        held.mockRestore();
      }
    });

    test('keeps no descriptor of a loop that is closed', async () => {
      const { loop } = subject.current;
      for (let count = 0; count < 50; count++) void loop.createTask(loop.getaddrinfo(UNKNOWN_HOST, count));
      await subject.current.runOnce();
      const selfPipe = openDescriptors().get(loop._wakeFd());
      loop.close();
      // No duplicate of it is left either, whatever the threads still do.
      expect([...openDescriptors().values()].filter((target) => target === selfPipe)).toEqual([]);
    });
  });

  test('a closed loop asks nobody', () => {
    const loop = new SelectorEventLoop();
    loop.close();
    const lookup = loop.getaddrinfo('127.0.0.1', 80)[Symbol.iterator]();
    expect(() => lookup.next()).toThrow(expect.objectContaining({ code: 'ERR_LOOP_CLOSED' }));
  });
});

describe('after the end of the default executor', () => {
  const subject = useLoop('hosted');

  test('LOOP-084: nothing is looked up any more, as if it was done there', async () => {
    const { loop } = subject.current;
    await subject.current.run(loop.shutdownDefaultExecutor());
    expect((await errorOf(subject.current.run(loop.getaddrinfo('127.0.0.1', 80)))).code).toBe('ERR_EXECUTOR_SHUTDOWN');
    expect((await errorOf(subject.current.run(loop.getnameinfo(['127.0.0.1', 80])))).code).toBe(
      'ERR_EXECUTOR_SHUTDOWN',
    );
  });
});

describe('virtual time', () => {
  test.each(['hosted', 'sync'] as const)('stands still while a lookup runs: %s', async (verb) => {
    const clock = new VirtualClock(1000);
    const loop = new SelectorEventLoop({ clock });
    const called: string[] = [];
    loop.callLater(3600, () => called.push('an hour later'));
    const lookup = loop.createTask(loop.getaddrinfo('localhost', 80));
    if (verb === 'hosted') await loop.runUntilComplete(lookup);
    else await outsideOfMicrotasks(() => loop.runUntilCompleteSync(lookup));
    expect(lookup.result().length).toBeGreaterThan(0);
    expect([clock.now(), called]).toEqual([1000, []]);
    loop.close();
  });
});

describe('the end of a thread with lookups under way', () => {
  const library = useCompiledLibrary();

  // No other thread of that process has the addon loaded: the end of the worker is the end of the addon.
  const worker = (end: string): string => `
    const fs = require('node:fs');
    const { Worker } = require('node:worker_threads');
    const code = 'const { SelectorEventLoop } = require(' + JSON.stringify(process.argv[1]) + ');' + ${JSON.stringify(`
      const loop = new SelectorEventLoop();
      for (let i = 0; i < 6; i++) loop.createTask(loop.getaddrinfo('localhost', 80));
      loop.stop();
      loop.runForeverSync();
    `)} + ${JSON.stringify(end)};
    const rounds = [...Array(${process.env.FDLOOP_SLOW ? 20 : 3}).keys()];
    const threads = () => (process.platform === 'linux' ? fs.readdirSync('/proc/self/task').length : 0);
    const before = threads();
    (async () => {
      for (const round of rounds) {
        const worker = new Worker(code, { eval: true });
        const isOver = new Promise((resolve) => worker.on('exit', resolve));
        worker.on('message', () => worker.terminate());
        worker.on('error', (error) => { console.error(error); process.exit(9); });
        await isOver;
      }
      // The threads of the lookups find their code where it was.
      while (threads() > before) await new Promise(setImmediate);
    })();`;

  const inFreshProcess = (end: string): string => `
    const { spawnSync } = require('node:child_process');
    const child = spawnSync(process.execPath, ['-e', ${JSON.stringify(worker(end))}, libraryFolder + 'index'], { encoding: 'utf8' });
    process.stderr.write(child.stderr);
    process.stdout.write(child.signal ?? String(child.status));`;

  test.each([
    ['process.exit() in the worker', 'process.exit();'],
    ['worker.terminate()', "require('node:worker_threads').parentPort.postMessage(1); for (;;);"],
    ['a worker that simply ends', ''],
  ])('harms nobody: %s', async (_how, end) => {
    const { stdout, stderr, status } = await library.run(inFreshProcess(end));
    expect([stderr, stdout, status]).toEqual(['', '0', 0]);
  });
});
