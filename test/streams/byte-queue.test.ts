// byte-queue.test.ts: bytes that arrive in pieces and are taken out in others, beside one flat buffer.

import { ByteQueue } from '../../lib/streams/byte-queue';
import { Random } from '../support/random';

test('takes from one piece without a copy, from several with one', () => {
  const queue = new ByteQueue();
  const first = Buffer.from('abcdef');
  queue.push(first);
  queue.push(Buffer.from('ghi'));
  const inOne = queue.take(4);
  expect(inOne.toString()).toBe('abcd');
  expect(inOne.buffer).toBe(first.buffer);
  expect(queue.take(3).toString()).toBe('efg');
  expect(queue.takeAll().toString()).toBe('hi');
  expect(queue.length).toBe(0);
  expect(queue.take(1)).toHaveLength(0);
});

test('finds what begins in one piece and ends in another, however small they are', () => {
  const queue = new ByteQueue();
  for (const byte of 'xxSEPARATORyy') queue.push(Buffer.from(byte));
  expect(queue.indexOf(Buffer.from('SEPARATOR'))).toBe(2);
  expect(queue.indexOf(Buffer.from('SEPARATOR'), 2)).toBe(2);
  expect(queue.indexOf(Buffer.from('SEPARATOR'), 3)).toBe(-1);
});

test('answers as one flat buffer does, whatever is asked', () => {
  const random = new Random();
  for (let round = 0; round < 50; round++) {
    const queue = new ByteQueue();
    let model = Buffer.alloc(0);
    for (let step = 0; step < 60; step++) {
      const bytes = Buffer.from(Array.from({ length: random.below(6) }, () => 97 + random.below(2)));
      switch (random.below(4)) {
        case 0:
        case 1:
          queue.push(bytes);
          model = Buffer.concat([model, bytes]);
          break;
        case 2: {
          const count = random.below(8);
          expect(queue.take(count)).toEqual(model.subarray(0, count));
          model = model.subarray(count);
          break;
        }
        default: {
          const from = random.below(6);
          const wanted = bytes.length === 0 ? Buffer.from('a') : bytes;
          expect([round, step, queue.indexOf(wanted, from)]).toEqual([
            round,
            step,
            from > model.length ? -1 : model.indexOf(wanted, from),
          ]);
        }
      }
      expect(queue.length).toBe(model.length);
    }
  }
});
