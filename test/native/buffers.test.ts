// buffers.test.ts: the border never touches memory that it was not given: offsets and lengths outside of a view, memory
// that was taken away or has shrunk, arrays that change while they are read. In child processes, so that a crash is a
// failed test.

import { useCompiledLibrary } from '../support/compiled-library';
import { childKit, expectOk } from './child-kit';

const library = useCompiledLibrary();
const run = async (script: string): Promise<void> => expectOk(await library.run(`${childKit}${script}`));

test('an offset or a length outside of the view is EINVAL, and nothing is moved', () =>
  run(`
    const [left, right] = pair();
    assert.strictEqual(addon.send(right, Buffer.from('waiting'), 0, 7, 0), 7);
    const view = new Uint8Array(new ArrayBuffer(64), 16, 16).fill(7);
    const outside = [[-1, 1], [0, -1], [0, 17], [17, 0], [16, 1], [1, 16], [0, Infinity], [Infinity, 0], [-Infinity, 1],
      [0, 2 ** 53], [2 ** 53, 2 ** 53], [2 ** 63, 2 ** 63], [-(2 ** 63), 2 ** 63], [0.5, 16], [15.5, 1], [0, 16.5],
      [2 ** 31, 1], [2 ** 32, 1], [-(2 ** 32), 1], [0, 2 ** 32 + 1]];
    for (const [offset, length] of outside) {
      const calls = {
        recv: () => addon.recv(left, view, offset, length, 0),
        recvAt: () => addon.recvAt(left, view.buffer.slice(view.byteOffset, view.byteOffset + view.length), offset, length),
        recvfromAt: () => addon.recvfromAt(left, view.buffer.slice(view.byteOffset, view.byteOffset + view.length), offset, length, new ArrayBuffer(136)),
        recvfrom: () => addon.recvfrom(left, view, offset, length, 0, address(), new Int32Array(1)),
        send: () => addon.send(left, view, offset, length, 0),
        sendto: () => addon.sendto(left, view, offset, length, 0, address(), 0),
      };
      for (const [name, call] of Object.entries(calls)) assert.strictEqual(call(), -EINVAL, name + ' ' + offset + ' ' + length);
    }
    assert.deepStrictEqual(new Set(new Uint8Array(view.buffer)), new Set([0, 7]));
    assert.strictEqual(addon.recv(right, view, 0, 16, 0), -EAGAIN);
    assert.strictEqual(addon.recv(left, view, NaN, 16, 0), 7);
    assert.deepStrictEqual([...new Uint8Array(view.buffer, 0, 16)], Array(16).fill(0));
    end();`));

test('an address length outside of the view is EINVAL', () =>
  run(`
    for (const length of [-1, 129, 2 ** 31, Infinity, -Infinity, 2 ** 63]) {
      for (const name of ['bind', 'connect']) assert.strictEqual(addon[name](socket(), address(), length), -EINVAL);
      assert.strictEqual(addon.sendto(socket(), Buffer.alloc(1), 0, 1, 0, address(), length), -EINVAL);
      assert.strictEqual(addon.decodeAddress(address(), length).family, 0);
    }
    end();`));

test('no room for a length is EINVAL, and a short room gets what fits', () =>
  run(`
    const [left, right] = pair();
    const none = new Int32Array(0);
    assert.strictEqual(addon.getsockopt(left, SOL_SOCKET, SO_ERROR, new Uint8Array(4), none), -EINVAL);
    assert.strictEqual(addon.recvfrom(left, new Uint8Array(1), 0, 1, 0, address(), none), -EINVAL);
    assert.strictEqual(addon.socketpair(PAIR_FAMILY, SOCK_STREAM, 0, new Int32Array(1)), -EINVAL);
    const lengths = new Int32Array(1);
    const inet = new Int32Array(2);
    datagramPair(inet);
    const [from, to] = inet.map(own);
    const octet = new Uint8Array(1);
    const receive = (room) => { addon.send(from, octet, 0, 1, 0); return addon.recvfrom(to, octet, 0, 1, 0, room, lengths); };
    assert.strictEqual(receive(address()), 1);
    const [whole] = lengths;
    for (const size of [0, 1, 2, 3, whole - 1, whole + 1]) {
      const memory = new Uint8Array(32).fill(9);
      assert.strictEqual(receive(memory.subarray(2, 2 + size)), 1);
      assert.strictEqual(lengths[0], Math.min(size, whole));
      assert.deepStrictEqual(new Set(memory.subarray(2 + lengths[0])), new Set([9]));
    }
    for (const size of [0, 2, 4, 5]) {
      const answer = addon.getsockopt(left, SOL_SOCKET, SO_ERROR, new Uint8Array(size), lengths);
      // Windows wants room for all of it.
      const isRefused = process.platform === 'win32' && size < 4;
      assert.deepStrictEqual([size, answer], [size, isRefused ? -addon.errnoByName.EFAULT : 0]);
      if (!isRefused) assert.strictEqual(lengths[0], Math.min(size, 4));
    }
    end();`));

