// byte-buffer.test.ts: bytes in one piece, added behind and taken off in front.

import { ByteBuffer } from '../../lib/transports/byte-buffer';
import { Random } from '../support/random';

test('what is added is a copy', () => {
  const buffer = new ByteBuffer();
  const data = Buffer.from('data');
  buffer.append(data);
  data.fill('x');
  expect(buffer.bytes.toString()).toBe('data');
});

test('it is what was added without what was taken off, in any order of the two', () => {
  const random = new Random();
  const buffer = new ByteBuffer();
  let expected = Buffer.alloc(0);
  for (let step = 0; step < 3000; step++) {
    const action = random.below(20);
    if (action === 0) {
      buffer.clear();
      expected = Buffer.alloc(0);
    } else if (action < 11) {
      const data = Buffer.alloc(random.below(action === 1 ? 50_000 : 2000), step);
      buffer.append(data);
      expected = Buffer.concat([expected, data]);
    } else {
      const count = random.below(Math.min(expected.length, 3000) + 1);
      buffer.drop(count);
      expected = expected.subarray(count);
    }
    expect(buffer.length).toBe(expected.length);
    if (!buffer.bytes.equals(expected)) throw new Error(`the bytes differ after ${step} steps`);
  }
});

test('a queue that never runs empty does not grow for ever, and one that does gives its memory back', () => {
  const buffer = new ByteBuffer();
  const chunk = Buffer.alloc(1000);
  buffer.append(chunk);
  for (let turn = 0; turn < 10_000; turn++) {
    buffer.append(chunk);
    buffer.drop(1000);
  }
  expect(buffer.bytes.buffer.byteLength).toBeLessThanOrEqual(8192);
  buffer.drop(1000);
  expect(buffer.bytes.buffer.byteLength).toBe(0);
});
