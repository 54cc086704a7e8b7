import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  changeDocument,
  entry,
  factsOf,
  outcomes,
  type ChangeDocument,
} from '../../support/change-document.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { leafFile, leafFiles } from '../../support/certificates/certificates.ts';
import { judge } from '../../support/judge.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { shortenCa, treeEnding } from '../../support/certificates/short-lived.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  fixturePath,
  snapshot,
  temporaryDirectory,
  type Snapshot,
  type Tree,
} from '../../support/tree.ts';

async function changed(tree: Tree, ...args: readonly string[]): Promise<ChangeDocument> {
  return changeDocument((await done(tree, ...args, '-o', 'json')).stdout);
}

/** Every file that is said to have changed, by its path in the tree. */
function filesOf({ certificates, otherFiles }: ChangeDocument, tree: Tree): readonly string[] {
  return [...certificates.flatMap(({ files }) => files), ...otherFiles]
    .map((path) => path.replace(`${tree.directory}/`, ''))
    .sort();
}

function changedPaths(before: Snapshot, tree: Tree): readonly string[] {
  return fileChanges(before, snapshot(tree.directory)).map((line) => line.split(' ')[1] ?? '');
}

/** Without what a dry run cannot know. */
function planned(document: ChangeDocument): object {
  return {
    ...document,
    dryRun: true,
    backup: null,
    certificates: document.certificates.map((one) =>
      one.new === null
        ? one
        : { ...one, new: { serial: null, fingerprint: null, notAfter: one.new.notAfter.slice(0, 10) } },
    ),
  };
}

