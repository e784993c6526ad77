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

import { RuntimeError } from '../base/errors';
import { isMusl } from './libc';
import type { NativeBinding } from './types';

const root = path.join(__dirname, '..', '..');
const override = process.env.FDLOOP_ADDON ?? '';

/** What the package has for a system; undefined if nothing, an error if it does not load. */
function loadPrebuilt(system: string): NativeBinding | Error | undefined {
  // Inside of `try`, bundlers accept that a file is missing: whoever ships for one system may leave the others out.
  try {
    switch (system) {
      case 'darwin-arm64':
        return require('../../prebuilds/darwin-arm64/addon.node') as NativeBinding;
      case 'darwin-x64':
        return require('../../prebuilds/darwin-x64/addon.node') as NativeBinding;
      case 'linux-arm-glibc':
        return require('../../prebuilds/linux-arm/addon.glibc.node') as NativeBinding;
      case 'linux-arm64-glibc':
        return require('../../prebuilds/linux-arm64/addon.glibc.node') as NativeBinding;
      case 'linux-arm64-musl':
        return require('../../prebuilds/linux-arm64/addon.musl.node') as NativeBinding;
      case 'linux-x64-glibc':
        return require('../../prebuilds/linux-x64/addon.glibc.node') as NativeBinding;
      case 'linux-x64-musl':
        return require('../../prebuilds/linux-x64/addon.musl.node') as NativeBinding;
      case 'win32-arm64':
        return require('../../prebuilds/win32-arm64/addon.node') as NativeBinding;
      case 'win32-x64':
        return require('../../prebuilds/win32-x64/addon.node') as NativeBinding;
      default:
        return undefined;
    }
  } catch (error) {
    return error as Error;
  }
}

/** A file whose name no bundler should look at. */
function loadFile(file: string): NativeBinding | Error {
  try {
    return createRequire(__filename)(file) as NativeBinding;
  } catch (error) {
    return error as Error;
  }
}

interface Attempt {
  file: string;
  result: NativeBinding | Error;
}

function* attempts(folder: string, libc: string): Generator<Attempt, void> {
  if (override !== '') {
    const file = path.resolve(override);
    yield { file, result: loadFile(file) };
    return;
  }
  const built = path.join(root, 'build', 'Release', 'addon.node');
  if (fs.existsSync(built)) yield { file: built, result: loadFile(built) };
  // The name of a system is that of the folder in prebuilds/, and of the C library where there are two.
  const result = loadPrebuilt(libc === '' ? folder : `${folder}-${libc}`);
  const name = libc === '' ? 'addon.node' : `addon.${libc}.node`;
  if (result !== undefined) yield { file: path.join(root, 'prebuilds', folder, name), result };
}

function load(): { file: string; binding: NativeBinding } {
  const folder = `${process.platform}-${process.arch}`;
  const libc = process.platform !== 'linux' ? '' : isMusl() ? 'musl' : 'glibc';
  const tried: string[] = [];
  for (const { file, result } of attempts(folder, libc)) {
    // An error may be one of another realm: test runners have realms of their own.
    if (!('message' in result)) return { file, binding: result };
    tried.push(`${file}: ${result.message.split('\n')[0]}`);
  }
  if (override !== '') throw new RuntimeError(`FDLOOP_ADDON names no addon that loads: ${tried[0]}`, 'ERR_NO_ADDON');
  const system = libc === '' ? folder : `${folder} (${libc})`;
  const build = path.join(root, 'scripts', 'build-native.js');
  throw new RuntimeError(
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
