// kit.ts: what the tests with real parts share.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

/** Fails with the name of what is missing, instead of in the middle of a test. */
export function needProgram(...names: string[]): void {
  const missing = names.filter((name) => {
    try {
      execFileSync('which', [name], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) throw new Error(`these tests need ${missing.join(', ')}`);
}

/** A folder that is there while a test file runs. */
export function useFolder(): { file(name: string): string } {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'fdloop-real-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { file: (name) => path.join(folder, name) };
}
