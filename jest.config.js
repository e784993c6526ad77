'use strict';
// jest.config.js: how `npm test` runs. TypeScript goes through swc (no type check here: that is `npm run typecheck`), with
// async functions left native, because the order of microtasks is part of what is tested, and class fields as in tsconfig.json.

const fs = require('node:fs');
const path = require('node:path');

// `npm run test:slow`, said this way because `NAME=value command` is no shell syntax on Windows. Workers inherit it.
if (process.env.npm_lifecycle_event === 'test:slow') process.env.FDLOOP_SLOW = '1';

// `npm run test:real` needs root and programs of the system: it is a verb of its own.
const real = process.env.npm_lifecycle_event === 'test:real';

const setup = 'test/support/setup.ts';

module.exports = {
  roots: ['<rootDir>/lib', '<rootDir>/test'],
  testMatch: [real ? '<rootDir>/test/real/*.test.ts' : '<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: real ? [] : ['<rootDir>/test/real/'],
  testEnvironment: 'node',
  testTimeout: process.env.FDLOOP_SLOW ? 120_000 : 15_000,
  setupFilesAfterEnv: fs.existsSync(path.join(__dirname, setup)) ? [`<rootDir>/${setup}`] : [],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { target: 'es2022', parser: { syntax: 'typescript' }, transform: { useDefineForClassFields: false } },
        module: { type: 'commonjs' },
      },
    ],
  },
  reporters: ['default', '<rootDir>/scripts/count-reporter.js'],
  coverageProvider: 'v8',
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['lib/**/*.ts'],
};
