'use strict';
// compile-prebuild.js: what prebuildify calls instead of node-gyp: compiles the addon of one target into build/Release of
// the folder where it runs. This system's by node-gyp, as `build-native.js` does it for users; others by CMake and a cross
// compiler.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { hostName, root, targets } = require('./targets');

/** Small rather than fast: the time goes by in the kernel. And of everything only what is used. */
const compilerFlags =
  '-Os -DNDEBUG -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables';
const linkerFlags = '-Wl,--gc-sections';

function run(command, args, env = process.env) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', env, maxBuffer: 64 << 20 });
  if (status === 0) return;
  process.stderr.write(`${command} ${args.join(' ')}\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}\n`);
  process.exit(1);
}

/** The sources in a folder of their own, so that the developer's build stays as it is. */
function buildForHost() {
  for (const entry of ['binding.gyp', 'native', path.join('scripts', 'build-native.js')]) {
    fs.cpSync(path.join(root, entry), entry, { recursive: true, preserveTimestamps: true });
  }
  const { CXXFLAGS = '', LDFLAGS = '' } = process.env;
  // Others' linkers have other words for it, and drop what is not used by themselves.
  const [flags, link] = process.platform === 'linux' ? [compilerFlags, linkerFlags] : ['-Os', ''];
  const env = { ...process.env, CXXFLAGS: `${CXXFLAGS} ${flags}`, LDFLAGS: `${LDFLAGS} ${link}` };
  run(process.execPath, [path.resolve('scripts', 'build-native.js')], env);
}

function buildForOther({ toolchain, zig }) {
  if (zig !== undefined) process.env.FDLOOP_ZIG_PROCESSOR = zig;
  const ninja = spawnSync('ninja', ['--version']).status === 0 ? ['-G', 'Ninja'] : [];
  const options = [
    `-DCMAKE_TOOLCHAIN_FILE=${path.join(root, toolchain)}`,
    '-DCMAKE_BUILD_TYPE=Release',
    `-DCMAKE_CXX_FLAGS_RELEASE=${compilerFlags}`,
    `-DCMAKE_MODULE_LINKER_FLAGS=${linkerFlags}${zig === undefined ? '' : ' -s'}`,
  ];
  run('cmake', ['-S', root, '-B', 'cmake', ...ninja, ...options]);
  run('cmake', ['--build', 'cmake', '--target', 'addon']);
  fs.mkdirSync(path.join('build', 'Release'), { recursive: true });
  fs.copyFileSync(path.join('cmake', 'addon.node'), path.join('build', 'Release', 'addon.node'));
}

const name = process.env.FDLOOP_PREBUILD;
const target = targets.find((one) => one.name === name);
if (name === hostName()) buildForHost();
else buildForOther(target.cross);
