// native.test.ts: each header of the outside stays in its room, and both builds compile what is on disk.

import { exists, filesIn, read } from './source-tree';

const files = filesIn('native', /\.(c|cc|cpp|h|hpp)$/);

/** The text without comments, so that an explanation may name what it warns of. Strings and line numbers stay. */
function codeOf(file: string): string {
  return read(file).replace(/\/\*[^]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'/g, (text) =>
    text.startsWith('/') ? text.replace(/[^\n]/g, ' ') : text,
  );
}

/** 'file:line text' for every line outside the allowed places that matches. */
function places(pattern: RegExp, isAllowed: (file: string) => boolean = () => false): string[] {
  return files
    .filter((file) => !isAllowed(file))
    .flatMap((file) =>
      codeOf(file)
        .split('\n')
        .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1} ${line.trim()}`] : [])),
    );
}

const inBridge = (file: string) => file.startsWith('native/bridge/');

test('Node-API headers are included in native/bridge and native/addon.cc only', () => {
  const allowed = (file: string) => inBridge(file) || file === 'native/addon.cc';
  expect(places(/#\s*include\s*[<"](napi|node_api|js_native_api)\b/, allowed)).toEqual([]);
});

test('libuv is known in native/bridge only, and to the file that compares our declarations with its header', () => {
  const allowed = (file: string) => inBridge(file) || file === 'native/test/uv_check.cc';
  expect(places(/#\s*include\s*[<"]uv(\/|\.h|_)|\buv_[a-z]\w*\s*\(/, allowed)).toEqual([]);
});

test('no file takes the default libuv loop, which is the wrong one in a worker', () => {
  expect(places(/\buv_default_loop\b/)).toEqual([]);
});

test('no file includes a header of V8 or of Node itself', () => {
  expect(places(/#\s*include\s*[<"](v8[\w-]*\.h|node(_buffer|_object_wrap|_version)?\.h|nan\.h)/)).toEqual([]);
});

// What native/test compiles is named by the build of the native tests, not by the addon's source list.
const hasList = exists('native/sources.gypi');
const sources = files.filter((file) => /\.(c|cc|cpp)$/.test(file) && !file.startsWith('native/test/'));

function listedSources(): string[] {
  const { variables } = JSON.parse(read('native/sources.gypi')) as { variables: Record<string, string[]> };
  const listed = Object.values(variables)
    .flat()
    .filter((file) => /\.(c|cc|cpp)$/.test(file))
    .map((file) => (file.startsWith('native/') ? file : `native/${file}`));
  return [...new Set(listed)].filter((file) => !file.startsWith('native/test/')).sort();
}

(hasList ? test : test.skip)('native/sources.gypi lists the source files that are on disk', () => {
  expect(listedSources()).toEqual(sources);
});

(hasList ? test : test.skip)('both builds read native/sources.gypi', () => {
  expect(['binding.gyp', 'CMakeLists.txt'].filter((file) => !read(file).includes('native/sources.gypi'))).toEqual([]);
});

test('the names of the socket constants in TypeScript are those of the native table', () => {
  const namesIn = (file: string, pattern: RegExp) => [...codeOf(file).matchAll(pattern)].map(([, name]) => name);
  const native = namesIn('native/socket/constants.cc', /^ *FDLOOP_ROW\((\w+)\)/gm);
  const typed = [...read('lib/sockets/constant-names.ts').matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name]) => name);
  expect(native.length).toBeGreaterThan(300);
  expect(typed).toEqual(native);
});
