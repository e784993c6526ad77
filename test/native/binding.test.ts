// binding.test.ts: what is said when there is no addon to load.

import * as path from 'node:path';

test('a file of FDLOOP_ADDON that does not load is named, and no other is tried', () => {
  const before = process.env.FDLOOP_ADDON;
  const missing = path.join(__dirname, 'no-such-addon.node');
  process.env.FDLOOP_ADDON = missing;
  try {
    jest.isolateModules(() => {
      const load = () => jest.requireActual<object>('../../lib/native/binding');
      expect(load).toThrow(
        expect.objectContaining({
          name: 'RuntimeError',
          code: 'ERR_NO_ADDON',
          message: expect.stringContaining(`FDLOOP_ADDON names no addon that loads: ${missing}: `) as string,
        }),
      );
    });
  } finally {
    if (before === undefined) delete process.env.FDLOOP_ADDON;
    else process.env.FDLOOP_ADDON = before;
  }
});
