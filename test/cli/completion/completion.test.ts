import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificates } from '../../../src/catalog/catalog.ts';
import { judge } from '../../support/judge.ts';
import { kubepkiInProcess } from '../../support/in-process.ts';
import { kubepki, kubepkiLine } from '../../support/kubepki.ts';
import { terminal } from '../../support/screen.ts';
import { fixturePath, temporaryDirectory } from '../../support/tree.ts';

const support = fileURLToPath(new URL('../../support/completion/', import.meta.url));
const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** Gives the words that a shell offers at the end of a line. */
type Complete = (line: string) => readonly string[];

/** Writes the script where this shell finds it, and kubepki into bin/ beside it. @returns its path, or undefined without that shell */
async function written(t: TestContext, shell: Shell): Promise<string | undefined> {
  if (judge(t, shell) === undefined) return undefined;
  const { stdout, stderr, code } = await kubepki(['completion', shell]);
  assert.deepEqual([stderr, code], ['', 0]);
  const directory = temporaryDirectory(t);
  const script = join(directory, '_kubepki');
  writeFileSync(script, stdout);
  mkdirSync(join(directory, 'bin'));
  writeFileSync(join(directory, 'bin/kubepki'), `#!/bin/sh\nexec ${kubepkiLine} "$@"\n`, { mode: 0o755 });
  return script;
}