test('a wait fills no more than its array holds', () =>
  run(`
    for (const name of addon.selectorNames) {
      const selector = addon.createSelector(name);
      for (let times = 0; times < 5; times++) for (const fd of pair()) assert.strictEqual(addon.addTo(selector.number, fd, 2), 0);
      const events = new Int32Array(6);
      const wait = (timeoutNs, memory, most) => addon.waitFor(selector.number, timeoutNs, memory, most);
      for (const most of [0, -1, -(2 ** 31), 4, 1000, 2 ** 30, 2 ** 31 - 1]) {
        assert.strictEqual(wait(0, events.buffer, most), -EINVAL);
      }
      for (const size of [0, 1, 7]) assert.strictEqual(wait(0, new ArrayBuffer(size), 1), -EINVAL);
      assert.strictEqual(wait(-1, events.buffer, 1), 1);
      assert.deepStrictEqual([...events.subarray(1)], [2, 0, 0, 0, 0]);
      assert.strictEqual(wait(-1, new ArrayBuffer(23), 2), 2);
      assert.strictEqual(wait(-1, new ArrayBuffer(23), 3), -EINVAL);
      assert.strictEqual(wait(-1, events.buffer, 3), 3);
      selector.close();
    }
    end();`));

test('all that is ready is told in the end, however little room there is', () =>
  run(`
    for (const name of addon.selectorNames) {
      const selector = addon.createSelector(name);
      const fds = Array.from({ length: 8 }, () => pair()).flat();
      for (const fd of fds) addon.addTo(selector.number, fd, 2);
      const seen = new Set();
      const events = new Int32Array(6);
      for (let times = 0; times < 6; times++) {
        assert.strictEqual(addon.waitFor(selector.number, 0, events.buffer, 3), 3);
        for (const index of [0, 2, 4]) seen.add(events[index]);
      }
      assert.strictEqual(seen.size, fds.length);
      selector.close();
    }
    end();`));

test('detach empties every view of its memory, and refuses what must not go away', () =>
  run(`
    const bytes = new Uint8Array(16);
    const view = bytes.subarray(4);
    assert.strictEqual(addon.detach(bytes.buffer), 0);
    assert.deepStrictEqual([bytes.length, view.length, bytes.buffer.byteLength], [0, 0, 0]);
    assert.strictEqual(addon.detach(bytes.buffer), 0);
    const { buffer } = new WebAssembly.Memory({ initial: 1 });
    assert.strictEqual(addon.detach(buffer), -EINVAL);
    assert.strictEqual(buffer.byteLength, 65536);
    end();`));

