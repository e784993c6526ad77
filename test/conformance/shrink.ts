// shrink.ts: makes a program that shows a difference as small as it gets: leaves actions out while the difference stays.

import type { Action, Json, Program } from './world';

type List = { get(): Json[]; set(list: Json[]): void };

const isAction = (value: Json): value is Action => Array.isArray(value) && typeof value[0] === 'string';
const isActions = (value: Json): value is Action[] => Array.isArray(value) && value.every(isAction);

/** Every list of actions of a program, outermost first. */
function lists(program: Program): List[] {
  const found: List[] = [];
  const visit = (list: Action[], set: (list: Json[]) => void): void => {
    found.push({ get: () => list, set });
    for (const action of list) {
      for (const [index, part] of action.entries()) {
        if (isActions(part) && part.length > 0) visit(part, (changed) => (action[index] = changed));
      }
    }
  };
  visit(program.main, (list) => (program.main = list as Action[]));
  for (const bodies of [program.bodies ?? {}, ...Object.values(program.protocols ?? {}).map(({ on }) => on ?? {})]) {
    for (const name of Object.keys(bodies)) visit(bodies[name], (list) => (bodies[name] = list as Action[]));
  }
  return found;
}

const copy = (program: Program): Program => JSON.parse(JSON.stringify(program)) as Program;

/** Every program that lacks `size` actions in a row somewhere, or has the inside of a compound action in its place. */
function* smaller(program: Program, size: number): Generator<Program> {
  const count = lists(program).length;
  for (let number = 0; number < count; number++) {
    const { length } = lists(program)[number].get();
    for (let start = 0; start < length; start += size) {
      const changed = copy(program);
      const list = lists(changed)[number];
      list.set(list.get().filter((_action, index) => index < start || index >= start + size));
      yield changed;
    }
  }
  if (size > 1) return;
  for (let number = 0; number < count; number++) {
    for (const [index, action] of lists(program)[number].get().entries()) {
      for (const part of action as Json[]) {
        if (!isActions(part) || part.length === 0) continue;
        const changed = copy(program);
        const list = lists(changed)[number];
        list.set(list.get().flatMap((other, place) => (place === index ? part : [other])));
        yield changed;
      }
    }
  }
}

/** Bodies and protocols without actions that nobody mentions. */
function tidy(program: Program): Program {
  const changed = copy(program);
  const text = JSON.stringify([changed.main, changed.bodies, changed.protocols]);
  const drop = (things: Record<string, unknown> | undefined): void => {
    for (const name of Object.keys(things ?? {})) {
      if (text.split(`"${name}"`).length === 2) delete (things as Record<string, unknown>)[name];
    }
  };
  drop(changed.bodies);
  drop(changed.protocols);
  return changed;
}

/** @param differs whether a program still shows what it is about */
export async function shrink(program: Program, differs: (program: Program) => Promise<boolean>): Promise<Program> {
  let best = program;
  for (let size = 8; size >= 1;) {
    let found = false;
    for (const candidate of smaller(best, size)) {
      if (!(await differs(candidate))) continue;
      best = candidate;
      found = true;
      break;
    }
    if (!found) size = Math.floor(size / 2);
  }
  const tidied = tidy(best);
  return (await differs(tidied)) ? tidied : best;
}
