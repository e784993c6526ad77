// slab.test.ts: received messages share large pieces of memory, and nobody may notice.

import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

import { binding } from '../../lib/native/binding';
import type { Socket } from '../../lib/sockets/socket';
import { recvSlice } from '../../lib/sockets/slab';
import { detach } from '../support/detach';
import { pattern, useSocketKit } from './socket-kit';

const SLAB_SIZE = 512 * 1024;
const kit = useSocketKit();

/** Sends `bytes` and receives it as one slice. */
function through([left, right]: [Socket, Socket], bytes: Buffer, maxBytes = 64 * 1024): Buffer {
  left.send(bytes);
  return recvSlice(right.fileno(), maxBytes, 0) as Buffer;
}

test('slices neither overlap nor change later, over several slabs', () => {
  const pair = kit.current.pair();
  const kept: { slice: Buffer; wanted: Buffer }[] = [];
  const slabs = new Set<ArrayBufferLike>();
  for (let index = 0; slabs.size < 4; index++) {
    const wanted = pattern(1 + ((index * 7919) % 40_000), index + 1);
    const slice = through(pair, wanted);
    kept.push({ slice, wanted });
    slabs.add(slice.buffer);
  }
  expect(kept.filter(({ slice, wanted }) => !slice.equals(wanted))).toEqual([]);
  const regions = kept.map(({ slice }) => ({
    buffer: slice.buffer,
    from: slice.byteOffset,
    to: slice.byteOffset + slice.length,
  }));
  const overlaps = regions.filter((one, index) =>
    regions.slice(index + 1).some((other) => one.buffer === other.buffer && one.from < other.to && other.from < one.to),
  );
  expect(overlaps).toEqual([]);
});

test('a tiny message that is kept holds no large piece of memory', () => {
  const pair = kit.current.pair();
  for (let length = 1; length <= 300; length++) {
    const wanted = pattern(length, length);
    const slice = through(pair, wanted);
    expect(slice.equals(wanted)).toBe(true);
    expect(slice.buffer.byteLength).toBe(length <= 256 ? 16 * 1024 : SLAB_SIZE);
  }
});

test('a slice is a Buffer like any other', () => {
  const pair = kit.current.pair();
  for (const length of [5, 5000]) {
    const slice = through(pair, pattern(length));
    expect(Object.getPrototypeOf(slice)).toBe(Buffer.prototype);
    expect(slice).toStrictEqual(pattern(length));
    expect(slice.constructor).toBe(Buffer);
  }
});

test('writing to a slice changes no other one', () => {
  const pair = kit.current.pair();
  const first = through(pair, Buffer.from('first'));
  const second = through(pair, Buffer.from('second'));
  first.fill(0xff);
  expect(second.toString()).toBe('second');
  expect(through(pair, Buffer.from('third')).toString()).toBe('third');
  expect([...first]).toEqual([255, 255, 255, 255, 255]);
});

test('every slice starts where numbers of eight bytes may start', () => {
  const pair = kit.current.pair();
  for (let length = 1; length < 40; length++) {
    const slice = through(pair, pattern(length));
    expect(slice.byteOffset % 8).toBe(0);
    expect(new Float64Array(slice.buffer, slice.byteOffset, 0)).toHaveLength(0);
  }
});

test.each([SLAB_SIZE / 2, SLAB_SIZE / 2 + 1, SLAB_SIZE, SLAB_SIZE + 1, 8 * SLAB_SIZE])(
  'a read of up to %d bytes works, however little comes',
  (maxBytes) => {
    const pair = kit.current.pair();
    for (const length of [1, 10_000, 100_000]) {
      const wanted = pattern(length);
      expect(through(pair, wanted, maxBytes).equals(wanted)).toBe(true);
    }
    expect(recvSlice(pair[1].fileno(), maxBytes, 0)).toBe(-binding.errnoByName.EAGAIN);
  },
);

test('an error and the end of the stream use nothing up', () => {
  const pair = kit.current.pair();
  const before = through(pair, Buffer.from('12345678'));
  for (let times = 0; times < 1000; times++) recvSlice(pair[1].fileno(), 256 * 1024, 0);
  const after = through(pair, Buffer.from('x'));
  expect(after.buffer).toBe(before.buffer);
  expect(after.byteOffset).toBe(before.byteOffset + 8);
  pair[0].close();
  expect(recvSlice(pair[1].fileno(), 1000, 0)).toBe(0);
});

describe('a message that goes to another thread', () => {
  test('takes the memory of no other along', () => {
    const pair = kit.current.pair();
    const kept = through(pair, Buffer.from('kept'));
    const sent = through(pair, Buffer.from('sent'));
    try {
      structuredClone(sent, { transfer: [sent.buffer as ArrayBuffer] });
    } catch {
      // Newer versions of Node refuse what older ones copy.
    }
    expect(kept.toString()).toBe('kept');
    expect(through(pair, Buffer.from('later')).toString()).toBe('later');
  });

  test('arrives by postMessage', () => {
    const pair = kit.current.pair();
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(through(pair, Buffer.from('message')));
    const { message } = receiveMessageOnPort(port2) as { message: Uint8Array };
    expect(Buffer.from(message).toString()).toBe('message');
    port1.close();
  });

  test('leaves a library that still receives, even when the memory is taken by force', () => {
    const pair = kit.current.pair();
    const sent = through(pair, Buffer.from('sent'));
    detach(sent.buffer as ArrayBuffer);
    expect(sent).toHaveLength(0);
    expect(through(pair, Buffer.from('later')).toString()).toBe('later');
  });
});