test('memory that was taken away counts as empty', () =>
  run(`
    const [left, right] = pair();
    addon.send(right, Buffer.from('waiting'), 0, 7, 0);
    const gone = (view) => { structuredClone(view.buffer, { transfer: [view.buffer] }); return view; };
    const bytes = gone(new Uint8Array(16));
    const words = gone(new Int32Array(16));
    assert.strictEqual(addon.recv(left, bytes, 0, 1, 0), -EINVAL);
    assert.strictEqual(addon.recvAt(left, bytes.buffer, 0, 1), -EINVAL);
    assert.strictEqual(addon.recvAt(left, bytes.buffer, 0, 0), 0);
    assert.strictEqual(addon.recvfromAt(left, new ArrayBuffer(1), 0, 1, bytes.buffer), -EINVAL);
    assert.strictEqual(addon.recvfromAt(left, new ArrayBuffer(1), 0, 1, new ArrayBuffer(135)), -EINVAL);
    for (const room of [bytes.buffer, new ArrayBuffer(0), new ArrayBuffer(135)]) {
      assert.strictEqual(addon.acceptAt(left, room), -EINVAL);
      assert.strictEqual(addon.getsocknameAt(left, room), -EINVAL);
      assert.strictEqual(addon.getpeernameAt(left, room), -EINVAL);
    }
    assert.strictEqual(addon.sendtoFrom(left, new Uint8Array(1), bytes.buffer, 1), -EINVAL);
    assert.strictEqual(addon.recvInto(left, bytes), 0);
    assert.strictEqual(addon.sendFrom(left, bytes), 0);
    assert.strictEqual(addon.recvfrom(left, bytes, 0, 1, 0, address(), new Int32Array(1)), -EINVAL);
    assert.strictEqual(addon.recvfrom(left, new Uint8Array(1), 0, 1, 0, address(), words), -EINVAL);
    assert.strictEqual(addon.send(left, bytes, 0, 1, 0), -EINVAL);
    assert.strictEqual(addon.send(left, bytes, 0, 0, 0), 0);
    assert.strictEqual(addon.sendmsg(left, [bytes, Buffer.from('x'), bytes], 3, 0), 1);
    assert.strictEqual(addon.sendto(left, bytes, 0, 1, 0, address(), 0), -EINVAL);
    assert.strictEqual(addon.bind(left, bytes, 2), -EINVAL);
    assert.strictEqual(addon.connect(left, bytes, 2), -EINVAL);
    assert.strictEqual(addon.getsockopt(left, SOL_SOCKET, SO_ERROR, bytes, words), -EINVAL);
    assert(addon.setsockopt(left, SOL_SOCKET, SO_REUSEADDR, bytes) < 0);
    assert.strictEqual(addon.socketpair(PAIR_FAMILY, SOCK_STREAM, 0, words), -EINVAL);
    assert.strictEqual(addon.encodeUnixAddress(bytes, address()), 2);
    assert.strictEqual(addon.encodeUnixAddress(Buffer.from('/x'), bytes), -EINVAL);
    assert.strictEqual(addon.encodeInetAddress(AF_INET, '1.2.3.4', 1, 0, 0, bytes), -EINVAL);
    assert.strictEqual(addon.decodeAddress(bytes, 16).family, 0);
    const selector = addon.createSelector(best);
    assert.strictEqual(addon.waitFor(selector.number, 0, words.buffer, 1), -EINVAL);
    selector.close();
    assert.strictEqual(addon.wake(left, words), -EINVAL);
    assert.strictEqual(addon.closeWakeEnd(left, words), -EINVAL);
    end();`));

test('memory that has shrunk is used as far as it is still there', () =>
  run(`
    const [left, right] = pair();
    const buffer = new ArrayBuffer(32, { maxByteLength: 64 });
    const fixed = new Uint8Array(buffer, 8, 16);
    const tracking = new Uint8Array(buffer, 8);
    const words = new Int32Array(buffer, 8, 4);
    buffer.resize(12);
    addon.send(right, Buffer.from('12345678'), 0, 8, 0);
    assert.strictEqual(addon.recv(left, fixed, 0, 16, 0), -EINVAL);
    assert.strictEqual(addon.recv(left, fixed, 0, 1, 0), -EINVAL);
    assert.strictEqual(addon.recv(left, tracking, 0, 5, 0), -EINVAL);
    assert.strictEqual(addon.recv(left, tracking, 0, 4, 0), 4);
    assert.strictEqual(addon.getsockopt(left, SOL_SOCKET, SO_ERROR, new Uint8Array(4), words), -EINVAL);
    buffer.resize(64);
    assert.strictEqual(Buffer.from(buffer).toString('latin1', 8, 16), '1234\\0\\0\\0\\0');
    assert.strictEqual(addon.recv(left, fixed, 12, 4, 0), 4);
    assert.strictEqual(addon.recv(left, tracking, 55, 1, 0), -EAGAIN);
    buffer.resize(4);
    assert.strictEqual(addon.recv(left, tracking, 0, 1, 0), -EINVAL);
    assert.strictEqual(addon.recv(left, tracking, 0, 0, 0), -EAGAIN);
    end();`));

