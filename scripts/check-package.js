'use strict';
// check-package.js: `npm run check:package`: packs the package as it would be published, and looks at it as a user would.
//
//   npm run check:package                   what is in it, how big it is, its types, and whether it runs where it is installed
//   npm run check:package -- --all          and the compiled addon of every target has to be in it: before a release
//   npm run check:package -- --typescripts  and its types in the oldest and the newest TypeScript, from the npm registry

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { gzipSync } = require('node:zlib');

const { npm } = require('./kit');
const { hostName, isBuilt, root, targets } = require('./targets');

const MOST_BYTES = 1_000_000;
const OTHER_TYPESCRIPTS = ['5.9.3', '7.0.2'];
const all = process.argv.includes('--all');
const withTypeScripts = process.argv.includes('--typescripts');

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fdloop-package-'));
let passed = 0;
let failed = 0;

/** Counts a check. `problems` is empty if it went well. */
function report(title, problems) {
  if (problems.length === 0) passed += 1;
  else failed += 1;
  console.log(`${problems.length === 0 ? 'ok' : 'not ok'} ${title}`);
  for (const problem of problems) console.log(String(problem).replace(/^/gm, '    '));
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
}

/** Runs a program that must end well, and is told of if it does not. */
function reportRun(title, command, args, options) {
  const { status, stdout, stderr, error } = run(command, args, options);
  report(title, status === 0 ? [] : [`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trim()]);
}

function filesIn(directory) {
  return fs.readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(directory, entry.name);
    return entry.isDirectory() ? filesIn(full) : [full];
  });
}

/** @returns the packed file */
function pack() {
  npm(['pack', '--silent', '--pack-destination', folder], root);
  const [name] = fs.readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  return path.join(folder, name);
}

const wanted =
  /^(dist|native|prebuilds)\/|^scripts\/build-native\.js$|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
const unwanted =
  /(^|\/)(test|tests|node_modules)\/|\.(map|tsbuildinfo|log|pem|o|a)$|^dist\/(?!source\/).*(?<!\.d)\.ts$/;
const needed = [
  'LICENSE',
  'README.md',
  'dist/index.js',
  'dist/index.mjs',
  'dist/source/binding.gyp',
  'native/sources.gypi',
];

function checkContents(packed, names) {
  report('it has what it should have, and no tests, no maps, no sources of its JavaScript', [
    ...names.filter((name) => !wanted.test(name) || unwanted.test(name)).map((name) => `${name} does not belong there`),
    ...needed.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
  ]);
  const missing = targets.filter(({ file }) => !names.includes(file));
  const problems = missing.filter(({ name }) => all || name === hostName()).map(({ name }) => `${name} is missing`);
  report(`it has compiled addons (${targets.length - missing.length} of ${targets.length})`, problems);
  // What is not there yet counts as much as the biggest that is; mingw and Zig put libraries in that the release's do not have.
  const zigs = targets.filter((one) => isBuilt(one) && one.cross?.zig !== undefined && one.name !== hostName());
  const others = targets.filter((one) => isBuilt(one) && one.platform !== 'win32' && !zigs.includes(one));
  const estimated = missing.length + (all ? 0 : zigs.length);
  const without = fs.statSync(packed).size - (all ? 0 : zigs.map(gzipped).reduce((sum, bytes) => sum + bytes, 0));
  const bytes = without + estimated * Math.max(0, ...others.map(gzipped));
  const size = `${bytes} bytes${estimated > 0 ? `, ${estimated} addons of them estimated` : ''}`;
  report(`it is small (${size})`, bytes > MOST_BYTES ? [`more than ${MOST_BYTES}`] : []);
}

function gzipped({ file }) {
  return gzipSync(fs.readFileSync(path.join(root, file)), { level: 9 }).length;
}

/** A member of a class that begins with _ is this package's own. Modules beside the entry points may have such interfaces. */
function checkTypes(installed) {
  const internals = filesIn(path.join(installed, 'dist'))
    .filter((file) => /\.d\.ts$/.test(file))
    .flatMap((file) => {
      let isClass = false;
      return fs
        .readFileSync(file, 'utf8')
        .split('\n')
        .flatMap((line, index) => {
          if (/^\S/.test(line)) isClass = /\bclass\b/.test(line);
          const isMember = /^ +(?:(?:readonly|static|protected|abstract|get|set) )*_\w+[?(:<]/.test(line);
          if (!(isClass && isMember) && !line.includes('@internal')) return [];
          return [`${path.relative(installed, file)}:${index + 1} ${line.trim()}`];
        });
    });
  report('its types show no internal members', internals);
}

function checkAddons() {
  const files = targets
    .filter(isBuilt)
    .filter(({ platform, cross }) => platform === 'linux' || cross !== undefined)
    .map(({ file }) => path.join(root, file));
  if (files.length === 0) return;
  reportRun('its addons load on the oldest systems', process.execPath, [
    path.join(__dirname, 'check-addon.js'),
    ...files,
  ]);
}

/** A user's program in TypeScript, with every way to find modules that knows `exports`. */
function checkConsumer(tsc, version) {
  const source = fs.readFileSync(path.join(root, 'test', 'package', 'consumer.mts.txt'), 'utf8');
  fs.writeFileSync(path.join(folder, 'esm.mts'), source);
  fs.writeFileSync(path.join(folder, 'cjs.cts'), source);
  fs.writeFileSync(path.join(folder, 'bundled.ts'), source);
  const types = path.join(folder, 'node_modules', '@types');
  if (!fs.existsSync(types)) fs.symlinkSync(path.join(root, 'node_modules', '@types'), types);
  const undici = path.join(folder, 'node_modules', 'undici-types');
  if (!fs.existsSync(undici)) fs.symlinkSync(path.join(root, 'node_modules', 'undici-types'), undici);
  // The package's own types are checked too: no skipLibCheck.
  const common = ['--noEmit', '--strict', '--target', 'es2022', '--types', 'node'];
  for (const [kind, files, options] of [
    ['node16', ['esm.mts', 'cjs.cts'], ['--module', 'node16', '--moduleResolution', 'node16']],
    ['nodenext', ['esm.mts', 'cjs.cts'], ['--module', 'nodenext', '--moduleResolution', 'nodenext']],
    ['bundler', ['bundled.ts'], ['--module', 'esnext', '--moduleResolution', 'bundler']],
  ]) {
    const program = tsc.endsWith('.js') || !fs.existsSync(tsc) ? [process.execPath, [tsc]] : [tsc, []];
    reportRun(`TypeScript ${version} compiles a user's program, ${kind}`, program[0], [
      ...program[1],
      ...common,
      ...options,
      ...files,
    ]);
  }
}

