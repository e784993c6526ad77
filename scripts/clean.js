'use strict';
// clean.js: removes everything that a build, a coverage run or the prebuilds made. Dependencies stay.
// `node scripts/clean.js`, or `npm run clean`.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

for (const entry of fs.readdirSync(root, { withFileTypes: true })) {
  // build-* are the sanitizer, debug and CMake builds beside the usual one.
  if (entry.isDirectory() && /^(build(-.*)?|dist|prebuilds|coverage)$/.test(entry.name)) {
    fs.rmSync(path.join(root, entry.name), { recursive: true, force: true });
    console.log(`removed ${entry.name}/`);
  }
}
fs.rmSync(path.join(root, 'bench', 'build'), { recursive: true, force: true });
