/**
 * The rooms of src/ from the lowest up, and what each may import: the table of src/README.md as failing lint. dependency-cruiser holds the
 * rooms to it, and ESLint holds them to what they may know of the world outside. A folder without a row may import nothing.
 *
 * - `rooms`: rooms of which it may use everything
 * - `types`: rooms of which it may use types
 * - `files`: files elsewhere of which it may use everything
 * - `modules`: packages and node builtins; `true` for all of it, a list for these names only
 * - `world`: of the world outside, what it may ask for; the others take it as an argument
 * - `lazy`: what it does not need at once is imported when it is called
 */
const below = {
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
  changeset: { rooms: ['filesystem'] },
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
    types: ['changeset'],
    modules: { 'node:path': true, 'node:fs': readingFunctions() },
  },
  operations: {
    rooms: ['errors', 'changeset', 'catalog', 'pki', 'kubeconfig'],
    types: ['config', 'inventory'],
    files: ['src/config/host-names.ts', 'src/inventory/look-ups.ts'],
    modules: { 'node:path': true, 'ipaddr.js': true, 'node:net': ['isIP'] },
  },
  storage: {
    rooms: ['errors', 'filesystem', 'changeset'],
    // What the plan of a rotation is: it is kept here, and decided there.
    files: ['src/operations/rotation/plan.ts'],
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
  transfer: {
    rooms: ['errors', 'pki', 'operations'],
    // What a plan looks like is said in one place.
    files: ['src/storage/rotation-plan.ts'],
    modules: { 'tar/header': true },
  },
  http: { modules: { 'node:http': true, 'node:https': true, 'node:stream': ['Duplex'] } },
  controlplane: {
    rooms: ['errors', 'catalog', 'storage', 'http'],
    types: ['operations'],
    modules: { 'node:net': true, 'node:tls': true, 'node:url': ['urlToHttpOptions'] },
  },
  cluster: {
    rooms: ['errors', 'filesystem', 'http'],
    // What a decision needs to know of the cluster.
    types: ['operations'],
    modules: {
      // What an answer has to be.
      zod: true,
      // What connections are made by; http asks.
      'node:https': ['Agent'],
      'node:url': ['urlToHttpOptions'],
      'node:tls': ['createSecureContext', 'SecureContextOptions'],
      'node:net': ['isIP', 'LookupFunction'],
      // For getent: node's own look-up of a name cannot be called off.
      'node:child_process': ['execFile'],
    },
  },
  // What other nodes have printed.
  documents: {
    rooms: ['errors'],
    types: ['operations'],
    // What is not seen is taken out as it is read.
    files: ['src/operations/rotation/plan.ts', 'src/render/printable.ts'],
    modules: { zod: true },
  },
  render: {
    rooms: ['errors'],
    types: ['changeset', 'catalog', 'pki', 'kubeconfig', 'config', 'inventory', 'operations'],
    modules: { chalk: true, yaml: ['stringify'] },
  },
};

/** The top floor, where a command line becomes a run: the rooms that know the person, the process and the clock. */
const topFloor = {
  terminal: {
    rooms: ['errors', 'filesystem', 'render', 'operations'],
    modules: {
      'node:events': ['once'],
      'node:readline': ['createInterface'],
      chalk: true,
      'cli-table3': true,
      'string-width': true,
    },
    world: ['process', 'clock'],
    lazy: true,
  },
  flags: {
    rooms: ['errors', 'catalog', 'config', 'operations'],
    types: ['render'],
    modules: { commander: true },
    world: ['process'],
    lazy: true,
  },
  node: {
    rooms: [
      ...['errors', 'catalog', 'filesystem', 'kubeconfig', 'config', 'inventory', 'operations', 'storage'],
      ...['cluster', 'controlplane', 'documents', 'pki', 'terminal', 'flags'],
    ],
    // A file of a rotation, as the target of a change.
    types: ['changeset'],
    modules: { 'node:path': true, 'node:fs': ['statSync'], 'node:os': ['hostname', 'networkInterfaces'] },
    world: ['process'],
    lazy: true,
  },
  change: {
    rooms: [
      ...[
        'errors',
        'catalog',
        'filesystem',
        'changeset',
        'pki',
        'config',
        'inventory',
        'operations',
        'storage',
      ],
      ...['controlplane', 'render', 'terminal', 'node', 'flags'],
    ],
    modules: {
      'node:path': true,
      'node:fs': readingFunctions(),
      'node:os': ['userInfo'],
      'node:timers/promises': true,
      // For the deploy hook.
      'node:child_process': ['spawn', 'ChildProcess'],
    },
    world: ['process', 'clock'],
    lazy: true,
  },
  commands: {
    rooms: [
      ...[
        'errors',
        'catalog',
        'filesystem',
        'changeset',
        'pki',
        'config',
        'jsonpath',
        'inventory',
        'operations',
      ],
      ...[
        'storage',
        'transfer',
        'controlplane',
        'cluster',
        'documents',
        'render',
        'terminal',
        'node',
        'flags',
      ],
      'change',
    ],
    // For the version.
    files: ['package.json'],
    modules: {
      commander: true,
      'node:path': true,
      // Where the program is, for a unit.
      'node:fs': ['realpathSync'],
      'node:os': ['hostname'],
      'node:timers/promises': true,
      'node:v8': ['setFlagsFromString'],
    },
    world: ['process', 'clock'],
    lazy: true,
  },
  cli: {
    rooms: ['errors', 'filesystem', 'render', 'terminal', 'flags', 'commands'],
    modules: { commander: true },
    world: ['process'],
    lazy: true,
  },
};

export const rooms = { ...below, ...topFloor };
export const topFloorRooms = Object.keys(topFloor);

/** Standard output and error are written here, and nothing else. */
export const standardStreams = {
  file: 'src/terminal/standard-streams.ts',
  modules: { 'node:fs': readingFunctions('writeSync') },
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
