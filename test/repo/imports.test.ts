// imports.test.ts: the ladder of ARCHITECTURE.md, kept true: calls and imports go down, a file says what it is.

import { filesIn, importsOf, read, resolveImport } from './source-tree';

/** Bottom first; folders on one line know nothing of each other. */
const ladder = [
  ['base'],
  ['native'],
  ['selectors'],
  ['sockets'],
  ['futures'],
  ['loop'],
  ['transports'],
  ['tls'],
  ['network'],
  ['streams', 'sync', 'interop', 'testing'],
  ['processes'],
  ['event-loop.ts'],
  ['runner.ts'],
  ['index.ts'],
];

const files = filesIn('lib', /\.ts$/);

/** 'lib/loop/handle.ts' -> 'loop', 'lib/runner.ts' -> 'runner.ts' */
const roomOf = (file: string) => file.split('/')[1];
const rungOf = (file: string) => ladder.findIndex((rooms) => rooms.includes(roomOf(file)));

/** Imports within lib/ that are still there at run time. */
function valueImports(file: string): { target: string; line: number }[] {
  return importsOf(file).flatMap(({ specifier, typeOnly, line }) => {
    const target = typeOnly ? undefined : resolveImport(file, specifier);
    return target === undefined ? [] : [{ target, line }];
  });
}

const graph = new Map(files.map((file) => [file, valueImports(file)]));

/** The files of one import circle, first one repeated at the end, or undefined. */
function findCircle(): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const { target } of graph.get(file) ?? []) {
      const circle = walk(target);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const circle = walk(file);
    if (circle) return circle;
  }
  return undefined;
}

test('every file of lib/ stands on a rung of the ladder', () => {
  expect(files.filter((file) => rungOf(file) < 0)).toEqual([]);
});

test('value imports go down the ladder', () => {
  const upward = files.flatMap((file) =>
    (graph.get(file) ?? [])
      .filter(({ target }) => roomOf(target) !== roomOf(file) && rungOf(target) >= rungOf(file))
      .map(({ target, line }) => `${file}:${line} imports ${target}`),
  );
  expect(upward).toEqual([]);
});

test('value imports make no circle', () => {
  expect(findCircle()?.join(' -> ')).toBeUndefined();
});

test('lib/ imports nothing but itself and the built-ins of Node', () => {
  const foreign = files.flatMap((file) =>
    importsOf(file)
      .filter(({ specifier }) => !/^(\.|node:)/.test(specifier))
      .map(({ specifier, line }) => `${file}:${line} imports ${specifier}`),
  );
  expect(foreign).toEqual([]);
});

test('every file of lib/ opens with a comment that names the file', () => {
  const nameless = files.filter((file) => {
    const [firstLine] = read(file).split('\n');
    const name = file.slice(file.lastIndexOf('/') + 1);
    return !/^\/[/*]/.test(firstLine) || !firstLine.includes(name);
  });
  expect(nameless).toEqual([]);
});
