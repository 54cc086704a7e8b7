/**
 * It runs as root, in whatever directory root stands in, which may be somebody else's: nothing there has a say in what runs.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { nodeOfCluster } from '../../support/cluster/node.ts';
import { judge } from '../../support/judge.ts';
import { isExecutable } from '../../support/kubepki.ts';
import { runProgram, type ProgramOutcome } from '../../support/program.ts';
import { mayChown } from '../../support/root.ts';
import { snapshot, temporaryDirectory } from '../../support/tree.ts';
import { copyProgram } from '../../support/machine/unprivileged.ts';

/** What package managers, runtimes and compilers look for where they stand. Each, if it were used, would leave a mark. */
function trap(t: TestContext): string {
  const directory = temporaryDirectory(t);
  const evil = join(directory, 'evil.js');
  const mark = `require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'mark'))}, 'was here');`;
  const settings = [
    ['NO_COLOR', '1'],
    ['FORCE_COLOR', '3'],
    ['KUBECONFIG', join(directory, 'kubeconfig')],
    ['HTTPS_PROXY', 'http://127.0.0.1:1'],
    ['NODE_OPTIONS', `--require=${evil}`],
    ['BUN_OPTIONS', `--preload=${evil}`],
    ['BUN_BE_BUN', '1'],
    ['BUN_INSPECT', '127.0.0.1:0'],
    ['PATH', directory],
  ];
  const environment = settings.map((setting) => `${setting.join('=')}\n`).join('');
  const packageJson = JSON.stringify({
    name: 'kubepki',
    version: '6.6.6',
    type: 'commonjs',
    main: './evil.js',
    imports: { '#*': './evil.js' },
    exports: './evil.js',
  });
  const files: Readonly<Record<string, string>> = {
    'evil.js': mark,
    'bunfig.toml': 'preload = ["./evil.js"]\n[run]\nbun = true\n[install]\nregistry = "http://127.0.0.1:1"\n',
    'package.json': packageJson,
    'tsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths: { '*': ['./evil.js'] } } }),
    'jsconfig.json': JSON.stringify({ compilerOptions: { baseUrl: '.', paths: { '*': ['./evil.js'] } } }),
    'node.config.json': JSON.stringify({ nodeOptions: { import: ['./evil.js'] } }),
    '.npmrc': 'registry=http://127.0.0.1:1\nnode-options=--require=./evil.js\n',
    'openssl.cnf': 'openssl_conf = nonsense\n',
    kubeconfig: 'nonsense',
  };
  for (const name of ['.env', '.env.local', '.env.production', '.env.development', '.env.test'])
    writeFileSync(join(directory, name), environment);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  for (const name of ['flock', 'getent', 'node', 'bun']) {
    writeFileSync(join(directory, name), `#!/bin/sh\ntouch '${join(directory, 'mark')}'\n`, { mode: 0o755 });
  }
  for (const name of ['commander', 'chalk', 'yaml', 'zod', 'node-forge', 'fs']) {
    mkdirSync(join(directory, 'node_modules', name), { recursive: true });
    writeFileSync(join(directory, 'node_modules', name, 'package.json'), packageJson);
    writeFileSync(join(directory, 'node_modules', name, 'evil.js'), mark);
  }
  // Anybody could have a part in it, but for what is in it already.
  chmodSync(directory, 0o777);
  return directory;
}

interface Traced extends ProgramOutcome {
  /** What of the directory was opened, run, or asked after; the directory itself does not count. */
  readonly touched: readonly string[];
}

