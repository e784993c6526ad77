// packaging.test.ts: what the package consists of is said in several places; here they agree. What is packed in the end is
// looked at by `npm run check:package`.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { exists, read, root } from './source-tree';

interface Target {
  name: string;
  file: string;
  cross?: { toolchain: string };
}

const { targets } = jest.requireActual<{ targets: Target[] }>('../../scripts/targets');
const manifest = JSON.parse(read('package.json')) as Record<string, never>;

test('the loader asks for the addon of every target by a literal path, and for no other', () => {
  const loader = read('lib/native/binding.ts');
  const cases = [...loader.matchAll(/case '([\w-]+)':\s+return require\('\.\.\/\.\.\/(prebuilds\/[^']+)'\)/g)];
  const asked = cases.map(([, name, file]) => ({ name, file }));
  expect(asked).toEqual(targets.map(({ name, file }) => ({ name, file })));
});

test('the release builds every target', () => {
  const workflow = read('.github/workflows/release.yml');
  const built = [...workflow.matchAll(/target: ([\w-]+)/g)].map(([, name]) => name);
  expect(built.sort()).toEqual(targets.map(({ name }) => name).sort());
});

test('every cross-compiled target has its toolchain file', () => {
  const missing = targets.flatMap(({ cross }) =>
    cross === undefined || exists(cross.toolchain) ? [] : cross.toolchain,
  );
  expect(missing).toEqual([]);
});

test('an install runs nothing and compiles nothing', () => {
  const { gypfile, scripts, files, dependencies } = manifest as Record<string, unknown>;
  expect(gypfile).toBe(false);
  expect(Object.keys(scripts as object).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([]);
  expect(files).not.toContain('binding.gyp');
  expect(dependencies).toEqual({});
});

test('versions of devDependencies are exact', () => {
  const versions = Object.entries((manifest as Record<string, unknown>).devDependencies as Record<string, string>);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

describe('check-addon', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'fdloop-addon-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A library that asks for what `code` asks for. */
  function checked(code: string): { status: number | null; stdout: string } {
    const source = path.join(folder, 'library.c');
    const library = path.join(folder, 'library.node');
    writeFileSync(source, code);
    const built = spawnSync('gcc', ['-shared', '-fPIC', '-o', library, source], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    return spawnSync(process.execPath, ['scripts/check-addon.js', library], { cwd: root, encoding: 'utf8' });
  }

  const testOnGlibc = process.platform === 'linux' && /x64|arm64/.test(process.arch) ? test : test.skip;

  testOnGlibc('accepts what every system of the floor has', () => {
    expect(checked('#include <unistd.h>\nint one(void) { return getpid(); }')).toMatchObject({ status: 0 });
  });

  testOnGlibc.each([
    [
      'a symbol of a newer glibc',
      '#include <sys/random.h>\n#include <stdlib.h>\nint one(void) { return (int)arc4random(); }',
      'arc4random@GLIBC_2.36',
    ],
    [
      'a libuv function that is not on the list',
      'void* uv_default_loop(void); void* one(void) { return uv_default_loop(); }',
      'uv_default_loop',
    ],
    [
      'external memory',
      'int napi_create_external_buffer(void); int one(void) { return napi_create_external_buffer(); }',
      'napi_create_external_buffer',
    ],
    ['a name of nobody', 'int stranger(void); int one(void) { return stranger(); }', 'stranger'],
  ])('refuses %s', (_title, code, name) => {
    const { status, stdout } = checked(code);
    expect(status).toBe(1);
    expect(stdout).toContain(`\n  ${name}`);
  });
});