function checkTypeScripts() {
  checkConsumer(path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), 'of this project');
  if (!withTypeScripts) return;
  for (const version of OTHER_TYPESCRIPTS) {
    const home = path.join(folder, `typescript-${version}`);
    fs.mkdirSync(home);
    fs.writeFileSync(path.join(home, 'package.json'), '{ "private": true }\n');
    npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', `typescript@${version}`], home);
    checkConsumer(path.join(home, 'node_modules', 'typescript', 'bin', 'tsc'), version);
  }
}

/** Where it is installed there is no compiler, nor anything else to build with. */
function checkPrograms() {
  for (const name of ['echo.js', 'echo.mjs']) {
    fs.copyFileSync(path.join(root, 'test', 'package', name), path.join(folder, name));
    reportRun(`it runs in an empty folder: ${name}`, process.execPath, [name], {
      env: { PATH: path.join(folder, 'nowhere') },
    });
  }
}

/** A system that there is no addon for. */
function checkUnknownSystem(installed) {
  const script = "Object.defineProperty(process, 'arch', { value: 'pdp11' }); require('fdloop')";
  const { stderr } = run(process.execPath, ['-e', script]);
  const command = `node ${JSON.stringify(path.join(fs.realpathSync(installed), 'scripts', 'build-native.js'))}`;
  const isGood = stderr.includes('ERR_NO_ADDON') && stderr.includes(command);
  report('on an unknown system it names the command that builds it', isGood ? [] : [stderr]);
}

try {
  const packed = pack();
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--silent', packed], folder);
  const installed = path.join(folder, 'node_modules', 'fdloop');
  const names = filesIn(installed).map((file) => path.relative(installed, file).split(path.sep).join('/'));
  checkContents(packed, names);
  checkTypes(installed);
  checkAddons();
  const bin = path.join(root, 'node_modules', '.bin');
  reportRun('publint has nothing to say', path.join(bin, 'publint'), ['run', '--strict', packed], {
    shell: process.platform === 'win32',
  });
  reportRun('are the types wrong? no', path.join(bin, 'attw'), ['--no-emoji', packed], {
    shell: process.platform === 'win32',
  });
  checkTypeScripts();
  checkPrograms();
  checkUnknownSystem(installed);
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
