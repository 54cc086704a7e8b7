/** Directories and files with odd names: they are found, and what a hint says can be pasted into a shell. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireSound, requireTidy, setState } from '../../faults/invariants.ts';
import { killedAfter } from '../../faults/killed.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, kubepkiLine, type Outcome } from '../../support/kubepki.ts';
import { runProgram, type ProgramOutcome } from '../../support/program.ts';
import { mayChown } from '../../support/root.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  snapshot,
  temporaryDirectory,
  type Tree,
} from '../../support/tree.ts';

const role = 'ipv6';
// Whatever a name holds, a hint quotes it: errors/shell-word.test.ts. Here it goes all the way, to files and to a shell.
const names: readonly (readonly [string, string])[] = [
  [
    'what a shell would take for more, and é in one character (NFC) and in two (NFD)',
    ` it's a "quoted" $HOME \`id\` \\ * %s ~ ; # & | caf\u00e9 cafe\u0301 `,
  ],
  [
    'a newline, an escape sequence, C1 controls and line separators',
    'two\nlines \u001b[31mred\u001b[m\u009b31m\u2028\u0085',
  ],
  ['a dash at its beginning', '-rf'],
  ['200 characters', 'x'.repeat(200)],
];

/** A node whose Kubernetes directory has another name, as seen from the directory that holds it. */
interface OddNode {
  readonly tree: Tree;
  /** The directory all commands run in. */
  readonly cwd: string;
  readonly flags: readonly string[];
}

function oddNode(t: TestContext, name: string): OddNode {
  const { directory, kubeconfigDir } = copyFixture(t, role);
  const odd = join(directory, name);
  renameSync(kubeconfigDir, odd);
  const certDir = join(odd, 'pki');
  return {
    tree: { directory, kubeconfigDir: odd, certDir },
    cwd: directory,
    flags: ['--cert-dir', `${name}/pki`],
  };
}

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

async function run({ cwd, flags }: OddNode, ...args: string[]): Promise<Outcome> {
  const outcome = await kubepki(['certs', ...args, ...flags], { cwd });
  assert.doesNotMatch(outcome.stdout + outcome.stderr, control, args.join(' '));
  return outcome;
}

/** Pastes a command line into a shell that finds kubepki on its PATH. */
function paste(t: TestContext, command: string, cwd: string): Promise<ProgramOutcome> {
  const bin = temporaryDirectory(t);
  writeFileSync(join(bin, 'kubepki'), `#!/bin/sh\nexec ${kubepkiLine} "$@"\n`);
  chmodSync(join(bin, 'kubepki'), 0o755);
  const script = 'cd "$1" && eval "$2"';
  return runProgram('/bin/sh', ['-c', script, 'sh', cwd, command], {
    PATH: `${bin}${delimiter}${process.env['PATH'] ?? '/usr/bin:/bin'}`,
  });
}

/** The command line a hint ends with. */
function hinted(output: string, before: RegExp): string {
  const [, command = ''] = new RegExp(`^${before.source}(kubepki certs .*)$`, 'm').exec(output) ?? [];
  assert.notEqual(command, '', output);
  return command;
}

