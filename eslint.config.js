import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { rooms, standardStreams } from './rooms.js';

const table = 'See the table in rooms.js.';

/** Of packages and node builtins, what the table has; of ours, dependency-cruiser says it. */
function restrictedImports(modules) {
  const whole = Object.keys(modules).map((name) => (name.startsWith('node:') ? name : `${name}(?:/.*)?`));
  const partly = Object.entries(modules).filter(([, allowed]) => allowed !== true);
  return [
    'error',
    {
      paths: partly.map(([name, allowImportNames]) => ({ name, allowImportNames, message: table })),
      patterns: [{ regex: `^(?!(?:${whole.join('|')})$)[^.]`, message: table }],
    },
  ];
}

const globals = ['process', 'console', 'performance', 'crypto', 'fetch', 'globalThis', 'global'];
const clock = 'Take `now` as an argument.';
const noBarrels = { selector: 'ExportAllDeclaration', message: 'No barrels: export where it is defined.' };

/** Time, chance and the outside world are arguments, but for the rooms that ask for them. */
function hermetic({ world = [], lazy = false }) {
  const known = world.includes('clock') ? [...world, 'performance'] : world;
  return {
    'no-restricted-globals': [
      'error',
      ...globals
        .filter((name) => !known.includes(name))
        .map((name) => ({ name, message: `Take what you need as an argument. ${table}` })),
    ],
    'no-restricted-properties': [
      'error',
      ...(world.includes('clock') ? [] : [{ object: 'Date', property: 'now', message: clock }]),
      { object: 'Math', property: 'random', message: 'Take chance as an argument.' },
    ],
    'no-restricted-syntax': [
      'error',
      noBarrels,
      ...(world.includes('clock')
        ? []
        : [
            { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clock },
            { selector: 'CallExpression[callee.name="Date"]', message: clock },
          ]),
      // The walls are checked on what is imported by name; no-restricted-imports sees no import that is called.
      lazy
        ? {
            selector: 'ImportExpression > :not(Literal[value=/^[.]/]).source',
            message: 'Lazily, files of ours.',
          }
        : { selector: 'ImportExpression', message: 'Import statically.' },
    ],
  };
}

/** What opens a file for writing; the descriptor functions that write are restricted as imports. */
const readOnly = [
  {
    selector: 'MemberExpression[property.name=/^O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)$/]',
    message: 'Only src/storage writes.',
  },
  {
    selector: 'CallExpression[callee.name="openSync"] > Literal.arguments:nth-child(2)',
    message: 'Open with constants.O_RDONLY | …: only src/storage writes.',
  },
];

function roomConfig(name, files, room, { writes = false } = {}) {
  const rules = hermetic(room);
  return {
    name: `room ${name}`,
    files,
    rules: {
      ...rules,
      'no-restricted-imports': restrictedImports(room.modules ?? {}),
      'no-restricted-syntax': [...rules['no-restricted-syntax'], ...(writes ? [] : readOnly)],
    },
  };
}

export default defineConfig(
  { ignores: ['dist/', 'fixtures/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' } },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
      ],
    },
  },
  roomConfig('without a row', ['src/**/*.ts'], {}),
  Object.entries(rooms).map(([name, room]) =>
    roomConfig(name, [`src/${name}/**/*.ts`], room, { writes: name === 'storage' }),
  ),
  roomConfig(
    'standard streams',
    [standardStreams.file],
    { ...rooms.terminal, modules: standardStreams.modules },
    { writes: true },
  ),
  {
    files: ['test/**/*.ts'],
    rules: {
      // The runner awaits what test() and describe() return.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    ignores: ['test/support/properties.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        { name: 'fast-check', message: 'Import it from test/support/properties.ts, which sets the seed.' },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
  {
    files: ['bin/**/*.js'],
    languageOptions: {
      sourceType: 'commonjs',
      globals: { require: 'readonly', __dirname: 'readonly', Buffer: 'readonly' },
    },
    rules: {
      '@typescript-eslint/no-require-imports': 'off',
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: 'It only starts dist/kubepki.cjs.' },
        {
          selector: 'CallExpression[callee.name="require"] > .arguments:not(Literal[value=/^node:/])',
          message: 'It only starts dist/kubepki.cjs.',
        },
      ],
    },
  },
);
