// loops.ts: the subjects of the loop's tests: every selector with every driver, and a loop that is checked at its end.

import type { Awaitable } from '../../lib/futures/ensure-future';
import { SelectorEventLoop } from '../../lib/event-loop';
import type { ExceptionContext } from '../../lib/loop/exception-handler';
import { VirtualClock } from '../../lib/loop/driver';
import type { SelectorLike } from '../../lib/loop/ready';
import type { SelectorLoopOptions } from '../../lib/loop/selector-event-loop';
import { binding } from '../../lib/native/binding';
import {
  EpollSelector,
  IocpSelector,
  KqueueSelector,
  PollSelector,
  type SelectorClass,
  SelectSelector,
} from '../../lib/selectors/selectors';

export type SelectorName = 'epoll' | 'iocp' | 'kqueue' | 'poll' | 'select';
const allClasses: Record<SelectorName, SelectorClass> = {
  epoll: EpollSelector,
  iocp: IocpSelector,
  kqueue: KqueueSelector,
  poll: PollSelector,
  select: SelectSelector,
};

/** The selectors of this build, best first. */
export const selectorNames = (Object.keys(allClasses) as SelectorName[]).filter((name) =>
  binding.selectorNames.includes(name),
);
export const selectorClasses = Object.fromEntries(selectorNames.map((name) => [name, allClasses[name]])) as Record<
  SelectorName,
  SelectorClass
>;

export const driverNames = ['hosted', 'sync', 'virtual'] as const;
export type DriverName = (typeof driverNames)[number];

/** Runs `action` with a stack that holds no promise job, where a synchronous run can drain microtasks. */
export function outsideOfMicrotasks<T>(action: () => T): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** A loop for one test. What its exception handler hears is kept; `close` fails if nobody took it. */
export class TestLoop {
  readonly loop: SelectorEventLoop;
  readonly #contexts: ExceptionContext[] = [];
  readonly #cleanUps: (() => void)[] = [];

  constructor(
    readonly driver: DriverName,
    selector: SelectorLike,
    options: SelectorLoopOptions = {},
  ) {
    const clock = driver === 'virtual' ? { clock: new VirtualClock(1000) } : {};
    this.loop = new SelectorEventLoop({ selector, ...clock, ...options });
    this.loop.setExceptionHandler((_loop, context) => {
      this.#contexts.push(context);
    });
  }

  /** Runs until `awaitable` is done, by this loop's driver. */
  async run<T>(awaitable: Awaitable<T>): Promise<T> {
    if (this.driver === 'hosted') return this.loop.runUntilComplete(awaitable);
    return outsideOfMicrotasks(() => this.loop.runUntilCompleteSync(awaitable));
  }

  /** Runs until `loop.stop()`. */
  async runForever(): Promise<void> {
    if (this.driver === 'hosted') return this.loop.runForever();
    return outsideOfMicrotasks(() => this.loop.runForeverSync());
  }

  /** Runs exactly one iteration: with nothing ready it does not wait. */
  async runOnce(): Promise<void> {
    this.loop.stop();
    await this.runForever();
  }

  /** Runs single iterations until `condition` holds: for what the kernel does when it likes to. */
  async runUntil(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 100_000 && !condition(); turn++) await this.runOnce();
    if (!condition()) throw new Error('the condition did not come true');
  }

  /** What the exception handler heard so far; taken here, it counts as expected. */
  takeContexts(): ExceptionContext[] {
    return this.#contexts.splice(0);
  }

  /** Has `cleanUp` called when the test is over, before the loop's last iteration; the last one given is the first. */
  atEnd(cleanUp: () => void): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Cleans up, closes the loop, and fails if its exception handler heard something that nobody took. */
  async close(): Promise<void> {
    for (const cleanUp of this.#cleanUps.splice(0).reverse()) cleanUp();
    if (!this.loop.isClosed()) {
      await this.runOnce();
      this.loop.close();
    }
    const unexpected = this.takeContexts();
    if (unexpected.length > 0) {
      const first = unexpected[0];
      throw new Error(`the exception handler was called: ${first.message}`, { cause: first.exception });
    }
  }
}

/** A loop that is made before each test and closed, and checked, after it. */
export function useLoop(
  driver: DriverName = 'hosted',
  selector: SelectorName = selectorNames[0],
  options: SelectorLoopOptions = {},
): { readonly current: TestLoop } {
  let current: TestLoop | null = null;
  beforeEach(() => {
    current = new TestLoop(driver, new selectorClasses[selector](), options);
  });
  afterEach(async () => {
    const loop = current;
    current = null;
    await loop?.close();
  });
  return {
    get current(): TestLoop {
      if (current === null) throw new Error('there is a loop only while a test runs');
      return current;
    },
  };
}

/** Declares `suite` once for every selector with every driver, and for each way in which a host can wait. */
export function forEveryLoop(suite: (name: string, use: () => { readonly current: TestLoop }) => void): void {
  for (const selector of selectorNames) {
    for (const driver of driverNames) suite(`${selector}, ${driver}`, () => useLoop(driver, selector));
  }
  // Where a selector has no descriptor, a thread waits anyway.
  const [best] = selectorNames;
  suite(`${best}, hosted by a thread`, () => useLoop('hosted', best, { hostWatch: 'thread' }));
}
