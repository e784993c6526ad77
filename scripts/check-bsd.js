'use strict';
// Compiles, without running anything, the sources of macOS and of the BSDs for those systems.
//
//  - The BSDs: with clang, against declarations of our own (native/test/bsd, native/test/kqueue) in front of this machine's C
//    library. That shows that the types of each system go together with what the sources make of them; it does not show
//    that the declarations are the system's.
//  - macOS: with Zig's clang, which brings Apple's headers with it: the whole addon is compiled and linked (`--mac`).

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { zig } = require('./kit');

const root = path.join(__dirname, '..');
const FLAGS = '-std=c++17 -fno-exceptions -fno-rtti -fvisibility=hidden -Wall -Wextra -Wshadow -Werror -Inative'.split(
  ' ',
);
const WRAPPING = ['NAPI_VERSION=8', 'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED', 'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS'];

const lists = JSON.parse(fs.readFileSync(path.join(root, 'native', 'sources.gypi'), 'utf8')).variables;
const core = [...lists.core_sources_common, ...lists.core_sources_posix, ...lists.core_sources_bsd];

const systems = [
  { target: 'x86_64-unknown-freebsd14', sources: [...core, ...lists.core_sources_freebsd] },
  { target: 'x86_64-unknown-netbsd', sources: [...core, ...lists.core_sources_openbsd] },
  { target: 'x86_64-unknown-netbsd', defines: ['FDLOOP_NETBSD_10'], sources: lists.core_sources_bsd },
  { target: 'x86_64-unknown-openbsd', sources: [...core, ...lists.core_sources_openbsd] },
];

let passed = 0;
let failed = 0;

/** One line for each file, and what the compiler said if it refused. */
function compile(title, command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (error?.code === 'ENOENT') {
    console.log(`not ok - ${title}\n  ${command} is not installed (Debian: apt-get install clang g++)`);
    failed++;
    return;
  }
  if (status === 0) passed++;
  else failed++;
  console.log(status === 0 ? `ok - ${title}` : `not ok - ${title}\n${stdout}${stderr}`);
}

/** Where this machine's compiler finds its C++ library and C library. */
function hostFolders() {
  const { stderr } = spawnSync('g++', ['-E', '-v', '-x', 'c++', '/dev/null'], { encoding: 'utf8' });
  const [, list = ''] = /#include <\.\.\.> search starts here:\n([\s\S]*?)End of search list/.exec(stderr ?? '') ?? [];
  // Not those that belong to g++ itself: clang has its own.
  return list
    .split('\n')
    .map((line) => line.trim())
    .filter((folder) => folder !== '' && !/\/lib\/gcc\//.test(folder));
}

function checkBsd() {
  const before = ['native/test/kqueue', 'native/test/bsd'];
  const folders = [...before, ...hostFolders()].flatMap((folder) => ['-isystem', folder]);
  for (const { target, sources, defines = [] } of systems) {
    const options = ['-target', target, '-nostdinc++', '-D_GNU_SOURCE', ...defines.map((name) => `-D${name}`)];
    for (const source of sources) {
      compile(`${target} ${source}`, 'clang++', [...options, ...FLAGS, ...folders, '-fsyntax-only', source]);
    }
  }
}

function checkMac() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-mac-'));
  try {
    const compiler = zig();
    const headers = ['node-api-headers', 'node-addon-api'].flatMap((name) => {
      const { include_dir: include } = require(name);
      return ['-isystem', path.resolve(root, include)];
    });
    const sources = [...lists.addon_sources, ...core, ...lists.core_sources_mac];
    for (const target of ['aarch64-macos.11.0', 'x86_64-macos.11.0']) {
      const options = ['c++', '-target', target, ...FLAGS, ...WRAPPING.map((name) => `-D${name}`), ...headers];
      const objects = sources.map((source, index) => path.join(folder, `${target}-${index}.o`));
      sources.forEach((source, index) => {
        compile(`${target} ${source}`, compiler, [...options, '-c', source, '-o', objects[index]]);
      });
      const link = ['-shared', '-undefined', 'dynamic_lookup', ...objects, '-o', path.join(folder, `${target}.node`)];
      compile(`${target} addon.node`, compiler, ['c++', '-target', target, ...link]);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv.includes('--mac')) checkMac();
else checkBsd();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
