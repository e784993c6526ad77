// setup.ts: runs around every test file: none may leave a socket, a pipe or an epoll instance open.

import { openDescriptors } from './descriptors';

/** Milliseconds. What others close for us takes a moment: a hosted run its watch, the C library the socket of a lookup
 * that nobody waits for any more. */
const PATIENCE = 8000;

let before: Map<number, string>;

function left(): [number, string][] {
  return [...openDescriptors()].filter(([fd, target]) => before.get(fd) !== target);
}

beforeAll(() => {
  before = openDescriptors();
});

afterAll(async () => {
  const end = Date.now() + PATIENCE;
  while (left().length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(left()).toEqual([]);
});