async function completing(
  t: TestContext,
  shell: Shell,
  { zshMode = 'fpath', program }: { readonly zshMode?: 'fpath' | 'source'; readonly program?: string } = {},
): Promise<Complete | undefined> {
  const script = await written(t, shell);
  if (script === undefined) return undefined;
  const directory = join(script, '..');
  if (program !== undefined) writeFileSync(join(directory, 'bin/kubepki'), program);
  const commands: Record<Shell, (line: string) => readonly string[]> = {
    bash: (line) => ['bash', '--norc', join(support, 'capture.bash'), script, ...bashWords(line)],
    zsh: (line) => ['zsh', '-f', join(support, 'capture.zsh'), zshMode, directory, line],
    fish: (line) => ['fish', '--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', script, line],
  };
  return (line) => {
    const [command = '', ...args] = commands[shell](line);
    const { stdout, stderr, status } = spawnSync(command, args, {
      encoding: 'utf8',
      cwd: directory,
      env: { PATH: pathTo(script), HOME: directory, LANG: 'C.UTF-8', TERM: 'xterm' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    assert.deepEqual([stderr, status], ['', 0]);
    return stdout
      .split('\n')
      .filter((word) => word !== '')
      .map((word) => word.replace(/\t.*/, ''))
      .sort();
  };
}

function pathTo(script: string): string {
  return `${join(script, '../bin')}:/usr/local/bin:/usr/bin:/bin`;
}

function bashWords(line: string): readonly string[] {
  return line.split(' ').flatMap((word) => (word.startsWith('--') ? word.split(/(=)/) : [word]));
}

const names = certificates.map(({ name }) => name);

/** fish and zsh say a flag and its value as one word. */
const cases: readonly (readonly [string, readonly string[]])[] = [
  ['kubepki c', ['ca', 'certs', 'completion', 'csr']],
  ['kubepki certs re', ['recover', 'renew']],
  ['kubepki certs renew ', ['all', ...names, 'kubelet.conf'].sort()],
  ['kubepki certs install ', names],
  ['kubepki certs renew apiserver etcd-', names.filter((name) => name.startsWith('etcd-'))],
  ['kubepki certs renew etcd-server etcd-', ['etcd-healthcheck-client', 'etcd-peer']],
  ['kubepki certs generate k', ['kubeconfigs', 'kubelet.conf']],
  ['kubepki restart kube-s', ['kube-scheduler']],
  ['kubepki restart etcd kube-apiserver ', ['kube-controller-manager', 'kube-scheduler']],
  ['kubepki certs renew --cs', ['--csr-dir', '--csr-only']],
  // One that may be given again.
  ['kubepki certs renew --add-san a.example --add', ['--add-san']],
  // Given after a flag with a value, and that value is no command.
  ['kubepki certs --rootfs renew ro', ['rollback']],
  ['kubepki certs check-expiration -o ', ['json', 'jsonpath=', 'nagios', 'prometheus', 'text', 'yaml']],
  ['kubepki certs renew -o ', ['json', 'text', 'yaml']],
  ['kubepki certs renew --within ', []],
  ['kubepki certs check-expiration --show', []],
  ['kubepki certs nonsense', []],
  ['kubepki completion ', ['bash', 'fish', 'zsh']],
];

for (const shell of shells) {
  describe(`completion in ${shell}`, () => {
    test('the script has no syntax error', async (t) => {
      const script = await written(t, shell);
      if (script === undefined) return;
      execFileSync(shell, ['-n', script], { stdio: 'inherit' });
    });

    test('commands, flags, names and values', async (t) => {
      const complete = await completing(t, shell);
      if (complete === undefined) return;
      for (const [line, expected] of cases) {
        assert.deepEqual(complete(line), expected.toSorted(), line);
      }
    });

    test('the value of --output=', async (t) => {
      const complete = await completing(t, shell);
      if (complete === undefined) return;
      const words = complete('kubepki certs check-expiration --output=js');
      assert.deepEqual(
        words.map((word) => word.replace('--output=', '')),
        ['json', 'jsonpath='],
      );
    });
  });
}

/** What each shell would run, or look up, if it read such a word; none has a blank in it. */
const hostile = (file: string): readonly string[] => [
  `$(>${file})`,
  `\`>${file}\``,
  `(echo>${file})`,
  `;>${file}`,
  `"$(>${file})"`,
  `<(>${file})`,
  `$((x[$(>${file})]))`,
];

for (const shell of shells) {
  test(`${shell} evaluates nothing that was typed`, async (t) => {
    const complete = await completing(t, shell);
    if (complete === undefined) return;
    const file = join(temporaryDirectory(t), 'made');
    for (const word of hostile(file)) {
      for (const line of [
        `kubepki certs rollback --rootfs=${word} --cert-dir ${word} ${word}`,
        `kubepki certs renew ${word} --cert-dir ${word}`,
        `${word}/kubepki certs re`,
      ]) {
        complete(line);
        assert.equal(existsSync(file), false, line);
      }
    }
    // None that it could run, either.
    for (const program of ['./none/kubepki', '/none/kubepki', './_kubepki'])
      assert.deepEqual(complete(`${program} certs re`), [], program);
  });

  test(`${shell} offers nothing for a program that fails`, async (t) => {
    const program = '#!/bin/sh\necho renew\necho failed >&2\nexit 1\n';
    const complete = await completing(t, shell, { program });
    assert.deepEqual(complete?.('kubepki certs re'), complete && []);
  });
}

for (const shell of ['bash', 'zsh'] as const) {
  test(`${shell} waits five seconds for a program`, async (t) => {
    const program = '#!/bin/sh\necho renew\nexec sleep 60\n';
    const complete = await completing(t, shell, { program });
    const before = performance.now();
    assert.deepEqual(complete?.('kubepki certs re'), complete && []);
    assert.ok(performance.now() - before < 40_000);
  });
}

for (const shell of shells) {
  test(`${shell} asks the program that begins the line`, async (t) => {
    const complete = await completing(t, shell, { program: 'not this one' });
    if (complete === undefined) return;
    const directory = temporaryDirectory(t);
    const asked = join(directory, 'asked');
    writeFileSync(join(directory, 'kubepki'), `#!/bin/sh\nprintf '<%s>' "$@" >${asked}\n`, { mode: 0o755 });
    complete(`${directory}/kubepki certs --config '$HOME/*' `);
    assert.equal(readFileSync(asked, 'utf8'), '<__complete><certs><--config><$HOME/*><>');
  });
}

test('sourced, zsh completes too', async (t) => {
  const complete = await completing(t, 'zsh', { zshMode: 'source' });
  assert.deepEqual(complete?.('kubepki certs re'), complete && ['recover', 'renew']);
});

test('every flag that --help shows is offered, and no other', async (t) => {
  const bash = await completing(t, 'bash');
  const fish = await completing(t, 'fish');
  if (bash === undefined || fish === undefined) return;
  const certsCommands = bash('kubepki certs ');
  assert.ok(certsCommands.length > 8);
  const csrCommands = bash('kubepki csr ');
  assert.deepEqual(csrCommands, ['approve', 'deny', 'list']);
  const paths = [
    ...certsCommands.map((name) => ['certs', name]),
    ...csrCommands.map((name) => ['csr', name]),
    ...bash('kubepki ').map((name) => [name]),
  ];
  for (const path of paths) {
    const { stdout } = await kubepkiInProcess([...path, '--help']);
    const shown = [...stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm)].flatMap(([, short, long]) =>
      [short, long].filter((flag) => flag !== undefined),
    );
    // The help of a group does not repeat what the program itself takes.
    const isGroup = path.length === 1 && ['certs', 'ca', 'sa', 'csr'].includes(path[0] ?? '');
    const expected = (isGroup ? [...shown, '--rootfs'] : shown).sort();
    const line = `kubepki ${path.join(' ')} -`;
    assert.deepEqual(bash(line), expected, line);
    assert.deepEqual(fish(line), expected, line);
  }
});

test("what is accepted for kubeadm's command lines, without effect, is not in the help", async () => {
  const { stdout } = await kubepki(['certs', 'history', '--help']);
  assert.match(stdout, /--kubeconfig-dir <dir>/);
  assert.doesNotMatch(stdout, /--kubeconfig |__complete/);
  const root = fixturePath('stacked-etcd-rsa', '');
  const { stderr, code } = await kubepki(['certs', 'history', '--kubeconfig', '/none', '--rootfs', root]);
  assert.deepEqual([stderr.includes('error'), code], [false, 0]);
});

for (const shell of shells) {
  test(`the IDs of backups, in ${shell}`, async (t) => {
    const complete = await completing(t, shell);
    if (complete === undefined) return;
    const root = temporaryDirectory(t);
    const ids = ['2026-11-24T202750.009Z-4fd2e7', '2026-11-25T202752.216Z-4cd0c5'];
    const backups = (name: string): string => join(root, name, 'etc/kubernetes/pki/.kubepki/backups');
    for (const name of ['a', 'b']) {
      for (const id of ids) {
        mkdirSync(join(backups(name), id), { recursive: true });
        writeFileSync(join(backups(name), id, 'manifest.json'), '');
      }
      // One that is not complete, and what is not ours.
      mkdirSync(join(backups(name), '2026-11-26T000000.000Z-000000'));
      mkdirSync(join(backups(name), 'mine'));
      writeFileSync(join(backups(name), 'mine/manifest.json'), '');
    }
    symlinkSync('a/etc/kubernetes/pki', join(root, 'link'));
    const certDir = `${root}/a/etc/kubernetes/pki`;
    for (const [line, expected] of [
      [`kubepki certs rollback --cert-dir ${certDir} `, ids],
      [`kubepki certs rollback --cert-dir ${certDir} 2026-11-25`, ids.slice(1)],
      [`kubepki certs rollback --cert-dir=${certDir} 2`, ids],
      [`kubepki certs rollback --cert-dir ${root}/link 2`, ids],
      [`kubepki certs rollback --rootfs ${root}/a 2`, ids],
      [`kubepki certs rollback --rootfs=${root}/a 2`, ids],
      [`kubepki --rootfs ${root} certs rollback --cert-dir /a/etc/kubernetes/pki 2`, ids],
      [`kubepki certs rollback --rootfs ${root}/nothing 2`, []],
      [`kubepki certs rollback --rootfs ${root}/a ${ids[0] ?? ''} 2`, []],
      [`kubepki certs rollback --dry-run --rootfs ${root}/a -o js`, ['json']],
    ] as const) {
      assert.deepEqual(complete(line), expected, line);
    }
  });
}

for (const [shell, interactive] of [
  // Not --rcfile: bash may be built to read the machine's own file besides, and that may not stand -u.
  ['bash', () => 'bash --norc --noprofile -i -u'],
  ['zsh', (script: string) => `ZDOTDIR=${join(script, '..')} zsh -i`],
  ['fish', (script: string) => `fish --no-config -C 'source ${script}'`],
] as const) {
  const started = async (t: TestContext): Promise<ReturnType<typeof terminal>> => {
    const script = await written(t, shell);
    if (script === undefined) return undefined;
    writeFileSync(join(script, '..', '.zshrc'), `autoload -Uz compinit; compinit -u -D; source ${script}\n`);
    const shown = terminal(t, `PATH=${pathTo(script)} ${interactive(script)}`, { columns: 1000 });
    if (shell === 'bash') shown?.type(`source ${script}`, 'Enter');
    return shown;
  };

  test(`typed into an interactive ${shell}: files, directories, names`, async (t) => {
    const directory = temporaryDirectory(t);
    mkdirSync(join(directory, 'node 1'));
    writeFileSync(join(directory, 'node.yaml'), '');
    const shown = await started(t);
    if (shown === undefined) return;
    shown.type('kubepki certs ren', 'Tab', ` --config ${directory}/node.`, 'Tab');
    await shown.shows(/kubepki certs renew +--config \S*\/node\.yaml/);
    shown.type(` --cert-dir ${directory}/n`, 'Tab');
    await shown.shows(/--cert-dir '?\S*\/node\\? 1/);
  });

  test(`typed into an interactive ${shell}: a backup, of a path with a blank and a quote in it`, async (t) => {
    const directory = temporaryDirectory(t);
    const backup = join(directory, 'node 1/pki/.kubepki/backups/2026-11-24T202750.009Z-4fd2e7');
    mkdirSync(backup, { recursive: true });
    writeFileSync(join(backup, 'manifest.json'), '');
    const shown = await started(t);
    if (shown === undefined) return;
    shown.type(`kubepki certs rollback --cert-dir ${directory}/node\\ 1/'pki' 202`, 'Tab');
    await shown.shows(/'pki' 2026-11-24T202750\.009Z-4fd2e7/);
  });
}

for (const [what, args, message] of [
  ['an unknown shell', ['tcsh'], 'unknown shell "tcsh"'],
  ['no shell', [], 'no shell is named'],
] as const) {
  test(`${what} is a usage error that says which there are`, async () => {
    const { stdout, stderr, code } = await kubepki(['completion', ...args]);
    assert.deepEqual([stdout, code], ['', 1]);
    assert.equal(stderr, `error: ${message}\nhint: use kubepki completion bash, zsh or fish\n`);
  });
}
