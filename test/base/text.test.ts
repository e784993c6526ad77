// text.test.ts: every value has a text.

import { nameOf, shortTextOf, textOf } from '../../lib/base/text';
import { strangeValues } from '../support/strange';

test.each(strangeValues)('%s has a text', (_name, make) => {
  expect(textOf(make())).toMatch(/./);
  expect(shortTextOf(make())).toMatch(/./);
});

test('what can be shown is shown as Node does, in short as an error says itself', () => {
  expect(textOf({ deep: { deeper: 1 } }, { depth: 0 })).toBe('{ deep: [Object] }');
  expect(shortTextOf(new TypeError('wrong'))).toBe('TypeError: wrong');
});

test('a function without a name of its own is anonymous', () => {
  const names = [Symbol('name'), '', 3].map((name) => Object.defineProperty(() => undefined, 'name', { value: name }));
  const failing = Object.defineProperty(class {}, 'name', {
    get: () => {
      throw new Error('touched');
    },
  });
  expect([...names, failing].map(nameOf)).toEqual(Array(4).fill('<anonymous>'));
  expect(nameOf(function named() {})).toBe('named');
});
