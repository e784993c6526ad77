'use strict';
// Looks at what a built addon wants from its host: only Node-API up to version 8, the few libuv functions of
// native/bridge/uv.h, and names of the C and C++ libraries that every system of our floor has. Anything else would fail
// to load, or end the process at the call, in some host that we promise to run in.
// `npm run check:addon` for the one in build/, `npm run check:addon -- FILE...` for others, of any Linux or Windows.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { symbols } = require('node-api-headers');

const NAPI_VERSION = 8;
const root = path.join(__dirname, '..');

/** Names that a toolchain refers to weakly in every shared object. */
const WEAK_START_FILES =
  /^(__gmon_start__|_ITM_(de)?registerTMCloneTable|__cxa_finalize|__deregister_frame_info|__register_frame_info)$/;
const EXTERNAL_MEMORY = /external_(arraybuffer|buffer|string)/;
/** Debian 10, RHEL 8: the oldest systems that the official Node 18 to 26 run on. GLIBCXX and CXXABI are those of GCC 8. */
const FLOOR = { GLIBC: [2, 28], GLIBCXX: [3, 4, 25], CXXABI: [1, 3, 11], GCC: [8, 0, 0] };
/** The parts of Windows itself. Compilers' own libraries are linked statically. */
const WINDOWS_LIBRARIES =
  /^(kernel32|ws2_32|iphlpapi|ntdll|advapi32|msvcrt|ucrtbase|vcruntime140|api-ms-win-crt-.*|node)\.(dll|exe)$/i;

/** What an ELF file of any processor wants: names with the version of a library ('' without one), and libraries. */
function elfNeeds(file) {
  const listing = execFileSync('readelf', ['-W', '--dyn-syms', '--dynamic', file], {
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const names = listing.split('\n').flatMap((line) => {
    const [, name, version] = / UND ([^@\s]+)(?:@+(\S+))?/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, version: version ?? '' }];
  });
  const libraries = [...listing.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
  return { names, libraries };
}

function windowsNeeds(file) {
  const listing = execFileSync('objdump', ['-p', file], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return [...listing.matchAll(/DLL Name: (\S+)/g)].map(([, library]) => library);
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

/** Whether every system of our floor has the version 'GLIBC_2.17' of a library. */
function isBelowFloor(version) {
  const [, library, number] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
  const floor = FLOOR[library];
  if (floor === undefined) return false;
  const parts = number.split('.').map(Number);
  for (const [index, most] of floor.entries()) {
    const part = parts[index] ?? 0;
    if (part !== most) return part < most;
  }
  return parts.length <= floor.length;
}

/** musl has no versions: there, what is not the host's is a library's, as far as the libraries are the usual ones. */
function checkElf(file) {
  const { names, libraries } = elfNeeds(file);
  const wanted = names.filter(({ name }) => !WEAK_START_FILES.test(name));
  // Zig asks for musl by its plain name.
  const isMusl = libraries.some((library) => /^libc\.(musl-.*|so)$/.test(library));
  const isApi = ({ name }) => /^(napi|node_api)_/.test(name);
  const isUv = ({ name }) => name.startsWith('uv_');
  const isLibrary = (symbol) => !isApi(symbol) && !isUv(symbol) && (isMusl || symbol.version !== '');
  const api = nodeApi();
  const uv = declaredUvFunctions();
  const usual =
    /^(lib(c|m|dl|pthread|rt)\.so\.\d|libstdc\+\+\.so\.6|libgcc_s\.so\.1|libc\.musl-\w+\.so\.1|libc\.so|ld-linux[\w-]*\.so\.\d)$/;
  const versions = [...new Set(wanted.filter(isLibrary).map(({ version }) => version))].sort();
  return {
    groups: [
      [`Node-API ${NAPI_VERSION}`, wanted.filter(isApi), ({ name }) => api.has(name)],
      ['libuv', wanted.filter(isUv), ({ name }) => uv.has(name)],
      ['external memory', wanted.filter(isApi), ({ name }) => !EXTERNAL_MEMORY.test(name)],
      ['C and C++ libraries', wanted.filter(isLibrary), ({ version }) => isMusl || isBelowFloor(version)],
      ['libraries', libraries.map((name) => ({ name, version: '' })), ({ name }) => usual.test(name)],
      ['nothing else', wanted.filter((s) => !isApi(s) && !isUv(s) && !isLibrary(s)), () => false],
    ],
    needs: versions,
  };
}

function checkWindows(file) {
  const libraries = windowsNeeds(file).map((name) => ({ name, version: '' }));
  return {
    groups: [['libraries', libraries, ({ name }) => WINDOWS_LIBRARIES.test(name)]],
    needs: libraries.map(({ name }) => name),
  };
}

function check(file) {
  const magic = Buffer.alloc(4);
  const fd = fs.openSync(file, 'r');
  fs.readSync(fd, magic, 0, 4, 0);
  fs.closeSync(fd);
  if (magic.toString('latin1') === '\x7fELF') return checkElf(file);
  if (magic.toString('latin1', 0, 2) === 'MZ') return checkWindows(file);
  throw new Error(`${file}: only addons for Linux and Windows can be looked at`);
}

const files = process.argv.length > 2 ? process.argv.slice(2) : [path.join(root, 'build', 'Release', 'addon.node')];
let passed = 0;
let failed = 0;
for (const file of files) {
  if (files.length > 1) console.log(`\n${path.relative(root, file)}`);
  const { groups, needs } = check(file);
  for (const [title, members, isAllowed] of groups) {
    const offending = members.filter((symbol) => !isAllowed(symbol));
    if (offending.length > 0) failed++;
    else passed++;
    const names = offending.map(({ name, version }) => (version ? `${name}@${version}` : name));
    const verdict = offending.length > 0 ? 'not ok' : 'ok';
    console.log(`${verdict} ${title} (${members.length} names)${names.map((n) => `\n  ${n}`).join('')}`);
  }
  console.log(`needs ${needs.join(' ')}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
