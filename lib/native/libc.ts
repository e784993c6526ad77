// libc.ts: which C library this process runs on, where there are two.

import * as fs from 'node:fs';

/** Where a program's headers are, and with them almost always the path of its loader. */
const FIRST_PAGE = 4096;

/** The beginning of the running program as text; empty if it cannot be read. */
function beginningOfProgram(): string {
  const page = Buffer.alloc(FIRST_PAGE);
  try {
    const fd = fs.openSync(process.execPath, 'r');
    try {
      fs.readSync(fd, page, 0, FIRST_PAGE, 0);
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // A sandbox may forbid it. What was not read names no loader.
  }
  return page.toString('latin1');
}

/**
 * Whether this Linux process runs on musl. A program names its loader, and each C library has one of its own; only if that
 * says nothing Node is asked for a report, which takes some milliseconds.
 */
export function isMusl(): boolean {
  const loader = /\/ld(-musl)?-[\w-]+\.so\.\d/.exec(beginningOfProgram());
  if (loader !== null) return loader[1] !== undefined;
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  return report?.header !== undefined && report.header.glibcVersionRuntime === undefined;
}
