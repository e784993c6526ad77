'use strict';
// count-reporter.js: a jest reporter whose line `12 passed, 0 failed` is the very last of the run, so that a script (or a
// person) finds the result in one place. Used by jest.config.js; .ci/run adds these lines up.

const fs = require('node:fs');

/** Writes to a descriptor that may be a non-blocking pipe whose reader is slow. */
function writeAll(fd, text) {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(fd, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') return; // nobody reads any more
    }
  }
}

module.exports = class CountReporter {
  #line = '';

  constructor() {
    // Not in onRunComplete: jest still prints 'Ran all test suites' after it. Once, because watch mode completes many runs.
    process.once('exit', () => writeAll(1, this.#line));
  }

  onRunComplete(_contexts, results) {
    // A suite that could not run at all (a syntax error, a failed import) has no tests to count: it is one failure.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    this.#line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
  }
};
