// real-descriptors.test.ts: descriptors of every kind, on every selector and with watch(): nothing before something
// happens, something after it, nothing when it was taken.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { EVENT_PRI, EVENT_READ } from '../../lib/base/constants';
import { watch, type Watcher } from '../../lib/interop/watch';
import { EpollSelector, KqueueSelector } from '../../lib/selectors/selectors';
import { socketConstants } from '../../lib/sockets/constants';
import { Socket } from '../../lib/sockets/socket';
import { useSelectorKit, type SelectorKit } from '../contracts/selector-kit';
import { selectorClasses, selectorNames } from '../support/loops';
import * as kernel from '../support/syscalls';
import { describeOnLinux, describeOnPosix, isLinux, isWindows } from '../support/systems';

/** A descriptor, what makes it ready, and what makes it not ready again. */
interface Subject {
  fd: number;
  happen(): void;
  take(): void;
}

const buffer = Buffer.alloc(64 * 1024);

/** Reads until there is nothing left. @returns the bytes */
function drain(fd: number): Buffer {
  const chunks: Buffer[] = [];
  for (;;) {
    try {
      const count = fs.readSync(fd, buffer);
      if (count === 0) break;
      chunks.push(Buffer.from(buffer.subarray(0, count)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      break;
    }
  }
  return Buffer.concat(chunks);
}

const SIGUSR2 = os.constants.signals.SIGUSR2;
const RTM_GETLINK_DUMP = Buffer.from(Uint32Array.of(32, 18 | (0x301 << 16), 1, 0, 0, 0, 0, 0).buffer);

const linuxKinds: Record<string, (kit: SelectorKit) => Subject> = {
  'a netlink socket': (kit) => {
    const socket = kit.own(new Socket(socketConstants.AF_NETLINK, socketConstants.SOCK_RAW, 0));
    return {
      fd: socket.fileno(),
      happen: () => socket.send(RTM_GETLINK_DUMP),
      // Its answer names the loopback interface.
      take: () => expect(drain(socket.fileno()).includes('lo\0')).toBe(true),
    };
  },
  'an eventfd': (kit) => {
    const fd = kit.fd(kernel.eventfd());
    return {
      fd,
      happen: () => fs.writeSync(fd, new Uint8Array(new BigUint64Array([5n]).buffer)),
      take: () => expect(drain(fd).readBigUInt64LE()).toBe(5n),
    };
  },
  'a timerfd': (kit) => {
    const fd = kit.fd(kernel.timerfd());
    return { fd, happen: () => kernel.startTimer(fd, 1), take: () => expect(drain(fd).readBigUInt64LE()).toBe(1n) };
  },
  'a signalfd': (kit) => {
    const fd = kit.fd(kernel.signalfd(SIGUSR2));
    kit.own({ close: () => kernel.unblockSignal(SIGUSR2) });
    return {
      fd,
      happen: () => kernel.signalThisThread(SIGUSR2),
      take: () => expect(drain(fd).readUInt32LE()).toBe(SIGUSR2),
    };
  },
  'an inotify': (kit) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));
    const fd = kit.fd(kernel.inotify(folder));
    kit.own({ close: () => fs.rmSync(folder, { recursive: true }) });
    return {
      fd,
      happen: () => fs.closeSync(fs.openSync(path.join(folder, `file-${fs.readdirSync(folder).length}`), 'w')),
      take: () => expect(drain(fd).subarray(16).toString('latin1')).toMatch(/^file-\d\0+$/),
    };
  },
  'the end of a pseudo-terminal that an emulator has': (kit) => {
    const { master, terminal } = kernel.pseudoTerminal();
    kit.fd(terminal);
    kit.fd(master);
    // What is written to the terminal comes out of its master, with the line end that a terminal makes.
    return {
      fd: master,
      happen: () => fs.writeSync(terminal, 'line\n'),
      take: () => expect(drain(master).toString()).toBe('line\r\n'),
    };
  },
  'the end of a pseudo-terminal that a program has': (kit) => {
    const { master, terminal } = kernel.pseudoTerminal();
    kit.fd(terminal);
    kit.fd(master);
    return {
      fd: terminal,
      happen: () => fs.writeSync(master, 'typed\n'),
      take: () => expect(drain(terminal).toString()).toBe('typed\n'),
    };
  },
};

const posixKinds: Record<string, (kit: SelectorKit) => Subject> = {
  'a pipe': (kit) => {
    const { reader, writer } = kit.pipe();
    return {
      fd: reader,
      happen: () => fs.writeSync(writer, 'x'),
      take: () => expect(drain(reader).toString()).toBe('x'),
    };
  },
  'another selector': (kit) => {
    const inner = kit.own(new (selectorNames.includes('kqueue') ? KqueueSelector : EpollSelector)());
    const [socket, other] = kit.pair();
    inner.register(socket, EVENT_READ);
    return {
      fd: inner.fileno(),
      happen: () => other.send(Buffer.from('x')),
      take: () => {
        expect(inner.select(0)).toHaveLength(1);
        socket.recv(10);
      },
    };
  },
  ...(kernel.hasSyscalls ? linuxKinds : {}),
};