describe('renew -o json', () => {
  test('says of each certificate what openssl says of it, before and after', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const scratch = temporaryDirectory(t);
    const facts = (name: string, when: string): ReturnType<typeof factsOf> =>
      factsOf(openssl, leafFile(leafFiles(tree, join(scratch, when)), name).certificate);
    const names = leafFiles(tree, join(scratch, 'names')).map(({ name }) => name);
    const old = new Map(names.map((name) => [name, facts(name, 'old')]));
    const before = snapshot(tree.directory);
    const document = await changed(tree, 'renew', 'all');
    assert.equal(document.command, 'renew');
    assert.equal(document.dryRun, false);
    assert.deepEqual(
      document.certificates.map(({ name }) => name),
      names,
    );
    for (const one of document.certificates) {
      assert.equal(one.outcome, 'renewed');
      assert.deepEqual(one.old, old.get(one.name), one.name);
      assert.deepEqual(one.new, facts(one.name, 'new'), one.name);
    }
    assert.deepEqual(filesOf(document, tree), changedPaths(before, tree));
    assert.deepEqual(readdirSync(join(stateDirectory(tree), 'backups')), [document.backup]);
    assert.deepEqual(document.restart, [
      'etcd',
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
    ]);
    assert.deepEqual(entry(document, 'etcd-peer').components, ['etcd']);
    assert.deepEqual(entry(document, 'admin.conf').components, []);
  });

  test('the document alone is on stdout; notes are on stderr, as ever', async (t) => {
    const { stdout, stderr } = await done(quickTree(t), 'renew', 'apiserver', '-o=json');
    changeDocument(stdout);
    assert.match(stderr, /^note: restart kube-apiserver to use the new certificates$/m);
  });

  test('yaml says the same', async (t) => {
    const tree = quickTree(t);
    // Some of so many serials would be numbers without quotes.
    for (const args of [['renew', 'all', '--dry-run'], ['install'], ['rollback', '--dry-run']]) {
      if (args[0] === 'rollback') await done(tree, 'renew', 'all');
      const [json, yaml] = [
        await certs(tree, ...args, '-o', 'json'),
        await certs(tree, ...args, '-o', 'yaml'),
      ];
      const blurred = (text: string): string => text.replaceAll(/T\d\d:\d\d:\d\dZ/g, '');
      assert.equal(yaml.code, json.code);
      for (const version of ['1.1', '1.2'] as const) {
        const read = JSON.stringify(parse(yaml.stdout, { version }), undefined, 4);
        assert.equal(blurred(`${read}\n`), blurred(json.stdout));
      }
      changeDocument(json.stdout);
    }
  });

  for (const role of ['ipv6', 'kubeconfig-files', 'external-front-proxy', 'missing-leaf', 'ca-expiring']) {
    test(`--dry-run says what the renewal then does (${role})`, async (t) => {
      const tree = copyFixture(t, role);
      // What is tried is not how keys are made.
      writeFileSync(
        join(tree.directory, 'ecdsa.yaml'),
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: ECDSA-P256\n',
      );
      const renewal = ['renew', 'all', '--config', '/ecdsa.yaml'];
      const before = snapshot(tree.directory);
      const plan = await changed(tree, ...renewal, '--dry-run');
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      assert.ok(plan.dryRun);
      const made = await changed(tree, ...renewal);
      assert.deepEqual(planned(plan), planned(made));
      // Through a link it is another path that changes.
      if (role !== 'kubeconfig-files') assert.deepEqual(filesOf(made, tree), changedPaths(before, tree));
    });
  }

  test('what is not renewed has its reason', async (t) => {
    const tree = copyFixture(t, 'external-front-proxy');
    rmSync(join(tree.certDir, 'apiserver.crt'));
    const { code, stdout } = await certs(tree, 'renew', 'apiserver', 'front-proxy-client', '-o', 'json');
    assert.equal(code, 6);
    const document = changeDocument(stdout);
    assert.deepEqual(outcomes(document), ['apiserver missing', 'front-proxy-client external-ca']);
    assert.equal(entry(document, 'apiserver').old, null);
    assert.match(entry(document, 'front-proxy-client').reason ?? '', /front-proxy-ca/);
    assert.notEqual(entry(document, 'front-proxy-client').old, null);
    assert.equal(document.backup, null);
    assert.deepEqual(document.restart, []);
  });

  test('--within: what is not due says so, and only what is due changes', async (t) => {
    const tree = treeEnding(t, { apiserver: 10 });
    const document = await changed(tree, 'renew', 'apiserver', 'etcd-peer', '--within', '30d');
    assert.deepEqual(outcomes(document), ['apiserver renewed', 'etcd-peer not-due']);
    assert.match(entry(document, 'etcd-peer').reason ?? '', /^ends on \d{4}-/);
    assert.deepEqual(document.restart, ['kube-apiserver']);
  });

  test('--within: what its CA holds back says so', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = treeEnding(t);
    shortenCa(openssl, tree, 'front-proxy-ca', 10);
    const args = ['renew', 'front-proxy-client', '--within', '2y', '-o', 'json'];
    const { code, stdout } = await certs(tree, ...args);
    assert.equal(code, 4);
    const document = changeDocument(stdout);
    assert.deepEqual(outcomes(document), ['front-proxy-client ca-ends-first']);
    assert.match(entry(document, 'front-proxy-client').reason ?? '', /front-proxy-ca\.crt ends on \d{4}-/);
  });

  test('a refusal is a document too, and stderr as ever', async (t) => {
    const tree = quickTree(t);
    writeFileSync(join(tree.certDir, 'etcd/peer.crt'), 'no certificate');
    const before = snapshot(tree.directory);
    for (const more of [[], ['--dry-run']]) {
      const text = await certs(tree, 'renew', 'etcd-peer', 'apiserver', ...more);
      const json = await certs(tree, 'renew', 'etcd-peer', 'apiserver', ...more, '-o', 'json');
      assert.deepEqual([text.code, text.stdout], [1, '']);
      assert.deepEqual([json.code, json.stderr], [1, text.stderr]);
      const document = changeDocument(json.stdout);
      assert.deepEqual(outcomes(document), ['apiserver unchanged', 'etcd-peer refused']);
      assert.equal(document.dryRun, more.length > 0);
      assert.match(entry(document, 'etcd-peer').reason ?? '', /etcd\/peer\.crt: /);
      assert.match(entry(document, 'apiserver').reason ?? '', /etcd-peer$/);
      assert.deepEqual([document.backup, document.restart], [null, []]);
    }
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('an error of the whole run, or of the command line, is no document', async (t) => {
    const tree = quickTree(t);
    for (const args of [
      ['renew', 'nobody'],
      ['renew', 'all', '--config', '/nowhere.yaml'],
      ['renew', 'all', '-o', 'xml'],
      ['rollback'],
    ]) {
      const { code, stdout, stderr } = await certs(
        tree,
        ...(args.includes('-o') ? args : [...args, '-o', 'json']),
      );
      assert.deepEqual([code, stdout], [1, ''], args.join(' '));
      assert.match(stderr, /^error: /);
    }
  });
});

