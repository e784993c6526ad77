'use strict';
// Looks at what the built addon wants from its host: only Node-API up to version 8, the few libuv functions of
// native/bridge/uv.h, and versioned names of the C and C++ libraries. Anything else would fail to load, or
// end the process at the call, in some host that we promise to run in.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { symbols } = require('node-api-headers');

const NAPI_VERSION = 8;
const root = path.join(__dirname, '..');
const addon = process.argv[2] ?? path.join(root, 'build', 'Release', 'addon.node');

/** Names that a toolchain refers to weakly in every shared object. */
const WEAK_START_FILES = /^(__gmon_start__|_ITM_(de)?registerTMCloneTable|__cxa_finalize)$/;
const EXTERNAL_MEMORY = /external_(arraybuffer|buffer|string)/;
const SYSTEM_LIBRARIES = /^(GLIBC|GLIBCXX|CXXABI|GCC)_/;

function undefinedSymbols() {
  const listing = execFileSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' });
  return listing.split('\n').flatMap((line) => {
    const [, name, version] = /^\s+[UwWvV] ([^@\s]+)@*(\S*)/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, version }];
  });
}

/** The functions that the header declares: the list is kept in one place, and that is where it is used. */
function declaredUvFunctions() {
  const header = fs.readFileSync(path.join(root, 'native', 'bridge', 'uv.h'), 'utf8');
  return new Set([...header.matchAll(/^[\w* ]*?\b(uv_\w+)\(/gm)].map(([, name]) => name));
}

function nodeApi() {
  const { js_native_api_symbols: engine, node_api_symbols: node } = symbols[`v${NAPI_VERSION}`];
  return new Set([...engine, ...node]);
}

const api = nodeApi();
const uv = declaredUvFunctions();
const wanted = undefinedSymbols().filter(({ name }) => !WEAK_START_FILES.test(name));
const isApi = ({ name }) => /^(napi|node_api)_/.test(name);
const isUv = ({ name }) => name.startsWith('uv_');
const isVersioned = ({ version }) => version !== '';

const groups = [
  [`Node-API ${NAPI_VERSION}`, wanted.filter(isApi), ({ name }) => api.has(name)],
  ['libuv', wanted.filter(isUv), ({ name }) => uv.has(name)],
  ['external memory', wanted.filter(isApi), ({ name }) => !EXTERNAL_MEMORY.test(name)],
  ['C and C++ libraries', wanted.filter(isVersioned), ({ version }) => SYSTEM_LIBRARIES.test(version)],
  ['nothing else', wanted.filter((s) => !isApi(s) && !isUv(s) && !isVersioned(s)), () => false],
];

let failed = 0;
for (const [title, members, isAllowed] of groups) {
  const offending = members.filter((symbol) => !isAllowed(symbol));
  if (offending.length > 0) failed++;
  const names = offending.map(({ name, version }) => (version ? `${name}@${version}` : name));
  console.log(
    `${offending.length > 0 ? 'not ok' : 'ok'} ${title} (${members.length} names)${names.map((n) => `\n  ${n}`).join('')}`,
  );
}

const libraries = [...new Set(wanted.filter(isVersioned).map(({ version }) => version))].sort();
console.log(`needs ${libraries.join(' ')}`);
console.log(`${groups.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
