// public-names.test.ts: the names that users may import change only on purpose. After a wanted change:
// UPDATE=1 npx jest test/repo/public-names

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';
import { exists, read, root } from './source-tree';

const list = 'test/repo/public-names.json';
const entryPoints = ['lib/index.ts', 'lib/testing/index.ts'].filter(exists);

/** Exported names as the compiler sees them, `export *` followed; types marked, because they are gone at run time. */
function exportedNames(program: ts.Program, file: string): string[] {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path.join(root, file));
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) return [];
  return checker
    .getExportsOfModule(module)
    .map((symbol) => {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const typeOnly =
        !(target.flags & ts.SymbolFlags.Value) ||
        (symbol.declarations ?? []).some((declaration) => ts.isTypeOnlyExportDeclaration(declaration));
      return typeOnly ? `type ${symbol.name}` : symbol.name;
    })
    .sort();
}

function publicNames(): Record<string, string[]> {
  const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root, undefined, undefined, undefined);
  const program = ts.createProgram(
    entryPoints.map((file) => path.join(root, file)),
    { ...options, types: ['node'] },
  );
  return Object.fromEntries(entryPoints.map((file) => [file, exportedNames(program, file)]));
}

(entryPoints.includes('lib/index.ts') ? test : test.skip)(
  'the public names are the checked-in ones',
  () => {
    const names = publicNames();
    if (process.env.UPDATE) fs.writeFileSync(path.join(root, list), `${JSON.stringify(names, null, 2)}\n`);
    if (!exists(list)) throw new Error(`${list} is not there; make it with UPDATE=1 npx jest test/repo/public-names`);
    expect(names).toEqual(JSON.parse(read(list)));
  },
  60_000,
);

(entryPoints.includes('lib/index.ts') ? test : test.skip)(
  'there is no default export',
  () => {
    // `moduleResolution: bundler` and Node disagree about what it is in a CommonJS package.
    expect(Object.values(publicNames()).flat()).not.toContain('default');
  },
  60_000,
);
