import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Who may import what: the table of src/README.md as failing lint. A folder without a row may import nothing.
 *
 * - `rooms`: other rooms it may use
 * - `types`: rooms of which it may use types, and of their values only those named
 * - `modules`: packages and node builtins; `true` for all of it, a list for these names only
 *
 * src/cli has no row: it wires everything together, but leaves to the other rooms what is theirs.
 */
const rooms = {
  errors: {},
  catalog: {},
  filesystem: {
    rooms: ['errors'],
    modules: {
      'node:path': true,
      'node:fs': readingFunctions('openSync'),
      'node:crypto': ['createHash'],
      // Whose a file is, to the one who runs this.
      'node:process': ['geteuid'],
    },
  },
  changeset: { types: { filesystem: [] } },
  pki: {
    rooms: ['errors'],
    modules: { 'node:crypto': true, 'node-forge': true, 'node:util': ['promisify'], 'ipaddr.js': true },
  },
  yaml: { rooms: ['errors'], modules: { yaml: true } },
  kubeconfig: {
    rooms: ['errors', 'yaml'],
    // The nodes of a parsed document; parsing itself is bounded, and so is left to src/yaml.
    modules: {
      yaml: [
        'isAlias',
        'isMap',
        'isScalar',
        'isSeq',
        'visit',
        'Document',
        'Node',
        'Pair',
        'Scalar',
        'YAMLMap',
        // Of a document that we make ourselves.
        'stringify',
      ],
      'node:util': ['isDeepStrictEqual'],
    },
  },
  config: { rooms: ['errors', 'yaml'], modules: { zod: true, 'ipaddr.js': true, 'node:net': ['isIP'] } },
  jsonpath: { rooms: ['errors'], modules: { 'json-p3': true } },
  inventory: {
    // yaml: for the manifests of static pods.
    rooms: ['errors', 'filesystem', 'catalog', 'pki', 'yaml', 'kubeconfig'],
    types: { changeset: [] },
    modules: { 'node:path': true, 'node:fs': readingFunctions() },
  },
  operations: {
    rooms: ['errors', 'changeset', 'catalog', 'pki', 'kubeconfig'],
    types: { config: ['isDnsName'], inventory: ['findAuthority', 'isMissed'] },
    modules: { 'node:path': true, 'ipaddr.js': true, 'node:net': ['isIP'] },
  },
  storage: {
    rooms: ['errors', 'filesystem', 'changeset'],
    // For temporary names nobody can guess.
    modules: {
      'node:path': true,
      'node:fs': true,
      'node:crypto': ['randomBytes'],
      // For util-linux' flock: node has no call for the kernel's lock.
      'node:child_process': ['spawnSync'],
      // Whose the journal must be.
      'node:process': ['geteuid'],
    },
  },
  controlplane: {
    rooms: ['errors', 'catalog', 'storage', 'http'],
    types: { operations: [] },
    modules: { 'node:net': true, 'node:tls': true, 'node:url': ['urlToHttpOptions'] },
  },
  http: { modules: { 'node:http': true, 'node:https': true, 'node:stream': ['Duplex'] } },
  cluster: {
    rooms: ['errors', 'filesystem', 'http'],
    // What a decision needs to know of the cluster.
    types: { operations: [] },
    modules: {
      '@kubernetes/client-node': true,
      // The client's connection, made outside of it.
      'node:https': ['Agent'],
      'node:http': ['IncomingHttpHeaders'],
      'node:url': ['urlToHttpOptions'],
      'node:tls': ['createSecureContext', 'SecureContextOptions'],
      'node:net': ['isIP', 'LookupFunction'],
      // For getent: node's own look-up of a name cannot be called off.
      'node:child_process': ['execFile'],
    },
  },
  render: {
    rooms: ['errors'],
    types: { changeset: [], catalog: [], pki: [], kubeconfig: [], config: [], inventory: [], operations: [] },
    modules: { chalk: true, yaml: ['stringify'] },
  },
};

/** Without `openSync` nothing here can create or change a file. */
function readingFunctions(...more) {
  const functions = [
    'existsSync',
    'lstatSync',
    'readdirSync',
    'readFileSync',
    'readlinkSync',
    'realpathSync',
    'statSync',
  ];
  const onDescriptors = ['closeSync', 'fstatSync', 'readSync'];
  return [...functions, ...onDescriptors, ...more, 'constants', 'Stats', 'Dirent'];
}

