'use strict';
// Formats native/**/*.{cc,h} with the clang-format of node_modules. `--check` changes nothing and fails if
// something would change.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

function* nativeFiles(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* nativeFiles(full);
    else if (/\.(cc|h)$/.test(entry.name)) yield path.relative(root, full);
  }
}

const formatter = require.resolve('clang-format/index.js', { paths: [root] });
const mode = process.argv.includes('--check') ? ['--dry-run', '--Werror'] : ['-i'];
const files = [...nativeFiles(path.join(root, 'native'))].sort();
const result = spawnSync(process.execPath, [formatter, '--style=file', ...mode, ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(result.status ?? 1);