describe('renew --csr-only and install -o json', () => {
  test('there and back', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { openssl, tree, ca, csrDir } = set;
    const there = ['renew', 'apiserver', 'admin.conf', '--csr-only', '--csr-dir', '/csr'];
    const home = ['install', '--csr-dir', '/csr'];
    const plan = await changed(tree, ...there, '--dry-run');
    const before = snapshot(tree.directory);
    const asked = await changed(tree, ...there);
    assert.deepEqual(planned(plan), planned(asked));
    assert.equal(asked.command, 'renew --csr-only');
    assert.deepEqual(outcomes(asked), ['admin.conf requested', 'apiserver requested']);
    assert.deepEqual(
      filesOf(asked, tree),
      changedPaths(before, tree).filter((path) => path !== 'csr'),
    );
    const { csr, expected, old } = entry(asked, 'apiserver');
    assert.deepEqual([csr, expected], [join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt')]);
    const live = factsOf(openssl, join(tree.certDir, 'apiserver.crt'));
    assert.deepEqual(old, live);
    assert.deepEqual(asked.restart, []);

    const again = await changed(tree, ...there);
    assert.deepEqual(outcomes(again), ['admin.conf pending', 'apiserver pending']);
    assert.equal(entry(again, 'apiserver').csr, csr);
    assert.equal(again.backup, null);

    ca.sign(csr ?? '', expected ?? '');
    const signed = factsOf(openssl, expected ?? '');
    const wouldInstall = await changed(tree, ...home, '--dry-run');
    const beforeHome = snapshot(tree.directory);
    const installed = await changed(tree, ...home);
    assert.deepEqual({ ...wouldInstall, dryRun: false, backup: installed.backup }, installed);
    assert.deepEqual(outcomes(installed), ['admin.conf pending', 'apiserver installed']);
    assert.deepEqual(entry(installed, 'apiserver').old, live);
    assert.deepEqual(entry(installed, 'apiserver').new, signed);
    assert.deepEqual(signed, factsOf(openssl, join(tree.certDir, 'apiserver.crt')));
    assert.equal(entry(installed, 'admin.conf').expected, join(csrDir, 'admin.conf.crt'));
    assert.deepEqual(filesOf(installed, tree), changedPaths(beforeHome, tree));
    // CSR, key and certificate where they waited.
    assert.equal(installed.otherFiles.length, 3);
    assert.deepEqual(installed.restart, ['kube-apiserver']);

    const named = await certs(tree, 'install', 'apiserver', 'admin.conf', '--csr-dir', '/csr', '-o', 'json');
    assert.equal(named.code, 6);
    assert.deepEqual(outcomes(changeDocument(named.stdout)), ['admin.conf pending', 'apiserver idle']);
  });

  test('--force: what was signed for the old request goes', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    const there = ['renew', 'apiserver', '--csr-only', '--csr-dir', '/csr'];
    await done(tree, ...there);
    ca.signAll(csrDir);
    const { otherFiles } = await changed(tree, ...there, '--force');
    assert.deepEqual(otherFiles, [join(csrDir, 'apiserver.crt')]);
  });

  test('one refusal, and why the others stay', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'etcd-server', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir, { caName: 'etcd-ca' });
    const { code, stdout } = await certs(tree, 'install', '--csr-dir', '/csr', '-o', 'json');
    assert.equal(code, 1);
    const document = changeDocument(stdout);
    assert.deepEqual(outcomes(document), ['apiserver refused', 'etcd-server unchanged']);
    assert.match(entry(document, 'apiserver').reason ?? '', /is not signed by the CA/);
  });

  test('a stranger among the signed refuses the set', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    mkdirSync(join(tree.directory, 'other'));
    copyFileSync(
      fixturePath('stacked-etcd-ecdsa', 'etc/kubernetes/pki/apiserver.crt'),
      join(csrDir, 'etcd-peer.crt'),
    );
    const { code, stdout } = await certs(tree, 'install', '--csr-dir', '/csr', '-o', 'json');
    assert.equal(code, 1);
    const document = changeDocument(stdout);
    assert.deepEqual(outcomes(document), ['apiserver unchanged']);
    assert.match(entry(document, 'apiserver').reason ?? '', /etcd-peer\.crt: /);
  });

  test('put in its place by hand: its key comes with it', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca } = set;
    const place = join(tree.certDir, 'apiserver.crt');
    await done(tree, 'renew', 'apiserver', '--csr-only');
    ca.sign(join(tree.certDir, 'apiserver.csr'), place);
    const first = await changed(tree, 'install');
    assert.deepEqual(entry(first, 'apiserver').files, [join(tree.certDir, 'apiserver.key')]);
    assert.deepEqual(first.restart, ['kube-apiserver']);
  });

  test('nothing waits: nothing is said, with exit 6', async (t) => {
    const { code, stdout } = await certs(quickTree(t), 'install', '-o', 'json');
    assert.equal(code, 6);
    const { certificates, backup, otherFiles } = changeDocument(stdout);
    assert.deepEqual([certificates, backup, otherFiles], [[], null, []]);
  });
});