function restrictedImports({ rooms: values = [], types = {}, modules = {} }, depth) {
  const message = 'This room may not import that: see the table in eslint.config.js.';
  const whole = Object.keys(modules).map((name) => (name.startsWith('node:') ? name : `${name}(?:/.*)?`));
  const partly = Object.entries(modules).filter(([, allowed]) => allowed !== true);
  // From src/pki/deeper/file.ts, `../` is still the same room.
  const out = `^(?:\\.\\./){${String(depth + 1)}}`;
  return [
    'error',
    {
      paths: partly.map(([name, allowImportNames]) => ({ name, allowImportNames, message })),
      patterns: [
        { regex: `^(?!(?:${whole.join('|')})$)[^.]`, message },
        { regex: `${out}(?!(?:${[...values, ...Object.keys(types)].join('|')})/[^.])`, message },
        // A detour (`./../pki/x.ts`, `../errors/../pki/x.ts`) would pass by the line above.
        { regex: '(?:^\\.|[^.])/\\.\\.(?:/|$)', message: 'Write the shortest relative path.' },
        ...Object.entries(types).map(([room, names]) => ({
          regex: `${out}${room}/`,
          allowTypeImports: true,
          ...(names.length === 0 ? {} : { allowImportNames: names }),
          message,
        })),
      ],
    },
  ];
}

const noBarrels = { selector: 'ExportAllDeclaration', message: 'No barrels: export where it is defined.' };

/** Time, chance and the outside world are arguments: only src/cli asks for them. */
const hermetic = {
  'no-restricted-globals': [
    'error',
    ...['process', 'console', 'performance', 'crypto', 'fetch', 'globalThis', 'global'].map((name) => ({
      name,
      message: 'Only src/cli touches the outside world; take what you need as an argument.',
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take `now` as an argument.' },
    { object: 'Math', property: 'random', message: 'Take chance as an argument.' },
  ],
  'no-restricted-syntax': [
    'error',
    noBarrels,
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'Take `now` as an argument.',
    },
    { selector: 'CallExpression[callee.name="Date"]', message: 'Take `now` as an argument.' },
    // no-restricted-imports does not see these.
    {
      selector: 'ImportExpression',
      message: 'Import statically: the rooms are checked on import declarations.',
    },
  ],
};

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

/** What has its one importer elsewhere. */
const othersModules = '^(?:node:crypto|node-forge|yaml|zod|json-p3|@kubernetes/client-node|chalk)(?:/|$)';

function roomConfig(name, room, files, depth) {
  const [severity, ...syntax] = hermetic['no-restricted-syntax'];
  return {
    name: `room ${name}`,
    files,
    rules: {
      ...hermetic,
      'no-restricted-imports': restrictedImports(room, depth),
      'no-restricted-syntax': [severity, ...syntax, ...(name === 'storage' ? [] : readOnly)],
    },
  };
}

/** @param functions of node:fs that it may use, besides those that read */
function cliImports(...functions) {
  return [
    'error',
    {
      paths: [{ name: 'node:fs', allowImportNames: readingFunctions(...functions) }],
      patterns: [
        { regex: othersModules, message: 'See the table in eslint.config.js.' },
        { regex: '^node:fs/', message: 'Only src/storage writes.' },
      ],
    },
  ];
}

/** @param writing what is restricted of what writes */
function cliSyntax(writing) {
  return [
    'error',
    noBarrels,
    ...writing,
    {
      selector: `ImportExpression > Literal[value=/${othersModules.replaceAll('/', '\\u002f')}/]`,
      message: 'See the table in eslint.config.js.',
    },
  ];
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
  roomConfig('without a row', {}, ['src/**/*.ts'], 0),
  Object.entries(rooms).flatMap(([name, room]) => [
    roomConfig(name, room, [`src/${name}/*.ts`], 0),
    roomConfig(name, room, [`src/${name}/*/*.ts`], 1),
  ]),
  {
    files: ['src/cli/**/*.ts'],
    rules: {
      'no-restricted-imports': cliImports(),
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': cliSyntax(readOnly),
    },
  },
  {
    // Standard output and error.
    files: ['src/cli/standard-streams.ts'],
    rules: {
      'no-restricted-imports': cliImports('openSync', 'writeSync'),
      'no-restricted-syntax': cliSyntax([]),
    },
  },
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