test('shared memory works as other memory does', () =>
  run(`
    const [left, right] = pair();
    const shared = new Uint8Array(new SharedArrayBuffer(8), 2, 4);
    addon.send(right, Buffer.from('1234'), 0, 4, 0);
    assert.strictEqual(addon.recv(left, shared, 1, 3, 0), 3);
    assert.deepStrictEqual([...new Uint8Array(shared.buffer)], [0, 0, 0, 49, 50, 51, 0, 0]);
    assert.strictEqual(addon.send(left, shared, 1, 2, 0), 2);
    end();`));

test('the pieces of sendmsg may be anything, and are looked at only after all of them were fetched', () =>
  run(`
    const [left, right] = pair();
    const piece = Buffer.from('ab');
    const sendmsg = (chunks, count = chunks.length) => addon.sendmsg(left, chunks, count, 0);
    for (const wrong of [undefined, null, 'ab', 5, {}, [97], new ArrayBuffer(2), new Uint16Array(1), new DataView(new ArrayBuffer(2))]) {
      assert(isTypeError(attempt(() => sendmsg([piece, wrong]))));
    }
    assert(isTypeError(attempt(() => sendmsg([piece, , piece]))));
    assert(isTypeError(attempt(() => sendmsg([piece], 2))));
    assert.strictEqual(sendmsg([piece], -1), -EINVAL);
    assert.strictEqual(sendmsg([piece, 'not looked at'], 1), 2);
    assert.strictEqual(sendmsg([], 0), 0);
    const throwing = [piece];
    const problem = new Error('from a getter');
    Object.defineProperty(throwing, 1, { get() { throw problem; } });
    assert.strictEqual(attempt(() => sendmsg(throwing)).error, problem);
    // A getter takes the memory of an earlier piece away.
    const first = new Uint8Array(1 << 16).fill(65);
    const taking = [first];
    Object.defineProperty(taking, 1, { get() { structuredClone(first.buffer, { transfer: [first.buffer] }); return piece; } });
    assert.strictEqual(sendmsg(taking), 2);
    const many = Array.from({ length: 5000 }, () => Buffer.from('.'));
    assert.strictEqual(sendmsg(many), addon.constants.IOV_MAX);
    const received = new Uint8Array(1 << 16);
    assert.strictEqual(addon.recv(right, received, 0, received.length, 0), 4 + 1024);
    end();`));

test('addresses are read from any bytes, and written only where there is room', () =>
  run(`
    let state = 1;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8;
    const families = [0, AF_UNIX, AF_INET, addon.constants.AF_INET6, 16, 17, 29, 40, 255];
    for (let times = 0; times < 20000; times++) {
      const memory = new Uint8Array(130).map(random);
      // Not aligned, as a view may be.
      const bytes = memory.subarray(random() % 8, 9 + (random() % 121));
      bytes[0] = families[random() % families.length];
      bytes[1] = 0;
      const length = random() % (bytes.length + 1);
      const { family, host, port, path, flowInfo, scopeId } = addon.decodeAddress(bytes, length);
      assert.strictEqual(family, length < 2 ? 0 : bytes[0]);
      assert(port >= 0 && port < 65536 && flowInfo >= 0 && scopeId >= 0 && typeof host === 'string');
      assert(path.length <= Math.max(length - 2, 0));
      assert(path.buffer !== memory.buffer);
    }
    for (let room = 0; room < 16; room++) {
      const memory = new Uint8Array(32).fill(9);
      assert.strictEqual(addon.encodeInetAddress(AF_INET, '1.2.3.4', 1, 0, 0, memory.subarray(0, room)), -EINVAL);
      assert.deepStrictEqual(new Set(memory), new Set([9]));
    }
    assert.strictEqual(addon.encodeUnixAddress(Buffer.from('/path'), new Uint8Array(7)), -EINVAL);
    assert.strictEqual(addon.encodeUnixAddress(new Uint8Array(1 << 20), address()), -ENAMETOOLONG);
    assert.strictEqual(addon.encodeInetAddress(99, '1.2.3.4', 1, 0, 0, address()), -EAFNOSUPPORT);
    for (const host of ['', '1.2.3.4\\0', '\\0', 'x'.repeat(1 << 20), '\\ud800', '☃']) {
      assert.strictEqual(addon.encodeInetAddress(AF_INET, host, 1, 0, 0, address()), -EINVAL);
    }
    for (const port of [-1, 65536, 2 ** 31 - 1]) {
      assert.strictEqual(addon.encodeInetAddress(AF_INET, '1.2.3.4', port, 0, 0, address()), -EINVAL);
    }
    end();`));

