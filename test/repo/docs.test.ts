// docs.test.ts: the pages for readers speak of files that are there.

import * as path from 'node:path';
import { exists, filesIn, read } from './source-tree';

const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].filter(exists),
  ...filesIn('docs', /\.md$/),
];

// Folders whose contents are checked in; what a build makes (dist/, build/) comes and goes.
const repoPath = /^(?:native|lib|test|bench|docs|examples|scripts|\.ci|\.github)\/[\w./-]*$/;

const withoutFences = (text: string) => text.replace(/^(```|~~~)[^]*?^\1/gm, (block) => block.replace(/[^\n]/g, ''));

/** `text` in single backticks, with a trailing :12, #name or / taken off. */
function mentions(text: string): string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code.replace(/(:\d+|#.*)$/, '').replace(/\/$/, ''))
    .filter((code) => repoPath.test(code) || repoPath.test(`${code}/`));
}

/** Targets of relative Markdown links, from the root. */
function links(page: string, text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target.replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => path.posix.join(path.posix.dirname(page), target));
}

test('paths in backticks lead to a file', () => {
  const lost = pages.flatMap((page) =>
    mentions(withoutFences(read(page)))
      .filter((file) => !exists(file))
      .map((file) => `${page}: ${file}`),
  );
  expect(lost).toEqual([]);
});

test('relative links lead to a file', () => {
  const lost = pages.flatMap((page) =>
    links(page, withoutFences(read(page)))
      .filter((file) => !exists(file))
      .map((file) => `${page}: ${file}`),
  );
  expect(lost).toEqual([]);
});
