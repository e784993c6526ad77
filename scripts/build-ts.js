'use strict';
// build-ts.js: `npm run build:ts`: lib/ becomes dist/, all that the package needs beside the compiled addon. CommonJS is
// what tsc makes; ES modules get a face of it, so that there is one copy of every class, however it was asked for.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const dist = path.join(root, 'dist');
const entryPoints = ['index', 'testing/index'];

function tsc(...args) {
  const compiler = require.resolve('typescript/bin/tsc');
  const command = [compiler, '-p', 'tsconfig.build.json', ...args];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

/** Comments are for readers of the types, and of lib/: in the code they would be a third of its size. */
function compile() {
  tsc('--emitDeclarationOnly');
  tsc('--declaration', 'false', '--removeComments', '--noCheck');
}

/** What lib/ no longer has must not be packed. */
function removeStale(folder = dist) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    const source = path.join(root, 'lib', path.relative(dist, full)).replace(/(\.d)?\.[cm]?[jt]s(\.map)?$/, '');
    if (entry.isDirectory() && fs.existsSync(source)) removeStale(full);
    else if (entry.isDirectory() || entry.name.endsWith('.map') || !fs.existsSync(`${source}.ts`)) {
      fs.rmSync(full, { recursive: true });
    }
  }
}

/** tsc names every export of a module in assignments at its beginning. */
function exportedNames(file) {
  const declarations = fs.readFileSync(file, 'utf8').match(/^(exports\.\w+ = )+void 0;$/gm) ?? [];
  const names = declarations.flatMap((line) => [...line.matchAll(/exports\.(\w+)/g)].map(([, name]) => name));
  if (names.length === 0) throw new Error(`${file} exports nothing`);
  return names.sort();
}

function writeModuleFace(entry) {
  const file = path.join(dist, entry);
  const from = `./${path.basename(entry)}.js`;
  const names = exportedNames(`${file}.js`);
  fs.writeFileSync(`${file}.mjs`, `export {\n${names.map((name) => `  ${name},\n`).join('')}} from '${from}';\n`);
  fs.writeFileSync(`${file}.d.mts`, `export * from '${from}';\n`);
}

/** What build-native.js needs in an installed package, where there are no devDependencies. */
function provideForSourceBuilds() {
  const source = path.join(dist, 'source');
  const headers = path.dirname(require.resolve('node-addon-api/package.json'));
  const copy = path.join(source, 'node-addon-api');
  fs.mkdirSync(copy, { recursive: true });
  fs.copyFileSync(path.join(root, 'binding.gyp'), path.join(source, 'binding.gyp'));
  for (const name of ['index.js', 'package.json', 'LICENSE.md', 'napi.h', 'napi-inl.h', 'napi-inl.deprecated.h']) {
    fs.copyFileSync(path.join(headers, name), path.join(copy, name));
  }
}

compile();
removeStale();
entryPoints.forEach(writeModuleFace);
provideForSourceBuilds();
