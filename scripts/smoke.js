'use strict';
// smoke.js: `npm run smoke`: every case of test/package/smoke.js on the package in this folder, as it would be published: with
// the addon in prebuilds/, by the runtime that runs this script. `npm run matrix` does so for all runtimes.

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const { identity } = require('./kit');
const { hostName, isBuilt, root, targets } = require('./targets');

const CASE_TIMEOUT = 60_000;
const smoke = path.join(root, 'test', 'package', 'smoke.js');

function run(args, env) {
  return spawnSync(process.execPath, args, { encoding: 'utf8', env, timeout: CASE_TIMEOUT, killSignal: 'SIGKILL' });
}

const host = targets.find(({ name }) => name === hostName());
if (host === undefined || !isBuilt(host)) {
  console.error(`there is no addon for ${hostName()} in prebuilds/: npm run prebuilds`);
  process.exit(1);
}
const env = { ...process.env, FDLOOP: root, FDLOOP_ADDON: path.join(root, host.file), TLS_IDENTITY: identity };
let failed = 0;
const names = run([smoke], env).stdout.trim().split('\n');
for (const name of names) {
  const { status, signal, stdout, stderr } = run([smoke, name], env);
  const isGood = status === 0 && stdout.trimEnd().endsWith('ok');
  if (!isGood) failed += 1;
  console.log(
    isGood ? `ok ${name}` : `not ok ${name}: ${signal ?? status}\n${`${stdout}${stderr}`.replace(/^/gm, '    ')}`,
  );
}
console.log(`${names.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
