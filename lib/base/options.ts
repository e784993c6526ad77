// options.ts: the names of a verb's options. What is not one of them is refused, as Python refuses an unknown keyword: a
// misspelt option that is passed over shows its absence much later, if ever.

import { inspect } from 'node:util';

import { typeError } from './errors';

/** Every name that `T` has: the compiler sees that none is missing. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/** @throws TypeError for an option that `verb` does not have, and for what is no object */
export function checkOptions(verb: string, options: unknown, names: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`the options of ${verb} are an object, not ${inspect(options, { depth: 0 })}`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    const reCased = name.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
    const hint = reCased !== name && Object.hasOwn(names, reCased) ? `: it is ${inspect(reCased)} here` : '';
    throw typeError(`${verb} has no option ${inspect(name)}${hint}`);
  }
}
