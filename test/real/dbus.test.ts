// dbus.test.ts: two clients of ours on a message bus, and a descriptor that one passes to the other through it.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { SelectorEventLoop } from '../../lib/event-loop';
import type { CoroutineGenerator } from '../../lib/futures/frame';
import { getRunningLoop } from '../../lib/futures/current';
import { run } from '../../lib/runner';
import { AF_UNIX, SOCK_STREAM } from '../../lib/sockets/constants';
import { Socket, socketpair } from '../../lib/sockets/socket';
import { needProgram, useFolder } from './kit';

// As much of the wire format as these tests need: little-endian messages with string and descriptor arguments.

type Signature = 's' | 'o' | 'g' | 'u';

class Writer {
  #bytes: number[] = [];

  align(size: number): void {
    while (this.#bytes.length % size !== 0) this.#bytes.push(0);
  }

  byte(value: number): void {
    this.#bytes.push(value);
  }

  u32(value: number): void {
    this.align(4);
    this.#bytes.push(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff);
  }

  text(value: string): void {
    this.u32(Buffer.byteLength(value));
    this.#bytes.push(...Buffer.from(value), 0);
  }

  signature(value: string): void {
    this.#bytes.push(value.length, ...Buffer.from(value), 0);
  }

  /** A header field: its code, and a variant. */
  field(code: number, type: Signature, value: string | number): void {
    this.align(8);
    this.byte(code);
    this.signature(type);
    if (type === 'g') this.signature(value as string);
    else if (type === 'u') this.u32(value as number);
    else this.text(value as string);
  }

  get bytes(): Buffer {
    return Buffer.from(this.#bytes);
  }
}

interface Call {
  serial: number;
  destination: string;
  path: string;
  interfaceName: string;
  member: string;
  /** Descriptors, as the only arguments. */
  fds?: number;
}

function encodeCall(call: Call): Buffer {
  const { fds = 0 } = call;
  const fields = new Writer();
  fields.field(1, 'o', call.path);
  fields.field(2, 's', call.interfaceName);
  fields.field(3, 's', call.member);
  fields.field(6, 's', call.destination);
  if (fds > 0) {
    fields.field(8, 'g', 'h'.repeat(fds));
    fields.field(9, 'u', fds);
  }
  const body = new Writer();
  for (let index = 0; index < fds; index++) body.u32(index);
  const head = Buffer.alloc(16);
  head.write('l', 0);
  head[1] = 1;
  head[3] = 1;
  head.writeUInt32LE(body.bytes.length, 4);
  head.writeUInt32LE(call.serial, 8);
  head.writeUInt32LE(fields.bytes.length, 12);
  const padding = Buffer.alloc((8 - (fields.bytes.length % 8)) % 8);
  return Buffer.concat([head, fields.bytes, padding, body.bytes]);
}

/** The length of the message that begins here, when its first 16 bytes are known. */
function messageLength(head: Buffer): number {
  const fields = 16 + head.readUInt32LE(12);
  return Math.ceil(fields / 8) * 8 + head.readUInt32LE(4);
}

class BusClient {
  readonly #sock = new Socket(AF_UNIX, SOCK_STREAM);
  #pending = Buffer.alloc(0);
  #fds: number[] = [];
  #serial = 0;

  constructor(private readonly loop: SelectorEventLoop) {}

  *connect(address: string): CoroutineGenerator<string> {
    yield* this.loop.sockConnect(this.#sock, address);
    const uid = Buffer.from(String(process.getuid?.())).toString('hex');
    yield* this.loop.sockSendall(this.#sock, Buffer.from(`\0AUTH EXTERNAL ${uid}\r\n`));
    expect(yield* this.#line()).toMatch(/^OK /);
    yield* this.loop.sockSendall(this.#sock, Buffer.from('NEGOTIATE_UNIX_FD\r\n'));
    expect(yield* this.#line()).toBe('AGREE_UNIX_FD');
    yield* this.loop.sockSendall(this.#sock, Buffer.from('BEGIN\r\n'));
    const bus = 'org.freedesktop.DBus';
    yield* this.call({ destination: bus, path: '/org/freedesktop/DBus', interfaceName: bus, member: 'Hello' });
    for (;;) {
      const { message } = yield* this.receive();
      const name = /:\d+\.\d+/.exec(message.subarray(16).toString('latin1'));
      if (message[1] === 2 && name !== null) return name[0];
    }
  }

  *call(call: Omit<Call, 'serial' | 'fds'>, fds: readonly number[] = []): CoroutineGenerator<void> {
    const message = encodeCall({ ...call, serial: ++this.#serial, fds: fds.length });
    if (fds.length === 0) yield* this.loop.sockSendall(this.#sock, message);
    else expect(this.#sock.sendFds(fds, message)).toBe(message.length);
  }

  /** The next message, and the descriptors that came with it. */
  *receive(): CoroutineGenerator<{ message: Buffer; fds: number[] }> {
    while (this.#pending.length < 16 || this.#pending.length < messageLength(this.#pending)) yield* this.#more();
    const length = messageLength(this.#pending);
    const message = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return { message, fds: this.#fds.splice(0) };
  }

  close(): void {
    this.#sock.close();
  }

  *#line(): CoroutineGenerator<string> {
    while (!this.#pending.includes('\r\n')) yield* this.#more();
    const end = this.#pending.indexOf('\r\n');
    const line = this.#pending.subarray(0, end).toString();
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }

  *#more(): CoroutineGenerator<void> {
    const ready = this.loop.createFuture<void>();
    this.loop.addReader(this.#sock, () => {
      this.loop.removeReader(this.#sock);
      ready.setResult();
    });
    yield* ready;
    const { data, fds } = this.#sock.recvFds(4, 65536);
    if (data.length === 0) throw new Error('the bus closed the connection');
    this.#pending = Buffer.concat([this.#pending, data]);
    this.#fds.push(...fds);
  }
}

describe('a message bus', () => {
  const folder = useFolder();
  let daemon: ChildProcess;
  let address: string;

  beforeAll(async () => {
    needProgram('dbus-daemon');
    address = folder.file('bus');
    daemon = spawn('dbus-daemon', ['--session', '--nofork', '--print-address', `--address=unix:path=${address}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(daemon.stdout as NodeJS.ReadableStream, 'data');
  });
  afterAll(async () => {
    daemon.kill();
    await once(daemon, 'exit');
  });

  test('two clients talk over it, and a descriptor passes from one to the other', async () => {
    const [near, far] = socketpair();
    const text = await run(function* () {
      const loop = getRunningLoop() as SelectorEventLoop;
      const [sender, receiver] = [new BusClient(loop), new BusClient(loop)];
      yield* sender.connect(address);
      const name = yield* receiver.connect(address);
      yield* sender.call({ destination: name, path: '/', interfaceName: 'org.fdloop.Test', member: 'Take' }, [
        far.fileno(),
      ]);
      far.close();
      for (;;) {
        const { message, fds } = yield* receiver.receive();
        if (!message.includes('Take')) continue;
        const passed = Socket.fromFd(fds[0]);
        passed.send(Buffer.from('through the bus'));
        passed.close();
        sender.close();
        receiver.close();
        return near.recv(100).toString();
      }
    });
    near.close();
    expect(text).toBe('through the bus');
  });
});
