// host-watch.test.ts: how a hosted loop is told that a descriptor is ready: the option, and selectors of other people.

import { RuntimeError, ValueError } from '../../lib/base/errors';
import { SelectorEventLoop } from '../../lib/event-loop';
import type { SelectorLike } from '../../lib/loop/ready';
import { binding } from '../../lib/native/binding';
import type { HostWatchMode } from '../../lib/native/types';
import type { NativeSelectorBase } from '../../lib/selectors/native-selector';
import { DefaultSelector, SelectSelector } from '../../lib/selectors/selectors';
import { socketpair, type Socket } from '../../lib/sockets/socket';
import { sleep } from '../../lib/futures/sleep';

let pair: [Socket, Socket];
beforeEach(() => {
  pair = socketpair();
});
afterEach(() => {
  for (const socket of pair) socket.close();
});

// Windows' selectors have none, so there is nothing to nest.
const hasDescriptor = 'fileno' in DefaultSelector.prototype;
const testWithDescriptor = hasDescriptor ? test : test.skip;

/** A selector that is none of ours, over one that is. */
function foreign(inner: NativeSelectorBase & { fileno?: () => number }, withDescriptor: boolean): SelectorLike {
  const methods = {
    register: inner.register.bind(inner),
    unregister: inner.unregister.bind(inner),
    modify: inner.modify.bind(inner),
    select: inner.select.bind(inner),
    close: inner.close.bind(inner),
    getMap: inner.getMap.bind(inner),
    getKey: inner.getKey.bind(inner),
  };
  const selector = withDescriptor ? { ...methods, fileno: () => inner.fileno?.() ?? -1 } : methods;
  return selector;
}

/** Runs `loop` until a byte has come through the pair, while a timer of Node's ticks. */
async function readOne(loop: SelectorEventLoop): Promise<{ data: string; ticks: number }> {
  let ticks = 0;
  const ticker = setInterval(() => {
    ticks += 1;
  }, 1);
  const received = loop.createFuture<string>();
  loop.addReader(pair[0], () => received.setResult(pair[0].recv(10).toString()));
  // From Node's own loop, while ours waits.
  setTimeout(() => pair[1].send(Buffer.from('x')), 3);
  try {
    const data = await loop.runUntilComplete(received);
    loop.removeReader(pair[0]);
    return { data, ticks };
  } finally {
    clearInterval(ticker);
    loop.close();
  }
}

describe.each<HostWatchMode>(hasDescriptor ? ['nested', 'thread'] : ['thread'])(
  'a loop with hostWatch %s',
  (hostWatch) => {
    test('hears of a descriptor while Node goes on', async () => {
      const { data, ticks } = await readOne(new SelectorEventLoop({ hostWatch }));
      expect(data).toBe('x');
      expect(ticks).toBeGreaterThan(0);
    });

    testWithDescriptor('hears of it through a selector of other people, by its descriptor', async () => {
      const inner = new DefaultSelector();
      const loop = new SelectorEventLoop({ hostWatch, selector: foreign(inner, true) });
      expect((await readOne(loop)).data).toBe('x');
    });

    test('runs again after a run', async () => {
      const loop = new SelectorEventLoop({ hostWatch });
      await loop.runUntilComplete(() => sleep(0.001));
      await loop.runUntilComplete(() => sleep(0.001));
      expect((await readOne(loop)).data).toBe('x');
    });
  },
);

test('a selector without a descriptor is waited on by a thread, asked or not', async () => {
  expect((await readOne(new SelectorEventLoop({ selector: new SelectSelector() }))).data).toBe('x');
  expect((await readOne(new SelectorEventLoop({ selector: new SelectSelector(), hostWatch: 'thread' }))).data).toBe(
    'x',
  );
});

test('it cannot be nested, and that is told at once', () => {
  const selector = new SelectSelector();
  expect(() => new SelectorEventLoop({ selector, hostWatch: 'nested' })).toThrow(
    expect.objectContaining({ constructor: RuntimeError, code: 'ERR_HOST_WATCH' }),
  );
  // The selector stays the caller's.
  expect(selector.select(0)).toEqual([]);
  selector.close();
});

test.each(['', 'threads', 'NESTED', null, 1, {}])('hostWatch %p is refused', (hostWatch) => {
  expect(() => new SelectorEventLoop({ hostWatch: hostWatch as HostWatchMode })).toThrow(ValueError);
});

test.each([undefined, 'thread' as const])('what has neither is refused when a hosted run begins (%s)', (hostWatch) => {
  const inner = new DefaultSelector();
  const loop = new SelectorEventLoop({ hostWatch, selector: foreign(inner, false) });
  expect(() => loop.runForever()).toThrow(
    expect.objectContaining({ constructor: RuntimeError, code: 'ERR_SELECTOR_NOT_HOSTABLE' }),
  );
  expect(loop.isRunning()).toBe(false);
  loop.close();
});

test('a hosted run that cannot begin does not end the next one, whatever it was to wait for', async () => {
  const loop = new SelectorEventLoop();
  const refused = jest.spyOn(binding, 'createHostWatch').mockReturnValueOnce(-binding.errnoByName.EMFILE);
  expect(() => loop.runUntilComplete(() => sleep(0))).toThrow(expect.objectContaining({ code: 'EMFILE' }));
  refused.mockRestore();
  await expect(loop.runUntilComplete(() => sleep(0.01, 'slept'))).resolves.toBe('slept');
  loop.close();
});
