import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kubepkiInProcess } from '../../support/in-process.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import { judge } from '../../support/judge.ts';
import { edit, verifiedNode } from '../../support/planners/verified-node.ts';
import { mayChown } from '../../support/root.ts';
import { changes, snapshot, type Tree } from '../../support/tree.ts';
import { keyIdOf } from '../../support/cluster/token-bed.ts';

const everything =
  'api-servers,signers,controller-managers,secrets,refreshed-tokens,stale-tokens,extended-tokens';
const word = ['--offline', '--accept', everything];

function sa(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepkiInProcess(['sa', ...args, '--rootfs', tree.directory]);
}

async function done(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await sa(tree, ...args);
  assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.stderr}`);
  return outcome;
}

/** Nothing is written, and the file and the next step are named. */
async function refused(tree: Tree, what: RegExp, ...args: readonly string[]): Promise<void> {
  const before = snapshot(tree.directory);
  const { code, stderr, stdout } = await sa(tree, ...args);
  assert.deepEqual([stdout, code], ['', 1], stderr);
  assert.match(stderr, what);
  assert.match(stderr, /^hint: /m);
  assert.deepEqual(
    changes(before, snapshot(tree.directory)).filter((line) => !/\.kubepki(?:\/lock|\.lock)?\b/.test(line)),
    [],
  );
}

const keyIdIn = (tree: Tree): string => keyIdOf(createPublicKey(readFileSync(join(tree.certDir, 'sa.key'))));

describe('with --restart', () => {
  test('each stage restarts what reads its files, and nothing else', async (t) => {
    const pki = '/etc/kubernetes/pki';
    const node = await plane(t, {
      flags: () => ({
        'kube-apiserver': [
          `--service-account-key-file=${pki}/sa.pub`,
          `--service-account-signing-key-file=${pki}/sa.key`,
        ],
        'kube-controller-manager': [`--service-account-private-key-file=${pki}/sa.key`],
      }),
      prepare: (tree) => {
        edit(tree, 'etc/kubernetes/manifests/kube-controller-manager.yaml', (text) =>
          text.replace(/(?<=ath: \/etc\/kubernetes)\/controller-manager\.conf/g, ''),
        );
      },
    });
    if (node === undefined) return;
    const { tree, kubelet } = node;
    const kube = ['kube-apiserver.yaml', 'kube-controller-manager.yaml'];
    for (const [stage, restarted] of [
      ['trust', kube.slice(0, 1)],
      ['switch', kube],
      ['finish', kube.slice(0, 1)],
    ] as const) {
      const before = kubelet.starts.length;
      const { stdout } = await done(tree, 'rotate', stage, ...word, '--restart', ...quickly);
      assert.deepEqual(kubelet.starts.slice(before), restarted);
      for (const name of restarted)
        assert.match(stdout, new RegExp(`^${name.replace('.yaml', '')} restarted$`, 'm'));
    }
  });
});

describe('a hook', () => {
  test('is told which files and components it is about', async (t) => {
    const tree = verifiedNode(t);
    const out = join(tree.directory, 'hook');
    await done(tree, 'rotate', 'trust', '--offline');
    await done(tree, 'rotate', 'switch', ...word, '--deploy-hook', `env | grep ^KUBEPKI_ | sort > ${out}`);
    const told = readFileSync(out, 'utf8');
    assert.match(told, /^KUBEPKI_COMPONENTS=kube-apiserver kube-controller-manager$/m);
    assert.match(told, /sa\.key/);
    assert.doesNotMatch(told, /PRIVATE KEY/);
  });
});

describe('openssl', () => {
  test('finds in sa.pub the halves of both keys, the one that signs first', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const pub = (path: string): string =>
      execFileSync(openssl, ['pkey', '-in', path, '-pubout'], { encoding: 'utf8' });
    const path = (name: string): string => join(tree.certDir, name);
    const old = pub(path('sa.key'));
    await done(tree, 'rotate', 'trust', '--offline');
    const next = pub(path('.kubepki/token-key/next.key'));
    assert.equal(readFileSync(path('sa.pub'), 'utf8'), old + next);
    assert.equal(pub(path('sa.key')), old);
    await done(tree, 'rotate', 'switch', ...word);
    assert.equal(readFileSync(path('sa.pub'), 'utf8'), next + old);
    assert.deepEqual([pub(path('sa.key')), pub(path('.kubepki/token-key/old.key'))], [next, old]);
    await done(tree, 'rotate', 'finish', ...word);
    assert.equal(readFileSync(path('sa.pub'), 'utf8'), next);
    assert.match(
      execFileSync(openssl, ['pkey', '-in', path('sa.key'), '-noout', '-text'], { encoding: 'utf8' }),
      /2048 bit/,
    );
  });

  test('the new key is of the kind that the configuration names', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    writeFileSync(
      join(tree.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: ECDSA-P256\n',
    );
    await done(tree, 'rotate', 'trust', '--offline', '--config', '/kubeadm.yaml');
    const path = join(tree.certDir, '.kubepki/token-key/next.key');
    assert.match(
      execFileSync(openssl, ['pkey', '-in', path, '-noout', '-text'], { encoding: 'utf8' }),
      /prime256v1/,
    );
  });
});

describe('a sa.key that every user may read', () => {
  test('is told of before the new key is in it, with the command that mends it', async (t) => {
    const tree = verifiedNode(t);
    const key = join(tree.certDir, 'sa.key');
    chmodSync(key, 0o644);
    assert.doesNotMatch((await done(tree, 'rotate', 'trust', '--offline')).stderr, /every user/);
    const { stderr } = await done(tree, 'rotate', 'switch', ...word);
    assert.match(stderr, /^warning: \S+sa\.key: every user of this machine may read it, the new key too$/m);
    assert.ok(stderr.includes(`\nhint: chmod 0600 ${key}\n`));
  });
});

describe('sa status', () => {
  test('says that the cluster could not be asked, and not only with a stage under way', async (t) => {
    const tree = verifiedNode(t);
    const { stdout, stderr } = await done(tree, 'status');
    assert.match(stdout, /^stage: none$/m);
    assert.match(stderr, /^warning: the cluster could not be asked for all of it: \S+/);
    assert.equal((await done(tree, 'status', '--offline')).stderr, '');
  });
});

describe('a dry run', () => {
  test('says what a stage would do, names no key that is not made, and writes nothing', async (t) => {
    const tree = verifiedNode(t);
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'rotate', 'trust', '--offline', '--dry-run');
    assert.match(stdout, /^trust: tokens of the next key that is yet to be made will be taken for good; /);
    assert.match(stdout, /\nnothing was changed \(--dry-run\)\n$/);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });
});

describe('the document', () => {
  test('has a row for each half, and no key', async (t) => {
    const tree = verifiedNode(t);
    await done(tree, 'rotate', 'trust', '--offline');
    const { stdout } = await done(tree, 'rotate', 'switch', ...word, '-o', 'json');
    assert.doesNotMatch(stdout, /PRIVATE/);
    const document = JSON.parse(stdout) as {
      readonly command: string;
      readonly certificates: readonly { readonly name: string; readonly outcome: string }[];
      readonly restart: readonly string[];
    };
    assert.deepEqual(
      [
        document.command,
        document.certificates.map(({ name, outcome }) => `${name} ${outcome}`),
        document.restart,
      ],
      [
        'sa rotate switch',
        ['sa.key rotated', 'sa.pub rotated'],
        ['kube-apiserver', 'kube-controller-manager'],
      ],
    );
  });
});

describe('refused', () => {
  test('where the files or the manifests are such that it could not be right', async (t) => {
    const tree = verifiedNode(t);
    const manifest = 'etc/kubernetes/manifests/kube-apiserver.yaml';
    const key =
      (name: string): ((text: string) => string) =>
      (text) =>
        text.replace(/(--service-account-key-file=\S+\/)sa\.\w+/, `$1${name}`);
    edit(tree, manifest, key('sa.key'));
    await refused(
      tree,
      /kube-apiserver\.yaml: has the API server judge tokens by the private key/,
      'rotate',
      'trust',
      '--offline',
    );
    edit(tree, manifest, key('sa.pub'));
    const sound = readFileSync(join(tree.certDir, 'sa.pub'));
    writeFileSync(join(tree.certDir, 'sa.pub'), readFileSync(join(tree.certDir, 'ca.crt')));
    await refused(tree, /sa\.pub: does not hold the key of \S+sa\.key/, 'rotate', 'trust', '--offline');
    writeFileSync(join(tree.certDir, 'sa.pub'), sound);
    const directory = join(tree.kubeconfigDir, 'manifests');
    rmSync(directory, { recursive: true });
    await refused(
      tree,
      /^error: manifests: there is no manifest of kube-apiserver/,
      'rotate',
      'trust',
      '--offline',
    );
    await done(tree, 'rotate', 'trust', '--offline', '--accept', 'manifests');
  });

  test('where a flag has no meaning for export, which prints no document', async (t) => {
    const tree = verifiedNode(t);
    await done(tree, 'rotate', 'trust', '--offline');
    for (const [flags, what] of [
      [['-o', 'json'], /export prints no document/],
      [['--restart'], /--restart goes with trust, switch, finish/],
      [['--key', 'next.key'], /--key goes with trust/],
      [['--destroy-old-key', 'KID'], /--destroy-old-key goes with finish/],
    ] as const) {
      await refused(tree, what, 'rotate', 'export', '/next.sealed', ...flags);
    }
  });

  test('where a word is wanted, with the same command line and the word', async (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.kubeconfigDir, 'manifests'), { recursive: true });
    const flags = ['--offline', '--deploy-hook', 'true', '--keep-backups', '9'];
    const { code, stderr } = await sa(tree, 'rotate', 'trust', ...flags);
    assert.equal(code, 1);
    const hint = /on your word: (kubepki sa rotate trust .*)$/m.exec(stderr)?.[1] ?? '';
    assert.equal(
      hint,
      `kubepki sa rotate trust ${flags.join(' ')} --accept manifests --rootfs ${tree.directory}`,
    );
    assert.equal((await kubepkiInProcess(hint.split(' ').slice(1))).code, 0);
  });

  test('where a key was brought in the file of another user, who knows it', async (t) => {
    if (!mayChown(t)) return;
    const tree = verifiedNode(t);
    mkdirSync(join(tree.directory, 'root'));
    const file = join(tree.directory, 'root/next.key');
    writeFileSync(file, readFileSync(join(tree.certDir, 'ca.key')), { mode: 0o600 });
    chownSync(file, 1234, 1234);
    const trust = ['rotate', 'trust', '--offline', '--key', '/root/next.key'];
    await refused(tree, /next\.key: would be the next key, and belongs to uid 1234/, ...trust);
    chownSync(file, 0, 0);
    await done(tree, ...trust);
  });

  test('where a key was brought that is not the next one', async (t) => {
    const tree = verifiedNode(t);
    mkdirSync(join(tree.directory, 'root'));
    const file = join(tree.directory, 'root/next.key');
    const bring = (text: Buffer | string): void => {
      writeFileSync(file, text, { mode: 0o600 });
    };
    const trust = ['rotate', 'trust', '--offline', '--key', '/root/next.key'];
    await refused(tree, /next\.key: no such file/, ...trust);
    bring(readFileSync(join(tree.certDir, 'sa.pub')));
    await refused(tree, /next\.key: holds no private key/, ...trust);
    bring(readFileSync(join(tree.certDir, 'sa.key')));
    await refused(tree, /next\.key: holds the key that signs already/, ...trust);
    bring(readFileSync(join(tree.certDir, 'ca.key')));
    chmodSync(file, 0o644);
    const { stderr } = await done(tree, ...trust);
    assert.match(stderr, /^warning: \S+next\.key: others than its owner may read this private key$/m);
    bring(readFileSync(join(tree.certDir, 'etcd/ca.key')));
    await refused(
      tree,
      /next\.key: holds the key \S+, and \S+ is the next key of this node already/,
      ...trust,
    );
  });

  for (const [args, what] of [
    [['rotate', 'trsut'], /^error: unknown stage "trsut"\nhint: did you mean: kubepki sa rotate trust/],
    [['rotate', 'switch', '--key', '/x'], /^error: --key goes with trust$/m],
    [['rotate', '--restart'], /^error: --restart goes with trust, switch, finish$/m],
    [['rotate', 'trust', '--destroy-old-key', 'x'], /^error: --destroy-old-key goes with finish$/m],
    [['rotate', 'finish', '--accept', 'secret'], /^error: unknown condition "secret"$/m],
  ] as const) {
    test(args.join(' '), async (t) => {
      await refused(verifiedNode(t), what, ...args);
    });
  }
});

describe('--destroy-old-key', () => {
  test('destroys one key only, whose id was typed, and everything that would bring it back', async (t) => {
    const tree = verifiedNode(t);
    const old = keyIdIn(tree);
    const destroy = ['rotate', 'finish', ...word, '--destroy-old-key'];
    await refused(tree, /sa\.pub: holds the key \S+, which is in use/, ...destroy, old);
    await done(tree, 'rotate', 'trust', '--offline');
    await done(tree, 'rotate', 'switch', ...word);
    await refused(tree, /sa\.pub: holds the key \S+, which is in use/, ...destroy, old);
    await done(tree, 'rotate', 'finish', ...word);
    await refused(tree, /which is in use/, ...destroy, keyIdIn(tree));
    await refused(tree, /no key of the id nonsense is kept here/, ...destroy, 'nonsense');
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, ...destroy, old, '--dry-run');
    assert.match(stdout, /^would destroy the key /);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    await done(tree, ...destroy, old);
    const state = join(tree.certDir, '.kubepki');
    assert.deepEqual(readdirSync(join(state, 'token-key')), []);
    assert.equal(existsSync(join(state, 'backups')) && readdirSync(join(state, 'backups')).length > 0, false);
    const back = await kubepkiInProcess(['certs', 'rollback', '--rootfs', tree.directory]);
    assert.equal(back.code, 1);
    await refused(tree, /no key of the id \S+ is kept here/, ...destroy, old);
    // The next replacement begins with nothing of this one.
    await done(tree, 'rotate', 'trust', '--offline');
  });
});
