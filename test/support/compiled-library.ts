// compiled-library.ts: the library as plain JavaScript in a folder of its own, and child processes that run it: for
// tests where a crash, an exit code or a whole process is what is looked at.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';

import { transformFileSync } from '@swc/core';

import { isWine } from './systems';

/** Milliseconds: less than jest gives a test, which is more under wine. */
const CHILD_TIMEOUT = isWine ? 110_000 : 12_000;

const root = path.join(__dirname, '..', '..');

function compile(folder: string): void {
  for (const name of readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { code } = transformFileSync(path.join(root, 'lib', name), {
      swcrc: false,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const target = path.join(folder, 'lib', name.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
}

/** How a child process ended. */
export interface ChildEnd {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ChildOptions {
  nodeOptions?: readonly string[];
  /** Called with every piece of the child's output, while it runs. */
  onOutput?: (text: string, child: ChildProcess) => void;
}

/** The compiled library, there while the tests of a file run. */
export class CompiledLibrary {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'fdloop-test-'));

  constructor() {
    compile(this.folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs a script in a Node process of its own. It finds `fdloop` (the public names), `lib(path)` (any module of lib/, which
   * is in `libraryFolder`) and `addon` (the native binding).
   */
  run(script: string, options: ChildOptions = {}): Promise<ChildEnd> {
    const child = spawn(process.execPath, [...(options.nodeOptions ?? []), '-e', `${this.#prelude()}\n${script}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // One that hangs is ended before the runner gives up on the test, and leaves nothing behind.
      timeout: CHILD_TIMEOUT,
      killSignal: 'SIGKILL',
    });
    const end: ChildEnd = { status: null, signal: null, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      end.stdout += text;
      options.onOutput?.(text, child);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      end.stderr += text;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => resolve({ ...end, status, signal }));
    });
  }

  /** Writes a script such as `run` takes to a file, for somebody else to start. @returns the file */
  script(source: string, file: string): string {
    writeFileSync(file, `${this.#prelude()}\n${source}`);
    return file;
  }

  #prelude(): string {
    return (
      `process.env.FDLOOP_ADDON = ${JSON.stringify(path.resolve(addonFile()))};` +
      `const libraryFolder = ${JSON.stringify(path.join(this.folder, 'lib') + path.sep)};` +
      `const lib = (name) => require(libraryFolder + name);` +
      // Read only where it is used: most scripts are about the addon.
      `Object.defineProperty(globalThis, 'fdloop', { get: () => lib('index') });` +
      `const addon = require(process.env.FDLOOP_ADDON);`
    );
  }
}

function addonFile(): string {
  return process.env.FDLOOP_ADDON ?? path.join(root, 'build', 'Release', 'addon.node');
}

/** Compiles before the first test of a file, and removes after the last. */
export function useCompiledLibrary(): Pick<CompiledLibrary, 'run' | 'script'> {
  let library: CompiledLibrary | null = null;
  beforeAll(() => {
    library = new CompiledLibrary();
  });
  afterAll(() => library?.remove());
  return {
    run: (script, options) => (library as CompiledLibrary).run(script, options),
    script: (source, file) => (library as CompiledLibrary).script(source, file),
  };
}
