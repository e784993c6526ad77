'use strict';
// kit.js: what several scripts do on the way to their own business.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

/** Runs npm without a shell, wherever it told us where it is. @returns its output @throws if it fails */
function npm(args, cwd) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  return execFileSync(command, [...first, ...args], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

/** A key with a certificate for localhost that signs itself, in one file. @returns the file */
function makeIdentity(folder) {
  const [key, certificate] = ['identity.key', 'identity.crt'].map((name) => path.join(folder, name));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-out', certificate], { stdio: 'ignore' });
  const identity = path.join(folder, 'identity.pem');
  fs.writeFileSync(identity, [key, certificate].map((file) => fs.readFileSync(file, 'utf8')).join(''));
  return identity;
}

module.exports = { makeIdentity, npm };
