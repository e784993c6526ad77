// bad-arguments.test.ts: the binding, called directly, with everything that lib/ would never hand down. The answer is a
// TypeError or a negative number. It runs in a child process, so that a crash is a failed test and not a dead runner.

import { useCompiledLibrary } from '../support/compiled-library';
import { childKit, expectOk } from './child-kit';

const library = useCompiledLibrary();

/** Good arguments of every function, each with the kind of every place. */
const signatures = `
  const F = 'fd', I = 'int32', U = 'uint32', N = 'number', B = 'bytes', L = 'int32s', S = 'string', T = 'boolean', A = 'array', C = 'function', O = 'object', M = 'string or null', K = 'bytes or null', R = 'memory';
  const selectors = [];
  const selector = (name = best) => { const made = addon.createSelector(name); selectors.push(made); return made; };
  const bytes = () => new Uint8Array(16);
  const lookup = () => addon.startAddressLookup('127.0.0.1', null, AF_INET, SOCK_STREAM, 0, 0, pair()[0]);
  let shell;
  const child = () => (shell ??= addon.spawn([Buffer.from('/bin/sh')], [Buffer.from('sh')], [], null, Int32Array.of(-2, -2, -2), new Int32Array(5).fill(-1), new Int32Array(1)));
  // Windows has none, so that there is no good argument.
  const ofChildren = {
    childPid: [[O], () => [child()]],
    childDescriptor: [[O], () => [child()]],
    watchChild: [[O, F], () => [child(), pair()[0]]],
    unwatchChild: [[O], () => [child()]],
    childHasEnded: [[O], () => [child()]],
    reapChild: [[O, L], () => [child(), new Int32Array(1)]],
    signalChild: [[O, I], () => [child(), 0]],
  };
  const functions = {
    errorMessage: [[I], () => [2]],
    createSelector: [[S], () => ['nothing']],
    createHostWatch: [[O, S, C], () => [selector(), watchMode, () => {}]],
    createHostWatchForFd: [[F, C], () => [pair()[0], () => {}]],
    nudgeHost: [[], () => []],
    socket: [[I, I, I], () => [250, SOCK_STREAM, 0]],
    socketpair: [[I, I, I, L], () => [250, SOCK_STREAM, 0, new Int32Array(2)]],
    bind: [[F, B, N], () => [socket(), address(), 0]],
    listen: [[F, I], () => [socket(), 1]],
    connect: [[F, B, N], () => [socket(), address(), 0]],
    recv: [[F, B, N, N, I], () => [pair()[0], bytes(), 0, 1, 0]],
    waitFor: [[I, N, R, I], () => { const made = selector(); addon.addTo(made.number, pair()[0], 2); return [made.number, 0, new ArrayBuffer(32), 1]; }],
    addTo: [[I, F, I], () => [selector().number, pair()[0], 1]],
    modifyIn: [[I, F, I], () => { const made = selector(), [fd] = pair(); addon.addTo(made.number, fd, 2); return [made.number, fd, 1]; }],
    removeFrom: [[I, F], () => { const made = selector(), [fd] = pair(); addon.addTo(made.number, fd, 2); return [made.number, fd]; }],
    acceptAt: [[F, R], () => [socket(), new ArrayBuffer(136)]],
    getsocknameAt: [[F, R], () => [socket(), new ArrayBuffer(136)]],
    getpeernameAt: [[F, R], () => [pair()[0], new ArrayBuffer(136)]],
    setNumber: [[F, I, I, I], () => [socket(), SOL_SOCKET, SO_REUSEADDR, 1]],
    recvAt: [[F, R, N, N], () => [pair()[0], new ArrayBuffer(16), 0, 1]],
    recvfromAt: [[F, R, N, N, R], () => [pair()[0], new ArrayBuffer(16), 0, 1, new ArrayBuffer(136)]],
    sendtoFrom: [[F, B, R, N], () => [socket(SOCK_DGRAM), bytes(), new ArrayBuffer(16), 2]],
    recvInto: [[F, B], () => [pair()[0], bytes()]],
    sendFrom: [[F, B], () => [pair()[0], bytes()]],
    pipe: [[L], () => [new Int32Array(2)]],
    readAt: [[F, R, N, N], () => [pair()[0], new ArrayBuffer(16), 0, 1]],
    writeFrom: [[F, B], () => [pair()[0], bytes()]],
    fileMode: [[F], () => [pair()[0]]],
    detach: [[R], () => [new ArrayBuffer(16)]],
    recvfrom: [[F, B, N, N, I, B, L], () => [pair()[0], bytes(), 0, 1, 0, address(), new Int32Array(1)]],
    send: [[F, B, N, N, I], () => [pair()[0], bytes(), 0, 1, 0]],
    sendto: [[F, B, N, N, I, B, N], () => [socket(SOCK_DGRAM), bytes(), 0, 1, 0, address(), 2]],
    sendmsg: [[F, A, I, I], () => [pair()[0], [bytes()], 1, 0]],
    recvMessage: [[F, A, I, I, B, B, L], () => [pair()[0], [bytes()], 1, 0, bytes(), address(), new Int32Array(3)]],
    sendMessage: [[F, A, I, I, B, N, B, N], () => [pair()[0], [bytes()], 1, 0, bytes(), 0, address(), 0]],
    recvMessages: [[F, B, N, I, I, B, N, B, L], () => [pair()[0], bytes(), 8, 2, 0, bytes(), 8, new Uint8Array(512), new Int32Array(8)]],
    sendMessages: [[F, A, I, I, L, B, B], () => [pair()[0], [bytes()], 1, 0, new Int32Array([1, 0, 0]), bytes(), address()]],
    controlLength: [[N], () => [4]],
    controlSpace: [[N], () => [4]],
    nextControl: [[B, N, N, L], () => [bytes(), 16, 0, new Int32Array(4)]],
    appendControl: [[B, N, I, I, B], () => [new Uint8Array(64), 0, 1, 1, bytes()]],
    shutdown: [[F, I], () => [pair()[0], 1]],
    close: [[F], () => [999]],
    own: [[F], () => [socket()]],
    disown: [[F], () => [socket()]],
    getsockopt: [[F, I, I, B, L], () => [socket(), SOL_SOCKET, SO_ERROR, new Uint8Array(4), new Int32Array(1)]],
    setsockopt: [[F, I, I, B], () => [socket(), SOL_SOCKET, SO_REUSEADDR, new Uint8Array(4)]],
    setNonBlocking: [[F, T], () => [socket(), true]],
    getNonBlocking: [[F], () => [socket()]],
    setInheritable: [[F, T], () => [socket(), false]],
    getInheritable: [[F], () => [socket()]],
    dup: [[F], () => [998]],
    encodeInetAddress: [[I, S, I, U, U, B], () => [AF_INET, '1.2.3.4', 1, 0, 0, address()]],
    encodeUnixAddress: [[B, B], () => [Buffer.from('/path'), address()]],
    encodeLinkAddress: [[I, L, B, B], () => [16, new Int32Array(2), new Uint8Array(0), address()]],
    decodeAddress: [[B, N], () => [address(), 16]],
    interfaceIndex: [[S], () => ['lo']],
    interfaceName: [[U], () => [1]],
    sendfile: [[F, F, N, N], () => [pair()[0], pair()[0], 0, 1]],
    seek: [[F, N], () => [pair()[0], 0]],
    startAddressLookup: [[M, M, I, I, I, I, F], () => ['127.0.0.1', null, AF_INET, SOCK_STREAM, 0, 0, pair()[0]]],
    startNameLookup: [[B, N, I, F], () => [address(), 16, 0, pair()[0]]],
    lookupAnswer: [[O], () => [lookup()]],
    abandonLookup: [[O], () => [lookup()]],
    resolverErrorMessage: [[I], () => [-2]],
    wake: [[F, L], () => [pair()[0], new Int32Array(2)]],
    isSignal: [[I], () => [28]],
    reserveSignal: [[I, F], () => [28, pair()[0]]],
    watchSignal: [[I, F, T], () => [28, pair()[0], true]],
    unwatchSignal: [[I, F], () => [28, pair()[0]]],
    releaseSignal: [[I, F], () => [28, pair()[0]]],
    takeMissedSignals: [[I, F], () => [28, pair()[0]]],
    openWakeEnd: [[F, L], () => [pair()[0], new Int32Array(2)]],
    closeWakeEnd: [[F, L], () => [addon.dup(pair()[0]), new Int32Array(2)]],
    spawn: [[A, A, A, K, L, L, L], () => [[bytes()], [bytes()], [], bytes(), new Int32Array(3), new Int32Array(5), new Int32Array(1)]],
    findUser: [[S, L], () => ['root', new Int32Array(1)]],
    findGroup: [[S, L], () => ['root', new Int32Array(1)]],
    ...(process.platform === 'win32' ? {} : ofChildren),
  };
  const values = [
    undefined, null, true, false, '', 'text', '1', 1n, Symbol('s'), {}, [], [1], () => {}, class {}, new Date(), /x/,
    NaN, Infinity, -Infinity, 0.5, -0.5, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53, 2 ** 63, -1, -0,
    new ArrayBuffer(8), new SharedArrayBuffer(8), new Uint8Array(0), new Uint8ClampedArray(8), new Int8Array(8),
    new Uint16Array(8), new Int32Array(0), new Uint32Array(8), new Float64Array(8), new BigInt64Array(8),
    new DataView(new ArrayBuffer(8)), new Proxy(new Uint8Array(8), {}), new Proxy({}, { get() { throw new Error('touched'); } }),
    new String('x'), new Number(1), Object.create(null), Object.create(new Uint8Array(8)), new (class extends Array {})(),
    Promise.resolve(), globalThis, addon,
  ];
  const isKind = (kind, value) => {
    switch (kind) {
      case 'fd': case 'int32': return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31;
      case 'uint32': return Number.isInteger(value) && value >= 0 && value < 2 ** 32;
      case 'number': return typeof value === 'number';
      case 'boolean': return typeof value === 'boolean';
      case 'string': return typeof value === 'string';
      case 'function': return typeof value === 'function';
      case 'array': return Array.isArray(value) && !require('node:util').types.isProxy(value);
      case 'bytes': return require('node:util').types.isUint8Array(value);
      case 'bytes or null': return value === null || require('node:util').types.isUint8Array(value);
      case 'int32s': return require('node:util').types.isInt32Array(value);
      case 'memory': return require('node:util').types.isArrayBuffer(value);
      case 'object': return false;
      case 'string or null': return value === null || typeof value === 'string';
    }
  };
`;