/** Runs a command in a directory, and has strace say what it had to do with that. */
async function traced(
  t: TestContext,
  strace: string,
  directory: string,
  command: readonly string[],
): Promise<Traced> {
  const trace = join(temporaryDirectory(t), 'trace');
  const inside = 'cd "$1" && shift && exec "$@"';
  const outcome = await runProgram('/bin/sh', [
    ...['-c', inside, 'sh', directory],
    ...[strace, '-f', '-y', '-e', 'trace=%file', '-o', trace, ...command],
  ]);
  const text = readFileSync(trace, 'utf8');
  // The path as it was given, from where the call was made or from a descriptor; and what an opened one turned out to be.
  const given = [...text.matchAll(/\((?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"([^"]*)"/g)].map(
    ([, from, path = '']) => resolve(from ?? directory, path),
  );
  const opened = [...text.matchAll(/ = \d+<([^>]*)>$/gm)].map(([, path = '']) => path);
  const touched = [...given, ...opened].filter((path) => path.startsWith(`${directory}/`));
  return { ...outcome, touched: [...new Set(touched)].sort() };
}

test('strace shows what is opened, by whatever name', async (t) => {
  const strace = judge(t, 'strace');
  if (strace === undefined) return;
  const directory = trap(t);
  const reader = (path: string): readonly string[] => [process.execPath, '-e', `fs.readFileSync('${path}')`];
  for (const path of ['.env', './bunfig.toml', join(directory, 'evil.js'), 'not-there']) {
    const { touched } = await traced(t, strace, directory, reader(path));
    assert.deepEqual(touched, [resolve(directory, path)]);
  }
  const { touched } = await traced(t, strace, directory, [
    '/bin/sh',
    '-c',
    'cd node_modules && exec cat ../.env',
  ]);
  assert.ok(touched.includes(join(directory, '.env')));
});

const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--'];

const offline = ['--rootfs', 'TREE', '--at', '2027-01-01T00:00:00Z', '--offline'];
const forAnybody: readonly (readonly string[])[] = [
  ['version', '-o', 'json'],
  ['--help'],
  ['completion', 'bash'],
  ['certs', 'check-expiration', ...offline],
  ['certs', 'check-expiration', '-o', 'yaml', ...offline],
  ['certs', 'check-expiration', '-o', 'jsonpath={.kind}', ...offline],
];
const asking = ['--rootfs', 'TREE', '--kubeconfig', '/etc/kubernetes/admin.conf'];
const forRoot: typeof forAnybody = [
  ...forAnybody,
  ['certs', 'check-expiration', ...asking],
  ['certs', 'renew', 'all', '--rootfs', 'TREE'],
  ['certs', 'renew', 'all', ...asking],
];

for (const [who, commands] of [
  ['root', forRoot],
  ['nobody', forAnybody],
] as const) {
  describe(`in a directory full of traps, as ${who}`, () => {
    for (const args of commands) {
      test(args.join(' '), async (t) => {
        const strace = judge(t, 'strace');
        const setpriv = judge(t, 'setpriv');
        if (strace === undefined || setpriv === undefined || !mayChown(t)) return;
        const { tree } = await nodeOfCluster(t);
        for (const name of ['admin.conf', 'controller-manager.conf', 'scheduler.conf'])
          chmodSync(join(tree.kubeconfigDir, name), who === 'root' ? 0o600 : 0o644);
        const copy = temporaryDirectory(t);
        const dropping = who === 'root' ? [] : [setpriv, ...nobody];
        const words = args.map((word) => (word === 'TREE' ? tree.directory : word));
        const command = [...dropping, ...copyProgram(copy), ...words];
        chmodSync(copy, 0o755);
        const directory = trap(t);
        const traps = snapshot(directory);
        const { stdout, stderr, code, touched } = await traced(t, strace, directory, command);
        assert.deepEqual(touched, []);
        assert.deepEqual(snapshot(directory), traps);
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /Error/);
        // No colour, no other version.
        assert.ok(!stdout.includes('\u001b') && !stdout.includes('6.6.6'));
      });
    }
  });
}

/** A program that is one file may have been put there; a bundle has a package.json of its own beside it. */
if (isExecutable) {
  test('the executable itself stands in a directory full of traps', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const { tree } = await nodeOfCluster(t);
    const directory = trap(t);
    const [program = ''] = copyProgram(directory);
    const words = [`./${basename(program)}`, 'certs', 'renew', 'all', '--rootfs', tree.directory];
    const { stderr, code, touched } = await traced(t, strace, directory, words);
    assert.deepEqual(touched, [program]);
    assert.equal(existsSync(join(directory, 'mark')), false);
    assert.equal(code, 0, stderr);
  });
}