describe('generate -o json', () => {
  function empty(t: Parameters<typeof temporaryDirectory>[0]): Tree {
    const directory = temporaryDirectory(t);
    const kubeconfigDir = join(directory, 'etc/kubernetes');
    mkdirSync(join(kubeconfigDir, 'pki/etcd'), { recursive: true });
    copyFileSync(fixturePath('stacked-etcd-ecdsa', 'kubeadm.yaml'), join(directory, 'kubeadm.yaml'));
    return { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
  }
  const config = ['--config', '/kubeadm.yaml'];

  test('all that is made, then all that is there; --dry-run says the same', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = empty(t);
    const before = snapshot(tree.directory);
    const plan = await changed(tree, 'generate', ...config, '--dry-run');
    const made = await changed(tree, 'generate', ...config);
    assert.deepEqual(planned(plan), planned(made));
    assert.deepEqual(filesOf(made, tree), changedPaths(before, tree));
    assert.deepEqual(new Set(made.certificates.map(({ outcome }) => outcome)), new Set(['generated']));
    for (const [name, file] of [
      ['ca', 'ca.crt'],
      ['etcd-ca', 'etcd/ca.crt'],
      ['etcd-server', 'etcd/server.crt'],
    ] as const) {
      assert.deepEqual(entry(made, name).new, factsOf(openssl, join(tree.certDir, file)), name);
    }
    assert.deepEqual(entry(made, 'sa').new, null);
    assert.equal(entry(made, 'sa').files.length, 2);
    assert.deepEqual(made.restart, []);
    const again = await changed(tree, 'generate', ...config);
    assert.deepEqual(new Set(again.certificates.map(({ outcome }) => outcome)), new Set(['existing']));
    assert.deepEqual(entry(again, 'ca').old, entry(made, 'ca').new);
    assert.deepEqual(entry(again, 'admin.conf').old, entry(made, 'admin.conf').new);
    assert.equal(again.backup, null);

    rmSync(join(tree.certDir, 'apiserver.key'));
    rmSync(join(tree.certDir, 'etcd/server.key'));
    rmSync(join(tree.certDir, 'etcd/server.crt'));
    const { code, stdout } = await certs(tree, 'generate', ...config, '-o', 'json');
    assert.equal(code, 1);
    const refused = changeDocument(stdout);
    assert.equal(entry(refused, 'apiserver').outcome, 'refused');
    assert.equal(entry(refused, 'etcd-server').outcome, 'unchanged');
    assert.equal(entry(refused, 'etcd-peer').outcome, 'existing');
  });

  test('a CA without its key is keyless, an external etcd is not managed', async (t) => {
    const keyless = await changed(copyFixture(t, 'external-ca'), 'generate', ...config);
    assert.equal(entry(keyless, 'ca').outcome, 'keyless');
    assert.equal(entry(keyless, 'super-admin.conf').outcome, 'left-out');
    const external = await changed(
      copyFixture(t, 'external-etcd'),
      'generate',
      'etcd-ca',
      'etcd-peer',
      ...config,
    );
    assert.deepEqual(outcomes(external), ['etcd-ca unmanaged', 'etcd-peer unmanaged']);
  });

  test('generate-csr: where each CSR waits, and its certificate is expected', async (t) => {
    const tree = empty(t);
    const before = snapshot(tree.directory);
    const plan = await changed(tree, 'generate-csr', ...config, '--dry-run');
    const made = await changed(tree, 'generate-csr', ...config);
    assert.deepEqual(planned(plan), planned(made));
    assert.equal(made.command, 'generate-csr');
    assert.deepEqual(filesOf(made, tree), changedPaths(before, tree));
    assert.equal(entry(made, 'etcd-server').expected, join(tree.certDir, 'etcd/server.crt'));
    assert.equal(entry(made, 'kubelet.conf').csr, join(tree.kubeconfigDir, 'kubelet.conf.csr'));
    assert.deepEqual(new Set(made.certificates.map(({ outcome }) => outcome)), new Set(['requested']));
  });
});

