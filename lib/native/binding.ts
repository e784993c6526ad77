// binding.ts: finds the compiled addon and loads it, once for each realm.

import * as path from 'node:path';

import { KeyError } from '../base/errors';
import type { NativeBinding } from './types';

function load(): { file: string; binding: NativeBinding } {
  const root = path.join(__dirname, '..', '..');
  const tried: string[] = [];
  // FDLOOP_ADDON names a file: sanitizer and cross builds are kept out of build/.
  const override = process.env.FDLOOP_ADDON;
  const candidates =
    override !== undefined && override !== ''
      ? [path.resolve(override)]
      : [
          path.join(root, 'build', 'Release', 'addon.node'),
          path.join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'addon.node'),
        ];
  for (const file of candidates) {
    try {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- an addon has no other way in
      return { file, binding: require(file) as NativeBinding };
    } catch (error) {
      tried.push(`${file}: ${(error as Error).message.split('\n')[0]}`);
    }
  }
  throw new KeyError(
    `fdloop has no compiled addon for ${process.platform}-${process.arch}. Build it with ` +
      `"node ${path.join(root, 'scripts', 'build-native.js')}". Tried: ${tried.join('; ')}`,
    'ERR_NO_ADDON',
  );
}

const loaded = load();

export const binding: NativeBinding = loaded.binding;

/** Where it was found: other threads load it from there. */
export const addonFile: string = loaded.file;