test('a descriptor that is not open is EBADF for every call', () =>
  run(`
    const fd = socket();
    closeAll();
    const bytes = Buffer.alloc(16);
    const lengths = new Int32Array(1);
    const room = new ArrayBuffer(136);
    // Not one more: that is a process for wine.
    for (const closed of [fd, -1, -(2 ** 31), 2 ** 31 - 4]) {
      const answers = {
        bind: addon.bind(closed, bytes, 2), listen: addon.listen(closed, 1),
        connect: addon.connect(closed, bytes, 2), recv: addon.recv(closed, bytes, 0, 1, 0),
        recvfrom: addon.recvfrom(closed, bytes, 0, 1, 0, address(), lengths), send: addon.send(closed, bytes, 0, 1, 0),
        sendto: addon.sendto(closed, bytes, 0, 1, 0, address(), 2), sendmsg: addon.sendmsg(closed, [bytes], 1, 0),
        recvMessage: addon.recvMessage(closed, [bytes], 1, 0, bytes, address(), new Int32Array(3)),
        sendMessage: addon.sendMessage(closed, [bytes], 1, 0, bytes, 0, address(), 0),
        recvMessages: addon.recvMessages(closed, bytes, 8, 2, 0, bytes, 8, new Uint8Array(512), new Int32Array(8)),
        sendMessages: addon.sendMessages(closed, [bytes], 1, 0, new Int32Array([1, 0, 0]), bytes, address()),
        shutdown: addon.shutdown(closed, 1), close: addon.close(closed), own: addon.own(closed),
        getsockopt: addon.getsockopt(closed, 1, 4, bytes, lengths),
        setsockopt: addon.setsockopt(closed, 1, 2, bytes), setNonBlocking: addon.setNonBlocking(closed, true),
        getNonBlocking: addon.getNonBlocking(closed), setInheritable: addon.setInheritable(closed, true),
        getInheritable: addon.getInheritable(closed), dup: addon.dup(closed),
        createHostWatchForFd: addon.createHostWatchForFd(closed, () => {}),
        readAt: addon.readAt(closed, room, 0, 1), writeFrom: addon.writeFrom(closed, bytes), fileMode: addon.fileMode(closed),
        acceptAt: addon.acceptAt(closed, room), getsocknameAt: addon.getsocknameAt(closed, room), getpeernameAt: addon.getpeernameAt(closed, room), setNumber: addon.setNumber(closed, 1, 2, 1),
      };
      for (const [name, answer] of Object.entries(answers)) {
        const isThere = name.endsWith('Messages') ? hasBatches : hasFiles || !/^(readAt|writeFrom|fileMode)$/.test(name);
        const wanted = isThere ? -EBADF : -ENOSYS;
        assert.deepStrictEqual([name, closed, answer], [name, closed, wanted]);
      }
    }
    end();`));