describe('rollback and history -o json', () => {
  test('what comes back, from which backup; then nothing is left to do', async (t) => {
    const tree = quickTree(t);
    const renewed = await changed(tree, 'renew', 'apiserver', 'admin.conf');
    const before = snapshot(tree.directory);
    const plan = await changed(tree, 'rollback', '--dry-run');
    const back = await changed(tree, 'rollback');
    assert.deepEqual({ ...plan, dryRun: false, backup: back.backup }, back);
    assert.equal(back.restoredBackup, renewed.backup);
    assert.notEqual(back.backup, renewed.backup);
    assert.deepEqual(outcomes(back), ['admin.conf rolled-back', 'apiserver rolled-back']);
    for (const { name, old, new: next } of back.certificates) {
      assert.deepEqual(old, entry(renewed, name).new);
      assert.deepEqual(next, entry(renewed, name).old);
    }
    assert.deepEqual(filesOf(back, tree), changedPaths(before, tree));
    assert.deepEqual(back.restart, ['kube-apiserver']);
    const again = await changed(tree, 'rollback', renewed.backup ?? '');
    assert.deepEqual(outcomes(again), ['admin.conf unchanged', 'apiserver unchanged']);
    assert.deepEqual([again.backup, again.otherFiles, again.restart], [null, [], []]);
  });

  test('a certificate that was not there before is none again', async (t) => {
    const tree = copyFixture(t, 'missing-leaf');
    await done(tree, 'generate', 'apiserver', '--node-name', 'a', '--advertise-address', '192.0.2.1');
    const back = await changed(tree, 'rollback');
    assert.deepEqual(entry(back, 'apiserver').new, null);
    assert.equal(entry(back, 'apiserver').outcome, 'rolled-back');
    assert.equal(entry(back, 'apiserver').files.length, 2);
  });

  test('of an installation: what waited is back among the other files', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    await done(tree, 'install', '--csr-dir', '/csr');
    const before = snapshot(tree.directory);
    const back = await changed(tree, 'rollback');
    assert.equal(back.otherFiles.length, 3);
    assert.deepEqual(filesOf(back, tree), changedPaths(before, tree));
  });

  test('history is the same list as json and as yaml', async (t) => {
    const tree = quickTree(t);
    const first = await changed(tree, 'renew', 'apiserver');
    await done(tree, 'renew', 'all');
    const json = (await done(tree, 'history', '-o=json')).stdout;
    const document = JSON.parse(json) as Record<string, unknown> & {
      readonly backups: readonly { readonly id: string; readonly certificates: readonly object[] }[];
    };
    assert.deepEqual(
      [document['kind'], document['apiVersion'], document.backups.at(-1)?.id],
      ['BackupList', 'kubepki/v1', first.backup],
    );
    const [{ old, new: now } = { old: null, new: null }] = first.certificates;
    assert.deepEqual(document.backups.at(-1)?.certificates, [{ name: 'apiserver', old, new: now }]);
    const yaml = (await done(tree, 'history', '-o', 'yaml')).stdout;
    for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(yaml, { version }), document);
    const wrong = await kubepki(['certs', 'history', '-o', 'table', '--rootfs', tree.directory]);
    assert.match(wrong.stderr, /use text, json or yaml/);
  });
});