test('every function is in the list of this test', async () => {
  expectOk(
    await library.run(`${childKit}${signatures}
      const known = Object.keys(functions).sort();
      const isHere = (name) => process.platform !== 'win32' || !(name in ofChildren);
      const all = Object.keys(addon).filter((name) => typeof addon[name] === 'function' && isHere(name)).sort();
      assert.deepStrictEqual(known, all);
      end();`),
  );
});

test('a value of the wrong type in any place of any function is a TypeError', async () => {
  expectOk(
    await library.run(`${childKit}${signatures}
      const problems = [];
      for (const [name, [kinds, make]] of Object.entries(functions)) {
        kinds.forEach((kind, place) => {
          // Nothing is done with them, so that once is enough.
          const good = make();
          for (const value of values) {
            // Newer Nodes take shared memory for memory.
            if (isKind(kind, value) || (kind === R && value instanceof SharedArrayBuffer)) continue;
            const answer = attempt(() => addon[name](...good.with(place, value)));
            if (!isTypeError(answer)) problems.push(name + ' ' + place + ' ' + typeof value + ' ' + String(answer.error ?? answer.result));
            if (opened.length > 200) closeAll();
          }
        });
        for (let count = 0; count < kinds.length; count++) {
          if (!isTypeError(attempt(() => addon[name](...make().slice(0, count))))) problems.push(name + ' with ' + count);
        }
        closeAll();
        for (const made of selectors.splice(0)) made.close();
      }
      assert.deepStrictEqual(problems, []);
      end();`),
  );
});