describe('a directory whose name has', () => {
  for (const [what, name] of names) {
    test(`${what}: renewed; the pasted hint brings a killed run to an end, and another one renews the rest`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const node = oddNode(t, name);
      const { tree, cwd, flags } = node;
      const before = snapshot(tree.directory);
      const dry = await run(node, 'renew', 'all', '--dry-run');
      assert.deepEqual([dry.code, dry.stdout.match(/^ {2}\S.*$/gm)?.length], [0, 17], dry.stdout);

      killedAfter(strace, 2, ['certs', 'renew', 'all', ...flags], { cwd });
      const planned = await run(node, 'recover', '--dry-run');
      assert.equal(planned.code, 0, planned.stderr);
      const checked = await run(node, 'check-expiration');
      assert.equal(checked.code, 0);
      const pasted = await paste(t, hinted(checked.stderr, /warning: .*: /), cwd);
      assert.deepEqual([pasted.code, pasted.stdout], [0, 'recovered\n'], pasted.stderr);
      assert.doesNotMatch(pasted.stderr, control);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');

      const caKey = join(tree.certDir, 'front-proxy-ca.key');
      const key = readFileSync(caKey);
      writeFileSync(caKey, 'broken');
      const refused = await run(node, 'renew', 'all');
      assert.equal(refused.code, 1);
      const rest = await paste(
        t,
        hinted(refused.stderr, /hint: nothing was changed; to renew the rest: /),
        cwd,
      );
      assert.equal(rest.code, 0, rest.stderr);
      assert.equal(rest.stdout.match(/ renewed$/gm)?.length, 9);
      writeFileSync(caKey, key);

      const listed = await run(node, 'history');
      assert.equal(listed.stdout.split('\n').length, 4, listed.stdout);
      const unknown = await run(node, 'rollback', 'nothing');
      const history = await paste(t, hinted(unknown.stderr, /hint: /).replace(/ lists them$/, ''), cwd);
      assert.deepEqual([history.code, history.stdout], [0, listed.stdout]);
      assert.equal((await run(node, 'rollback')).code, 0);
      assert.equal((await run(node, 'rollback', '--dry-run')).code, 0);
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
      requireTidy(tree);
    });
  }

  test('é written in two ways is two directories', async (t) => {
    const node = oddNode(t, 'caf\u00e9');
    const other = join(node.tree.directory, 'cafe\u0301');
    cpSync(node.tree.kubeconfigDir, other, { recursive: true, preserveTimestamps: true });
    const before = snapshot(other);
    assert.equal((await run(node, 'renew', 'all')).code, 0);
    assert.deepEqual(changes(before, snapshot(other), { inodes: true }), []);
  });
});

describe('files that a kubeconfig names', () => {
  for (const [what, name] of names) {
    test(`with ${what} are renewed under that name`, async (t) => {
      const tree = copyFixture(t, 'kubeconfig-files');
      const users = join(tree.kubeconfigDir, 'users');
      for (const end of ['crt', 'key'])
        renameSync(join(users, `admin.${end}`), join(users, `${name}.${end}`));
      const path = join(tree.kubeconfigDir, 'admin.conf');
      const text = readFileSync(path, 'utf8').replace(/users\/admin\.(crt|key)/g, (_, end: string) =>
        JSON.stringify(`users/${name}.${end}`),
      );
      writeFileSync(path, text);
      const before = snapshot(tree.directory);
      const outcome = await kubepki(['certs', 'renew', 'admin.conf', '--rootfs', tree.directory]);
      assert.equal(outcome.code, 0, outcome.stderr);
      const shown = (end: string): string => `~ etc/kubernetes/users/${name}.${end} content`;
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [shown('crt'), shown('key')]);
    });
  }
});

test('a symlink to a name that is not UTF-8 is refused: it would be taken for another, and the old key kept', async (t) => {
  const tree = copyFixture(t, role);
  const link = join(tree.certDir, 'apiserver.key');
  const name = Buffer.from('caf\u00e9.key', 'latin1');
  renameSync(link, Buffer.concat([Buffer.from(`${tree.certDir}/`), name]));
  symlinkSync(name, link);
  const before = readdirSync(tree.certDir, 'buffer');
  for (const args of [['--dry-run'], []]) {
    const outcome = await kubepki(['certs', 'renew', 'all', ...args, '--rootfs', tree.directory]);
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.ok(
      outcome.stderr.startsWith(
        `error: ${link}: the symbolic link ${link} leads to a name that is not UTF-8 (so apiserver cannot be renewed)\nhint: `,
      ),
      outcome.stderr,
    );
    const after = readdirSync(tree.certDir, 'buffer').filter((one) => one.toString() !== '.kubepki');
    assert.deepEqual(after, before);
  }
});

test("the hint for somebody else's symlink can be pasted, whatever its name", async (t) => {
  if (!mayChown(t)) return;
  const node = oddNode(t, `it's\n\u001b[31m $HOME`);
  const { tree, cwd } = node;
  const link = join(tree.certDir, 'apiserver.key');
  mkdirSync(join(tree.directory, 'srv'));
  renameSync(link, join(tree.directory, 'srv/a.key'));
  symlinkSync('../../srv/a.key', link);
  lchownSync(link, 12345, 12345);
  const refused = await run(node, 'renew', 'apiserver');
  assert.equal(refused.code, 1);
  const command = /^hint: .*: (chown -h root .*)$/m.exec(refused.stderr)?.[1] ?? '';
  assert.equal((await paste(t, command, cwd)).code, 0, command);
  assert.equal((await run(node, 'renew', 'apiserver')).code, 0);
});
