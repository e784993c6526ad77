// binding.ts: finds the compiled addon and loads it, once for each realm.
//
//   FDLOOP_ADDON                   a file: sanitizer and cross builds are kept out of build/
//   build/Release/addon.node       what was built from source, on this machine
//   prebuilds/<system>/addon.node  what the package brings along
//
// Every prebuilt file is asked for by a literal path, so that bundlers and packers see what belongs to the package.

import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { isMainThread } from 'node:worker_threads';

import { KeyError } from '../base/errors';
import { isMusl } from './libc';
import type { NativeBinding } from './types';

const root = path.join(__dirname, '..', '..');

interface Candidate {
  file: string;
  load(): NativeBinding;
}

/** A file whose name no bundler should look at. */
function ownBuild(file: string): Candidate {
  return { file, load: () => createRequire(__filename)(file) as NativeBinding };
}

// The name of a system is that of the folder in prebuilds/, and of the C library where there are two.
const prebuilt: Readonly<Record<string, () => NativeBinding>> = {
  'darwin-arm64': () => require('../../prebuilds/darwin-arm64/addon.node') as NativeBinding,
  'darwin-x64': () => require('../../prebuilds/darwin-x64/addon.node') as NativeBinding,
  'linux-arm-glibc': () => require('../../prebuilds/linux-arm/addon.glibc.node') as NativeBinding,
  'linux-arm64-glibc': () => require('../../prebuilds/linux-arm64/addon.glibc.node') as NativeBinding,
  'linux-arm64-musl': () => require('../../prebuilds/linux-arm64/addon.musl.node') as NativeBinding,
  'linux-x64-glibc': () => require('../../prebuilds/linux-x64/addon.glibc.node') as NativeBinding,
  'linux-x64-musl': () => require('../../prebuilds/linux-x64/addon.musl.node') as NativeBinding,
  'win32-arm64': () => require('../../prebuilds/win32-arm64/addon.node') as NativeBinding,
  'win32-x64': () => require('../../prebuilds/win32-x64/addon.node') as NativeBinding,
};

function candidates(folder: string, libc: string): Candidate[] {
  const override = process.env.FDLOOP_ADDON;
  if (override !== undefined && override !== '') return [ownBuild(path.resolve(override))];
  const found: Candidate[] = [];
  const built = path.join(root, 'build', 'Release', 'addon.node');
  if (fs.existsSync(built)) found.push(ownBuild(built));
  const load = prebuilt[libc === '' ? folder : `${folder}-${libc}`];
  const name = libc === '' ? 'addon.node' : `addon.${libc}.node`;
  if (load !== undefined) found.push({ file: path.join(root, 'prebuilds', folder, name), load });
  return found;
}

function load(): { file: string; binding: NativeBinding } {
  const folder = `${process.platform}-${process.arch}`;
  const libc = process.platform !== 'linux' ? '' : isMusl() ? 'musl' : 'glibc';
  const tried: string[] = [];
  for (const candidate of candidates(folder, libc)) {
    try {
      return { file: candidate.file, binding: candidate.load() };
    } catch (error) {
      tried.push(`${candidate.file}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  const system = libc === '' ? folder : `${folder} (${libc})`;
  const build = path.join(root, 'scripts', 'build-native.js');
  throw new KeyError(
    `fdloop has no compiled addon that works on ${system}. Build one from source: node ${JSON.stringify(build)}` +
      (tried.length === 0 ? '' : `. Tried: ${tried.join('; ')}`),
    'ERR_NO_ADDON',
  );
}

const loaded = load();

// Electron's main thread runs JavaScript outside of libuv's loop, which another thread waits for. In workers the loop is
// Node's own.
if (process.versions.electron !== undefined && isMainThread) loaded.binding.nudgeHost();

export const binding: NativeBinding = loaded.binding;

/** Where it was found: other threads load it from there. */
export const addonFile: string = loaded.file;