test('a value of the right type that makes no sense is answered with a number', async () => {
  expectOk(
    await library.run(`${childKit}${signatures}
      const problems = [];
      let seen = 0;
      for (const [name, [kinds, make]] of Object.entries(functions)) {
        // Their answers are objects or texts.
        if (/^(createHost|start|decode|interfaceName)|(error|Error)Message$/.test(name)) continue;
        kinds.forEach((kind, place) => {
          for (const value of values) {
            // 0 is a descriptor of the process itself, and what an array has in it is another test's.
            if (!isKind(kind, value) || Object.is(value, -0) || kind === 'array') continue;
            const args = make();
            args[place] = value;
            const { result, error } = attempt(() => addon[name](...args));
            seen += 1;
            if (!Number.isInteger(result)) problems.push(name + ' ' + place + ' ' + String(value) + ' ' + error);
            if (kind === 'fd' && value < 0 && !(result < 0) && !name.includes('ake')) problems.push(name + ' ' + place + ' ' + value + ' ' + result);
          }
        });
        closeAll();
        for (const made of selectors.splice(0)) made.close();
      }
      assert.deepStrictEqual(problems, []);
      assert(seen > 150);
      end();`),
  );
});

test('further arguments are not looked at', async () => {
  expectOk(
    await library.run(`${childKit}${signatures}
      for (const [name, [kinds, make]] of Object.entries(functions)) {
        const answer = attempt(() => addon[name](...make(), Symbol('further'), {}));
        assert.strictEqual(answer.error, undefined, name);
        answer.result?.close?.();
        if (name.startsWith('start')) addon.abandonLookup(answer.result);
        closeAll();
      }
      end();`),
  );
});

