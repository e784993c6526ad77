// selectors.test.ts: the choice between the selectors of a system, and what a signal does to a wait.

import { NotImplementedError, OSError } from '../../lib/base/errors';
import { binding } from '../../lib/native/binding';
import { NativeSelectorBase } from '../../lib/selectors/native-selector';
import * as selectors from '../../lib/selectors/selectors';
import { selectorContract } from '../contracts/selector-contract';
import { thrownBy } from '../contracts/selector-kit';
import { useCompiledLibrary } from '../support/compiled-library';
import { traitsOf } from './subjects';

const { DefaultSelector } = selectors;
const [best, ...others] = binding.selectorNames;

const classNames: Record<string, string> = {
  epoll: 'EpollSelector',
  iocp: 'IocpSelector',
  kqueue: 'KqueueSelector',
  poll: 'PollSelector',
  select: 'SelectSelector',
};

selectorContract('DefaultSelector', () => new DefaultSelector(), traitsOf[best]);

describe('the default selector', () => {
  test('SEL-055: the best facility of the build comes first', () => {
    expect([
      ['epoll', 'poll', 'select'],
      ['iocp', 'select'],
      ['kqueue', 'poll', 'select'],
    ]).toContainEqual([best, ...others]);
    expect(DefaultSelector.name).toBe(classNames[best]);
  });

  /** The module as it is on a system that cannot make some selectors. */
  function without(...names: string[]): typeof selectors {
    let found: typeof selectors | null = null;
    jest.isolateModules(() => {
      const refusing = {
        ...binding,
        createSelector: (name: string) =>
          names.includes(name) ? -binding.errnoByName.ENOSYS : binding.createSelector(name),
      };
      jest.doMock('../../lib/native/binding', () => ({ binding: refusing }));
      found = require('../../lib/selectors/selectors') as typeof selectors;
    });
    jest.dontMock('../../lib/native/binding');
    return found as unknown as typeof selectors;
  }

  test.each([
    ...others.map((name, index) => [[best, ...others.slice(0, index)], name]),
    [others, best],
    [[best, ...others], 'select'],
  ] as [string[], string][])(
    'SEL-055: a facility of which no instance can be made is passed over (%p)',
    (names, expected) => {
      expect(without(...names).DefaultSelector.name).toBe(classNames[expected]);
    },
  );

  test('a selector that the system refuses throws its error', () => {
    const Refused = without(best)[classNames[best] as 'SelectSelector'];
    expect(thrownBy(() => new Refused())).toMatchObject({ name: 'OSError', code: 'ENOSYS' });
  });

  test('a selector that the build does not have says so', () => {
    class Unknown extends NativeSelectorBase {
      constructor() {
        super('unknown');
      }
    }
    const error = thrownBy(() => new Unknown());
    expect(error).toBeInstanceOf(NotImplementedError);
    expect(error).not.toBeInstanceOf(OSError);
    expect(error.code).toBe('ERR_NO_SELECTOR');
  });
});

describe('signals', () => {
  const library = useCompiledLibrary();

  // On Windows no signal interrupts a wait.
  const testWithSignals = process.platform === 'win32' ? test.skip : test;

  testWithSignals.each(binding.selectorNames.map((name) => classNames[name]))(
    'SEL-046: a wait of %s that a signal interrupts is a wait with no entries',
    async (name) => {
      let signals: NodeJS.Timeout | undefined;
      const end = await library.run(
        `process.on('SIGWINCH', () => {});
         const selector = new fdloop.${name}();
         process.stdout.write('waiting', () => {
           const entries = selector.select(60);
           selector.close();
           console.log(' ended', JSON.stringify(entries));
         });`,
        {
          // The first signal may come before the wait has begun, so it is repeated until the child ends. Without its
          // handler, as at the end, this one is ignored.
          onOutput: (_text, child) => {
            signals ??= setInterval(() => child.kill('SIGWINCH'), 5);
          },
        },
      );
      clearInterval(signals);
      expect(end).toMatchObject({ status: 0, signal: null, stdout: 'waiting ended []\n' });
    },
  );
});
