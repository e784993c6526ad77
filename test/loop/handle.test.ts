// handle.test.ts: what a handle is, and what happens when its callback throws.

import { inspect } from 'node:util';

import { CancelledError, KeyboardInterrupt, SystemExit } from '../../lib/base/errors';
import { TimerHandle } from '../../lib/loop/handle';
import { useLoop } from '../support/loops';
import { strangeValues } from '../support/strange';

describe('handle', () => {
  const subject = useLoop('virtual');

  test('LOOP-002, LOOP-003: cancel drops callback and arguments, and may be called again', () => {
    const { loop } = subject.current;
    const handle = loop.callSoon((_text: string) => undefined, 'argument');
    expect(handle.cancelled()).toBe(false);
    handle.cancel();
    handle.cancel();
    expect(handle.cancelled()).toBe(true);
    expect([handle._callback, handle._args]).toEqual([null, null]);
  });

  test('LOOP-004: an exception goes to the handler with message, exception and handle', async () => {
    const { loop } = subject.current;
    const error = new Error('boom');
    const handle = loop.callSoon(function failing() {
      throw error;
    });
    await subject.current.runOnce();
    const [context, ...others] = subject.current.takeContexts();
    expect(others).toEqual([]);
    expect(Object.keys(context).sort()).toEqual(['exception', 'handle', 'message']);
    expect(context.exception).toBe(error);
    expect(context.handle).toBe(handle);
    expect(context.message).toContain('failing');
  });

  test('LOOP-005: the message shows arguments in debug mode only', async () => {
    const { loop } = subject.current;
    const failing = (_text: string): void => {
      throw new Error('boom');
    };
    loop.callSoon(failing, 'shown');
    await subject.current.runOnce();
    loop.setDebug(true);
    loop.callSoon(failing, 'shown');
    await subject.current.runOnce();
    const [plain, debug] = subject.current.takeContexts();
    expect(plain.message).not.toContain('shown');
    expect(debug.message).toContain('shown');
    expect(debug.sourceTraceback).toContain('handle.test');
  });

  test('LOOP-006: a CancelledError of a plain callback is reported like any other', async () => {
    const { loop } = subject.current;
    loop.callSoon(() => {
      throw new CancelledError();
    });
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0].exception).toBeInstanceOf(CancelledError);
  });

  test('an async callback that fails is reported, too', async () => {
    const { loop } = subject.current;
    const error = new Error('later');
    loop.callSoon(async () => {
      await Promise.resolve();
      throw error;
    });
    await subject.current.runOnce();
    expect(subject.current.takeContexts().map((context) => context.exception)).toEqual([error]);
  });

  test.each([new SystemExit(3), new KeyboardInterrupt()])(
    'LOOP-004, LOOP-037: %p ends the run at once; the rest of the batch runs next time',
    async (fatal) => {
      const { loop } = subject.current;
      const seen: string[] = [];
      loop.callSoon(() => {
        throw fatal;
      });
      loop.callSoon(() => seen.push('rest'));
      loop.stop();
      await expect(subject.current.runForever()).rejects.toBe(fatal);
      expect([seen.length, loop.isRunning()]).toEqual([0, false]);
      await subject.current.runOnce();
      expect(seen).toEqual(['rest']);
    },
  );

  test('LOOP-013: without debug a callback that is no function fails when it runs', async () => {
    const { loop } = subject.current;
    loop.callSoon('nothing' as unknown as () => void);
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0].exception).toMatchObject({ name: 'TypeError' });
  });

  test('LOOP-015: in debug mode a callback that is no function is refused', () => {
    const { loop } = subject.current;
    loop.setDebug(true);
    const nothing = 5 as unknown as () => void;
    const expected = expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(() => loop.callSoon(nothing)).toThrow(expected);
    expect(() => loop.callSoonThreadsafe(nothing)).toThrow(expected);
    expect(() => loop.callLater(1, nothing)).toThrow(expected);
    expect(() => loop.callAt(1, nothing)).toThrow(expected);
  });

  test('LOOP-099: a callback that cancels its own handle and throws is reported without its name', async () => {
    const { loop } = subject.current;
    const handle = loop.callSoon(function own() {
      handle.cancel();
      throw new Error('boom');
    });
    await subject.current.runOnce();
    expect(subject.current.takeContexts()[0].message).toContain('None()');
  });

  test('LOOP-009: inspect shows the callback, the deadline and the cancelled state', () => {
    const { loop } = subject.current;
    const handle = loop.callSoon(function work() {});
    const timer = loop.callAt(12.5, function later() {});
    expect(inspect(handle)).toBe('<Handle work()>');
    expect(inspect(timer)).toBe('<TimerHandle when=12.5 later()>');
    timer.cancel();
    expect(inspect(timer)).toBe('<TimerHandle cancelled when=12.5>');
    handle.cancel();
    expect(inspect(handle)).toBe('<Handle cancelled>');
  });

  test('LOOP-002, LOOP-010: in debug mode a cancelled handle can still be named, and knows where it was made', () => {
    const { loop } = subject.current;
    loop.setDebug(true);
    const handle = loop.callSoon(function work() {});
    expect(handle._sourceTraceback?.split('\n').length).toBeLessThanOrEqual(10);
    expect(handle._sourceTraceback?.split('\n')[0]).toContain('handle.test');
    handle.cancel();
    expect(inspect(handle)).toMatch(/^<Handle cancelled work\(\) created at .*handle\.test/);
    const timer = loop.callAt(12.5, function later() {});
    timer.cancel();
    expect(inspect(timer)).toMatch(/^<TimerHandle cancelled when=12\.5 later\(\) created/);
  });

  test('LOOP-007: a timer knows its deadline', () => {
    const { loop } = subject.current;
    const timer = loop.callAt(1234.5, () => undefined);
    expect(timer).toBeInstanceOf(TimerHandle);
    expect(timer.when()).toBe(1234.5);
  });

  test('LOOP-008: the loop counts a cancelled timer once, and only while it is in the heap', async () => {
    const { loop } = subject.current;
    const timer = loop.callLater(5, () => undefined);
    const due = loop.callLater(-1, () => undefined);
    timer.cancel();
    timer.cancel();
    expect(loop._scheduled.cancelledCount).toBe(1);
    await subject.current.runOnce();
    // It ran: it is in the heap no more. The other one still is, behind nothing that was popped.
    due.cancel();
    expect(loop._scheduled.cancelledCount).toBe(1);
  });

  describe.each(strangeValues)('%s', (_name, make) => {
    test.each([false, true])(
      'is reported when a callback throws it, and the loop goes on (debug mode: %s)',
      async (debug) => {
        const { loop } = subject.current;
        loop.setDebug(debug);
        const thrown = [make(), make()];
        const throwIt = (which: number, _argument: unknown): never => {
          throw thrown[which];
        };
        const seen: string[] = [];
        loop.callSoon(throwIt, 0, make());
        loop.callSoon(async () => throwIt(1, null));
        loop.callSoon(() => seen.push('the next one'));
        loop.callSoon(throwIt, 0, make()).cancel();
        await subject.current.runOnce();
        expect(
          subject.current.takeContexts().map(({ exception }) => thrown.findIndex((one) => Object.is(one, exception))),
        ).toEqual([0, thrown[0] === thrown[1] ? 0 : 1]);
        expect(seen).toEqual(['the next one']);
      },
    );

    test('is logged when nobody handles it, and ends no run as what a handler throws or a callback returns', async () => {
      const { loop } = subject.current;
      const records: string[] = [];
      const written = jest.spyOn(process.stderr, 'write').mockImplementation((text) => records.push(String(text)) > 0);
      try {
        loop.callSoon(() => make());
        loop.callSoon(() => loop.setExceptionHandler(null));
        loop.callSoon(() => {
          throw make();
        });
        loop.callSoon(() =>
          loop.setExceptionHandler(() => {
            throw make();
          }),
        );
        loop.callSoon(() => {
          throw new Error('original');
        });
        await subject.current.runOnce();
      } finally {
        written.mockRestore();
      }
      expect(records.filter((text) => text.startsWith('fdloop error: Exception in callback'))).toHaveLength(1);
      expect(records.filter((text) => text.startsWith('fdloop error: Unhandled error in exception'))).toHaveLength(1);
      subject.current.takeContexts();
    });
  });
});