test('the parts of a message lie inside their buffers, or the call is refused', () =>
  run(`
    const [left, right] = pair(SOCK_DGRAM);
    const bytes = Buffer.alloc(64);
    const none = Buffer.alloc(0);
    const words = (...values) => new Int32Array(values);
    const receive = (count, lengths) => addon.recvMessage(left, [bytes], count, 0, bytes, address(), lengths);
    assert.strictEqual(receive(-1, words(0, 0, 0)), -EINVAL);
    assert.strictEqual(receive(1, words(0, 0)), -EINVAL);
    const send = (count, controlLength, addressLength) =>
      addon.sendMessage(left, [bytes], count, 0, bytes, controlLength, address(), addressLength);
    for (const args of [[-1, 0, 0], [1, 65, 0], [1, -1, 0], [1, NaN, 129], [1, 0, -1], [1, Infinity, 0]]) {
      assert.strictEqual(send(...args), -EINVAL);
    }
    const batch = (messageSize, count, controlSize, room, results) =>
      addon.recvMessages(left, bytes, messageSize, count, 0, bytes, controlSize, new Uint8Array(room), new Int32Array(results));
    for (const args of [[33, 2, 0, 256, 8], [65, 1, 0, 256, 8], [2 ** 62, 2, 0, 256, 8], [1, 2, 33, 256, 8], [1, 2, 2 ** 62, 256, 8],
      [1, 2, 0, 255, 8], [1, 2, 0, 256, 7], [-1, 2, 0, 256, 8], [1, -1, 0, 256, 8], [1, 2, -1, 256, 8]]) {
      assert.strictEqual(batch(...args), -EINVAL, String(args));
    }
    assert.strictEqual(batch(0, 0, 0, 0, 0), hasBatches ? 0 : -ENOSYS);
    const sendBatch = (chunks, count, layout, control = none, addresses = none) =>
      addon.sendMessages(left, chunks, count, 0, words(...layout), control, addresses);
    for (const [count, layout] of [[1, [1, 0]], [1, [-1, 0, 0]], [1, [2, 0, 0]], [1, [1, 1, 0]], [1, [1, 0, 1]], [1, [1, -1, 0]],
      [1, [1, 0, -1]], [-1, [1, 0, 0]], [2, [1, 0, 0, 0, 2 ** 30, 0]]]) {
      assert.strictEqual(sendBatch([bytes], count, layout), -EINVAL, String(layout));
    }
    const many = Array.from({ length: 2000 }, () => Buffer.from('.'));
    if (hasBatches) {
      assert.strictEqual(sendBatch([bytes], 0, []), 0);
      // The chunks end after the first message.
      assert.strictEqual(sendBatch([bytes], 2, [1, 0, 0, 1, 0, 0]), 1);
      assert.strictEqual(sendBatch(many, 2, [600, 0, 0, 600, 0, 0]), 1);
      assert.strictEqual(sendBatch(many, 1, [2000, 0, 0]), -addon.errnoByName.EMSGSIZE);
    }
    assert.strictEqual(addon.sendMessage(left, many, 2000, 0, none, 0, none, 0), -addon.errnoByName.EMSGSIZE);
    end();`));

test('control data is read from any bytes', () =>
  run(`
    let state = 1;
    const random = () => (state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff) >> 8;
    const entry = new Int32Array(4);
    for (let times = 0; times < 20000; times++) {
      const memory = new Uint8Array(100).map(() => (random() % 3 ? 0 : random() % 40));
      const bytes = memory.subarray(random() % 8, 9 + (random() % 90));
      const length = random() % (bytes.length + 1);
      for (let offset = 0; ;) {
        const next = addon.nextControl(bytes, length, offset, entry);
        if (next === 0) break;
        assert(next > offset && next <= length);
        assert(entry[2] >= offset && entry[3] >= 0 && entry[2] + entry[3] <= next);
        offset = next;
      }
    }
    const control = new Uint8Array(64).subarray(1);
    assert.strictEqual(addon.nextControl(control, 64, 0, entry), -EINVAL);
    assert.strictEqual(addon.nextControl(control, 10, -1, entry), -EINVAL);
    assert.strictEqual(addon.nextControl(control, 10, 2 ** 60, entry), 0);
    assert.strictEqual(addon.nextControl(control, 10, 0, new Int32Array(3)), -EINVAL);
    assert.strictEqual(addon.appendControl(control, 0, 1, 2, Buffer.from('abc')), addon.controlSpace(3));
    assert.strictEqual(addon.nextControl(control, addon.controlLength(3), 0, entry), addon.controlLength(3));
    assert.deepStrictEqual([...entry], [1, 2, addon.controlLength(0), 3]);
    for (const [offset, size] of [[0, 64], [40, 20], [-1, 0], [64, 0], [2 ** 53, 0]]) {
      assert.strictEqual(addon.appendControl(control, offset, 1, 2, new Uint8Array(size)), -EINVAL);
    }
    for (const size of [-1, 2 ** 31, 2 ** 62]) assert.strictEqual(addon.controlSpace(size), -EINVAL);
    end();`));
