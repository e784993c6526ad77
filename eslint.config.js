'use strict';
// eslint.config.js: the rules that find mistakes. Layout is prettier's business, and taste is CONTRIBUTING.md's.
// TypeScript gets the rules that know types; scripts and examples in plain JavaScript only the general ones.

const tseslint = require('typescript-eslint');

/** Mistakes in any JavaScript. */
const general = {
  eqeqeq: ['error', 'always', { null: 'ignore' }],
  'for-direction': 'error',
  'no-async-promise-executor': 'error',
  'no-compare-neg-zero': 'error',
  'no-cond-assign': 'error',
  'no-constant-binary-expression': 'error',
  'no-constant-condition': ['error', { checkLoops: false }],
  'no-debugger': 'error',
  'no-dupe-else-if': 'error',
  'no-duplicate-case': 'error',
  'no-empty': ['error', { allowEmptyCatch: true }],
  'no-empty-pattern': 'error',
  'no-ex-assign': 'error',
  'no-fallthrough': 'error',
  'no-irregular-whitespace': 'error',
  'no-loss-of-precision': 'error',
  'no-prototype-builtins': 'error',
  'no-self-assign': 'error',
  'no-self-compare': 'error',
  'no-sparse-arrays': 'error',
  'no-template-curly-in-string': 'error',
  'no-unreachable-loop': 'error',
  'no-unsafe-finally': 'error',
  'no-unsafe-optional-chaining': 'error',
  'no-unused-labels': 'error',
  'no-unused-private-class-members': 'error',
  'no-useless-catch': 'error',
  'no-useless-escape': 'error',
  'no-var': 'error',
  'prefer-const': 'error',
  'use-isnan': 'error',
  'valid-typeof': 'error',
};

/** A name that starts with _ says that it is there for its place only. */
const unused = [
  'error',
  {
    argsIgnorePattern: '^_',
    varsIgnorePattern: '^_',
    caughtErrorsIgnorePattern: '^_',
    destructuredArrayIgnorePattern: '^_',
    ignoreRestSiblings: true,
  },
];

const typed = {
  '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
  '@typescript-eslint/no-explicit-any': 'warn',
  '@typescript-eslint/no-unused-vars': unused,
  // Promises only. A Future of ours is a thenable and may be dropped: the loop reports what nobody retrieved.
  '@typescript-eslint/no-floating-promises': ['error', { checkThenables: false, ignoreVoid: true }],
  // An async function is a fine callback: what it throws goes the road of unhandled rejections.
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
  '@typescript-eslint/restrict-template-expressions': [
    'error',
    { allowAny: true, allowBoolean: true, allowNullish: true, allowNumber: true },
  ],
  '@typescript-eslint/restrict-plus-operands': 'error',
  '@typescript-eslint/no-require-imports': ['error', { allow: ['\\.node$', '/package\\.json$'] }],
  '@typescript-eslint/no-import-type-side-effects': 'error',
  // `async` without `await` is how a task body that does not wait is written.
  '@typescript-eslint/require-await': 'off',
  // Thrown values of user code are carried through unchanged, whatever they are.
  '@typescript-eslint/only-throw-error': [
    'error',
    { allowThrowingAny: true, allowThrowingUnknown: true, allowRethrowing: true },
  ],
  '@typescript-eslint/prefer-promise-reject-errors': ['error', { allowThrowingAny: true, allowThrowingUnknown: true }],
  // Values of unknown type go into messages on purpose.
  '@typescript-eslint/no-base-to-string': 'off',
  // `string | unknown` documents more than `unknown` does.
  '@typescript-eslint/no-redundant-type-constituents': 'off',
  // Internals are generators that may end before they wait.
  'require-yield': 'off',
};

/** Tests and benchmarks reach into things on purpose and pass methods around to `expect`. */
const relaxed = {
  '@typescript-eslint/no-empty-function': 'off',
  '@typescript-eslint/no-require-imports': 'off',
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  '@typescript-eslint/only-throw-error': 'off',
  '@typescript-eslint/prefer-promise-reject-errors': 'off',
  '@typescript-eslint/restrict-template-expressions': 'off',
  '@typescript-eslint/unbound-method': 'off',
};

const nodeGlobals = Object.fromEntries(
  [
    ...['__dirname', '__filename', 'Buffer', 'console', 'process', 'performance', 'structuredClone', 'queueMicrotask'],
    ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'],
    ...['URL', 'TextEncoder', 'TextDecoder', 'AbortController', 'AbortSignal', 'Event', 'EventTarget'],
  ].map((name) => [name, 'readonly']),
);

module.exports = [
  {
    ignores: [
      'build*/',
      'dist/',
      'prebuilds/',
      'coverage/',
      'native/',
      'bench/build/',
      'bench/results/',
      'test/conformance/traces/',
    ],
  },
  { rules: general },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: nodeGlobals },
    rules: { 'no-undef': 'error', 'no-unused-vars': unused, strict: ['error', 'global'] },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { sourceType: 'module', globals: nodeGlobals },
    rules: { 'no-undef': 'error', 'no-unused-vars': unused },
  },
  ...tseslint.configs.recommendedTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: __dirname } },
    rules: typed,
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'], rules: relaxed },
  { files: ['bench/**/*.ts'], rules: { '@typescript-eslint/no-explicit-any': 'off' } },
];