const kinds: Record<string, (kit: SelectorKit) => Subject> = {
  'a socket': (kit) => {
    const [socket, other] = kit.pair();
    return { fd: socket.fileno(), happen: () => other.send(Buffer.from('x')), take: () => socket.recv(10) };
  },
  ...(isWindows ? {} : posixKinds),
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe.each(Object.keys(kinds))('%s', (kind) => {
  const kit = useSelectorKit();

  test.each(Object.entries(selectorClasses))('is reported by %s when something happens', (_name, Selector) => {
    const { fd, happen, take } = kinds[kind](kit.current);
    const selector = kit.current.own(new Selector());
    const key = selector.register(fd, EVENT_READ);
    for (let times = 0; times < 2; times++) {
      expect(selector.select(0)).toEqual([]);
      happen();
      expect(selector.select(10)).toEqual([[key, EVENT_READ]]);
      expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
      take();
    }
    expect(selector.select(0)).toEqual([]);
  });

  test('is watched: the callback is called when something happens, and until it is taken', async () => {
    const { fd, happen, take } = kinds[kind](kit.current);
    let calls = 0;
    let told = (): void => undefined;
    const watcher = kit.current.own(
      watch(fd, 'r', (ready) => {
        expect(ready).toBe(EVENT_READ);
        calls += 1;
        // Level-triggered: the second call comes because the first took nothing.
        if (calls % 2 === 0) {
          take();
          told();
        }
      }),
    );
    for (const wanted of [2, 4]) {
      const twice = new Promise<void>((resolve) => (told = resolve));
      await turn();
      await turn();
      expect(calls).toBe(wanted - 2);
      happen();
      await twice;
      expect(calls).toBe(wanted);
    }
    watcher.close();
  });

  test('is iterated: one step for each thing that happens', async () => {
    const { fd, happen, take } = kinds[kind](kit.current);
    happen();
    let steps = 0;
    for await (const ready of watch(fd, 'r')) {
      expect(ready).toBe(EVENT_READ);
      take();
      steps += 1;
      if (steps === 3) break;
      happen();
    }
    expect(steps).toBe(3);
  });
});

describeOnPosix('a socket that another program answers on', () => {
  const kit = useSelectorKit();

  test('is watched until that program ends', async () => {
    const [socket, theirs] = kit.current.pair();
    theirs.setblocking(true);
    const child = spawn('sh', ['-c', 'while read line; do echo "it said $line" >&3; done'], {
      stdio: ['pipe', 'inherit', 'inherit', theirs.fileno()],
    });
    const exited = once(child, 'exit');
    theirs.close();
    const heard: string[] = [];
    const lines = ['two', 'three'];
    child.stdin?.write('one\n');
    for await (const ready of watch(socket, 'r')) {
      expect(ready).toBe(EVENT_READ);
      const chunk = socket.recv(100).toString();
      if (chunk === '') break;
      heard.push(chunk);
      const next = lines.shift();
      if (next === undefined) child.stdin?.end();
      else child.stdin?.write(`${next}\n`);
    }
    expect(heard).toEqual(['it said one\n', 'it said two\n', 'it said three\n']);
    await exited;
  });
});

/** How to run something in mount tables of its own here; undefined if this user may not. */
const unshare = [
  ['-m', '--propagation', 'private'],
  ['-rm', '--propagation', 'private'],
].find((args) => isLinux && spawnSync('unshare', [...args, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0);

describeOnLinux('/proc/.../mountinfo', () => {
  const kit = useSelectorKit();

  /** The mount table of a child that mounts something, or unmounts it, for each line that it is sent. */
  async function mountTable(): Promise<{ fd: number; child: ChildProcess; happen(): void }> {
    const script =
      'echo up; while read verb; do if [ $verb = mount ]; then mount -t tmpfs none /mnt; else umount /mnt; fi; done';
    const child = spawn('unshare', [...(unshare as string[]), 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    kit.current.own({
      close: () => {
        child.stdin?.end();
        return exited as unknown as void;
      },
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    let verb = 'umount';
    return {
      fd: kit.current.fd(fs.openSync(`/proc/${child.pid}/mountinfo`, 'r')),
      child,
      happen: () => {
        verb = verb === 'mount' ? 'umount' : 'mount';
        child.stdin?.write(`${verb}\n`);
      },
    };
  }

  const testWhereItMay = unshare === undefined ? test.skip : test;

  testWhereItMay.each(Object.entries(selectorClasses))(
    'a mount is a priority event for %s',
    async (_name, Selector) => {
      const { fd, happen } = await mountTable();
      const selector = kit.current.own(new Selector());
      const key = selector.register(fd, EVENT_PRI);
      for (let times = 0; times < 2; times++) {
        expect(selector.select(0)).toEqual([]);
        happen();
        expect(selector.select(10)).toEqual([[key, EVENT_PRI]]);
      }
      expect(selector.select(0)).toEqual([]);
    },
  );

  testWhereItMay('a mount is a priority event for watch, though the table tells it only once', async () => {
    const { fd, happen } = await mountTable();
    const told: number[] = [];
    let next = (): void => undefined;
    kit.current.own(
      watch(fd, 'p', (ready) => {
        told.push(ready);
        next();
      }),
    );
    for (let times = 1; times <= 3; times++) {
      await turn();
      await turn();
      expect(told).toHaveLength(times - 1);
      const called = new Promise<void>((resolve) => (next = resolve));
      happen();
      await called;
    }
    expect(told).toEqual([EVENT_PRI, EVENT_PRI, EVENT_PRI]);
  });

  test('without a mount there is no priority event, though the table can always be read', async () => {
    const fd = kit.current.fd(fs.openSync('/proc/self/mountinfo', 'r'));
    for (const Selector of Object.values(selectorClasses)) {
      const selector = kit.current.own(new Selector());
      selector.register(fd, EVENT_PRI);
      expect(selector.select(0)).toEqual([]);
      const key = selector.modify(fd, EVENT_READ | EVENT_PRI);
      expect(selector.select(0)).toEqual([[key, EVENT_READ]]);
    }
    let watcher: Watcher | null = null;
    const ready = await new Promise((resolve) => {
      watcher = kit.current.own(watch(fd, 'rp', resolve));
    });
    expect(ready).toBe(EVENT_READ);
    (watcher as unknown as Watcher).close();
  });
});
