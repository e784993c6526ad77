// setup.ts: runs around every test file: none may leave a socket, a pipe or an epoll instance open.

import { openDescriptors } from './descriptors';

let before: Map<number, string>;

beforeAll(() => {
  before = openDescriptors();
});

afterAll(async () => {
  // A hosted run closes its watch a turn later.
  await new Promise((resolve) => setImmediate(resolve));
  const left = [...openDescriptors()].filter(([fd, target]) => before.get(fd) !== target);
  expect(left).toEqual([]);
});