test('a method on a foreign this is a TypeError', async () => {
  expectOk(
    await library.run(`${childKit}
      const selector = addon.createSelector(best);
      const watch = addon.createHostWatch(selector, watchMode, () => {});
      const foreign = [{}, [], () => {}, 5, 'text', null, undefined, Symbol('s'), new Proxy(selector, {}), Object.create(selector),
        Object.create(watch), addon, globalThis, new Uint8Array(8)];
      for (const [one, other] of [[selector, watch], [watch, selector]]) {
        const prototype = Object.getPrototypeOf(one);
        const names = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
        assert(names.length >= 4);
        for (const name of names) {
          const { value, get } = Object.getOwnPropertyDescriptor(prototype, name);
          for (const self of [...foreign, other, prototype]) {
            assert(attempt(() => (value ?? get).call(self, 1, 1, 1)).error instanceof TypeError, name);
          }
        }
      }
      for (const one of [selector, watch]) {
        for (const make of [() => new one.constructor(), () => Reflect.construct(one.constructor, [selector], Object),
          () => new (class extends one.constructor {})(), () => one.constructor()]) {
          assert(attempt(make).error instanceof TypeError);
        }
      }
      assert(Reflect.get(Object.getPrototypeOf(selector), "number", selector) > 0);
      watch.close(); selector.close(); watch.close(); selector.close();
      end();`),
  );
});

test('a selector that was closed answers EBADF, and shows no descriptor', async () => {
  expectOk(
    await library.run(`${childKit}
      for (const name of addon.selectorNames) {
        const selector = addon.createSelector(name);
        const [fd] = pair();
        assert.strictEqual(addon.addTo(selector.number, fd, 1), 0);
        selector.close();
        selector.close();
        assert.strictEqual(selector.name, name);
        assert.strictEqual(selector.fd, -1);
        const number = selector.number;
        const answers = [addon.waitFor(number, 0, new ArrayBuffer(8), 1), addon.addTo(number, fd, 1), addon.modifyIn(number, fd, 1), addon.removeFrom(number, fd)];
        assert.deepStrictEqual(answers, [-EBADF, -EBADF, -EBADF, -EBADF]);
        assert.strictEqual(addon.createHostWatch(selector, 'nested', () => {}), -EBADF);
        assert.strictEqual(addon.createHostWatch(selector, 'thread', () => {}), -EBADF);
      }
      end();`),
  );
});

test('a number that is no live selector’s answers EBADF, and is never given again', async () => {
  expectOk(
    await library.run(`${childKit}
      const room = new ArrayBuffer(8);
      const seen = new Set();
      for (let times = 0; times < 100; times++) {
        const selector = addon.createSelector(addon.selectorNames.at(-1));
        assert(!seen.has(selector.number));
        seen.add(selector.number);
        assert.strictEqual(addon.waitFor(selector.number, 0, room, 1), 0);
      }
      const [fd] = pair();
      for (const number of [0, -1, 101, 2 ** 31 - 1, -(2 ** 31)]) {
        const answers = [addon.waitFor(number, 0, room, 1), addon.addTo(number, fd, 1), addon.modifyIn(number, fd, 1), addon.removeFrom(number, fd)];
        assert.deepStrictEqual(answers, [-EBADF, -EBADF, -EBADF, -EBADF]);
      }
      // Collected ones take their numbers along.
      const isGone = () => [...seen].some((number) => addon.waitFor(number, 0, room, 1) === -EBADF);
      (function look(left) {
        collect();
        if (isGone()) end();
        else if (left > 0) setImmediate(look, left - 1);
        else assert.fail('no selector was collected');
      })(1000);`),
  );
});

test('an unknown name makes no selector', async () => {
  expectOk(
    await library.run(`${childKit}
      for (const name of ['', 'nothing', 'EPOLL', 'epoll ', 'epoll\\0', '\\0', '__proto__', 'x'.repeat(1e6), '\\ud800']) {
        assert.strictEqual(addon.createSelector(name), -ENOSYS);
      }
      assert(Object.isFrozen(addon.selectorNames) && Object.isFrozen(addon.constants) && Object.isFrozen(addon.errnoByName));
      end();`),
  );
});

test('every number has a text', async () => {
  expectOk(
    await library.run(`${childKit}
      for (const number of [0, 1, 2, 133, 134, 9999, -1, 2 ** 31 - 1, -(2 ** 31)]) {
        assert.match(addon.errorMessage(number), /./);
      }
      assert.strictEqual(addon.errorMessage(addon.errnoByName.ECONNRESET), 'Connection reset by peer');
      end();`),
  );
});
