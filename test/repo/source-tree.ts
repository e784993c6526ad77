// source-tree.ts: what the tests of this folder need to look at the repository's own files: listing, reading, imports.

import * as fs from 'node:fs';
import * as path from 'node:path';
import * as ts from 'typescript';

export const root = path.join(__dirname, '..', '..');

/** Files below a folder of the repository, as sorted paths with forward slashes from the root. Empty if there is no such folder. */
export function filesIn(folder: string, pattern: RegExp): string[] {
  const absolute = path.join(root, folder);
  if (!fs.existsSync(absolute)) return [];
  return fs
    .readdirSync(absolute, { withFileTypes: true })
    .flatMap((entry) => {
      const file = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesIn(file, pattern);
      return pattern.test(entry.name) ? [file] : [];
    })
    .sort();
}

export function exists(file: string): boolean {
  return fs.existsSync(path.join(root, file));
}

export function read(file: string): string {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

export interface Import {
  /** As written: './handle', '../base/errors', 'node:fs'. */
  specifier: string;
  /** Gone after compilation: `import type`, `import { type A }`, `export type`, `import('./a').A` in a type. */
  typeOnly: boolean;
  line: number;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  const clause = ts.isImportDeclaration(node) ? node.importClause : node;
  if (clause === undefined) return false; // import './a' is there for what it does
  const names = ts.isImportClause(clause) ? clause.namedBindings : clause.exportClause;
  const wholly = ts.isImportClause(clause) ? clause.phaseModifier === ts.SyntaxKind.TypeKeyword : clause.isTypeOnly;
  if (wholly) return true;
  if (ts.isImportClause(clause) && clause.name !== undefined) return false;
  if (names === undefined || !(ts.isNamedImports(names) || ts.isNamedExports(names))) return false;
  const elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[] = names.elements;
  return elements.length > 0 && elements.every((element) => element.isTypeOnly);
}

/** Every import, export from, require() and import() with a literal specifier. */
export function importsOf(file: string, text = read(file)): Import[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(specifier.getStart()).line + 1;
    found.push({ specifier: specifier.text, typeOnly, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, isTypeOnly(node));
    } else if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference)) {
      add(node.moduleReference.expression, node.isTypeOnly);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true);
    } else if (ts.isCallExpression(node)) {
      const { expression } = node;
      const isRequire = ts.isIdentifier(expression) && expression.text === 'require';
      if (isRequire || expression.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The file that a relative specifier means, or undefined for packages, built-ins and what is no TypeScript. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const target = path.posix.join(path.posix.dirname(from), specifier);
  const candidates = [`${target.replace(/\.js$/, '')}.ts`, `${target}/index.ts`];
  return candidates.find(exists);
}
