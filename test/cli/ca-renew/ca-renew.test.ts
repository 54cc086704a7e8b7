/** `ca renew` on whole nodes: openssl, kubectl and `verify` judge what it leaves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certificateAuthorities } from '../../../src/catalog/catalog.ts';
import { changeDocument, entry, factsOf, outcomes } from '../../support/change-document.ts';
import { leafFiles } from '../../support/certificates/certificates.ts';
import { shortenCa } from '../../support/certificates/short-lived.ts';
import {
  caInProcess as ca,
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { verifiedNode } from '../../support/planners/verified-node.ts';
import { runProgram } from '../../support/program.ts';
import { copyFixture, fileChanges, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

async function renewed(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await ca(tree, 'renew', ...args);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

/** openssl's word on every leaf and kubeconfig, by the CA beside it: strictly, and with its purpose. @returns how many */
function judged(openssl: string, tree: Tree, t: TestContext, flags: readonly string[] = []): number {
  const scratch = temporaryDirectory(t);
  const leaves = leafFiles(tree, scratch);
  const verify = (caFile: string, certificate: string): void => {
    const untrusted = ['-untrusted', certificate];
    execFileSync(
      openssl,
      ['verify', '-x509_strict', ...flags, '-CAfile', caFile, ...untrusted, certificate],
      {
        stdio: 'pipe',
      },
    );
  };
  for (const { name, ca: caFile, certificate } of leaves) {
    verify(caFile, certificate);
    const path = join(tree.kubeconfigDir, name);
    const [, data] = existsSync(path)
      ? (/certificate-authority-data"?: "?([\w+/=]+)/.exec(readFileSync(path, 'utf8')) ?? [])
      : [];
    if (data === undefined) continue;
    const embedded = join(scratch, `${name}.ca`);
    writeFileSync(embedded, Buffer.from(data, 'base64'));
    verify(embedded, certificate);
    assert.ok(Buffer.from(data, 'base64').equals(readFileSync(join(tree.certDir, 'ca.crt'))), name);
  }
  return leaves.length;
}

const extensions = ['basicConstraints', 'keyUsage', 'subjectKeyIdentifier', 'subjectAltName'].join(',');

/** What must not change of a CA, as openssl writes it. */
function identityOf(openssl: string, path: string): string {
  const options = [
    '-noout',
    '-subject',
    '-issuer',
    '-nameopt',
    'multiline,show_type',
    '-pubkey',
    '-ext',
    extensions,
  ];
  return execFileSync(openssl, ['x509', '-in', path, ...options], { encoding: 'utf8', stdio: 'pipe' });
}

/** The errors of `verify`, such as `ca-expired ca`. */
async function faults(tree: Tree): Promise<readonly string[]> {
  const { stdout } = await kubepki(['verify', '-o', 'json', '--rootfs', tree.directory]);
  const document = JSON.parse(stdout) as {
    readonly checks: readonly {
      readonly id: string;
      readonly findings?: readonly {
        readonly severity: string;
        readonly name: string;
        readonly hint?: string;
      }[];
    }[];
  };
  return document.checks.flatMap(({ id, findings = [] }) =>
    findings.filter(({ severity }) => severity === 'error').map(({ name }) => `${id} ${name}`),
  );
}

/** A CA of this node that has ended, with its old name and key. */
function expire(openssl: string, tree: Tree, baseName: string): void {
  shortenCa(openssl, tree, baseName, -1);
}

describe('ca renew all', () => {
  for (const role of [
    ...['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'v1.35-stacked-etcd-p384', 'v1.35-five-years'],
    ...['kubeconfig-rich', 'custom-subject', 'rsa-ca-ecdsa-leaves'],
  ]) {
    test(`${role}: all that the CAs have signed stays valid, for openssl and for verify`, async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = copyFixture(t, role);
      const at = (baseName: string): string => join(tree.certDir, `${baseName}.crt`);
      const before = certificateAuthorities.map(({ baseName }) => identityOf(openssl, at(baseName)));
      const wrong = await faults(tree);
      const old = certificateAuthorities.map(({ baseName }) => factsOf(openssl, at(baseName)));
      const { stdout } = await renewed(tree, 'all', '--validity', '60y', '-o', 'json');
      const document = changeDocument(stdout);
      assert.deepEqual(outcomes(document), ['ca renewed', 'etcd-ca renewed', 'front-proxy-ca renewed']);
      for (const [index, { baseName, name, readAtStart }] of certificateAuthorities.entries()) {
        const row = entry(document, name);
        assert.deepEqual([row.old, row.new], [old[index], factsOf(openssl, at(baseName))]);
        assert.notEqual(row.old?.serial, row.new?.serial);
        assert.deepEqual(row.components, readAtStart);
      }
      assert.deepEqual(
        certificateAuthorities.map(({ baseName }) => identityOf(openssl, at(baseName))),
        before,
      );
      assert.ok(judged(openssl, tree, t, role === 'custom-subject' ? ['-no_check_time'] : []) >= 9);
      assert.deepEqual(await faults(tree), wrong);
    });
  }

  test('changes the CA files and the kubeconfigs, modes and owners as they were, and keeps a backup', async (t) => {
    const tree = copyFixture(t, 'super-admin');
    chmodSync(join(tree.certDir, 'ca.crt'), 0o640);
    const before = snapshot(tree.directory);
    const { stdout, stderr } = await renewed(tree, 'all', '--validity', '60y');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      ...['admin.conf', 'controller-manager.conf'].map((name) => `~ etc/kubernetes/${name} content`),
      ...['ca.crt', 'etcd/ca.crt', 'front-proxy-ca.crt'].map(
        (name) => `~ etc/kubernetes/pki/${name} content`,
      ),
      ...['scheduler.conf', 'super-admin.conf'].map((name) => `~ etc/kubernetes/${name} content`),
    ]);
    assert.match(
      stdout,
      /^self-signed Kubernetes CA to provision .* renewed, ends \w{3} \d\d, 20\d\d \d\d:\d\d UTC\n/,
    );
    assert.match(stderr, /^note: renewed 3 certificates, the earliest ends .*; backup \S+$/m);
    assert.match(
      stderr,
      /^note: restart etcd, kube-apiserver, kube-controller-manager, kube-scheduler to use the new certificates\n/m,
    );
    assert.match(
      stderr,
      /^note: until \S+Z the old certificate serves as well: restarts and copies can wait/m,
    );
    const { stdout: history } = await certs(tree, 'history');
    assert.match(history, /kubepki ca renew all .* ca, etcd-ca, front-proxy-ca$/m);
  });

  test('is taken back by certs rollback, and that too', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    await renewed(tree, 'all', '--validity', '60y');
    const after = snapshot(tree.directory);
    const { stdout, stderr } = await certs(tree, 'rollback');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [], stderr);
    assert.match(stdout, /^ {2}ca ends \w{3} \d\d, 2056 /m);
    assert.match(
      stderr,
      /^hint: kubepki restart etcd kube-apiserver kube-controller-manager kube-scheduler /m,
    );
    const [, redo] = /^hint: to redo what was taken back: kubepki certs rollback (\S+)/m.exec(stderr) ?? [];
    await done(tree, 'rollback', redo ?? '');
    assert.deepEqual(fileChanges(after, snapshot(tree.directory)), []);
  });

  test('a rollback brings no CA back that has ended, unless it is forced, and never another CA', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    expire(openssl, tree, 'ca');
    await renewed(tree, 'ca');
    const { code, stderr } = await certs(tree, 'rollback');
    assert.deepEqual([code, /would bring back expired certificates: ca$/m.test(stderr)], [1, true], stderr);
    await done(tree, 'rollback', '--force');
    await renewed(tree, 'ca');
    writeFileSync(join(tree.certDir, 'ca.crt'), readFileSync(join(tree.certDir, 'etcd/ca.crt')));
    const other = await certs(tree, 'rollback', '--force');
    assert.equal(other.code, 1);
    assert.match(
      other.stderr,
      /ca\.crt: is the file of a CA or of the service-account key, and is never replaced$/m,
    );
  });

  test('with --dry-run shows the same, and changes nothing', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    const { stdout } = await renewed(tree, 'all', '--validity', '60y', '--dry-run', '-o', 'json');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    assert.equal(existsSync(stateDirectory(tree)), false);
    const planned = changeDocument(stdout);
    const made = changeDocument((await renewed(tree, 'all', '--validity', '60y', '-o', 'json')).stdout);
    assert.deepEqual(outcomes(planned), outcomes(made));
    assert.deepEqual(planned.elsewhere, made.elsewhere);
    for (const { name, files } of made.certificates) assert.deepEqual(entry(planned, name).files, files);
    const { stdout: text } = await renewed(tree, '--validity', '70y', '--dry-run');
    assert.match(
      text,
      /^would change ca: ends .* -> .*, key ECDSA-P256\n {2}\/\S+\/pki\/ca\.crt\n {2}\/\S+\/admin\.conf\n/m,
    );
  });

  test('leaves out what is elsewhere or lasts longer, and is no success where that is all', async (t) => {
    const tree = copyFixture(t, 'ca-expiring');
    rmSync(join(tree.certDir, 'front-proxy-ca.key'));
    const { stdout, stderr } = await renewed(tree, 'all', '-o', 'json');
    assert.deepEqual(outcomes(changeDocument(stdout)), [
      'ca renewed',
      'etcd-ca unchanged',
      'front-proxy-ca external-ca',
    ]);
    assert.match(
      stderr,
      /^note: front-proxy-ca: not renewed, as its key is not here\nhint: .*kubepki ca trust FILE/m,
    );
    // Its leaves had been cut short.
    assert.match(stderr, /^hint: to renew them: kubepki certs renew admin\.conf apiserver /m);
    const external = copyFixture(t, 'external-ca');
    const { code, stdout: lines } = await ca(external, 'renew', 'all');
    assert.equal(code, 6);
    assert.match(lines, /^Detected external ca, .* can't be renewed\n/);
    // Nothing is new then, and nothing has to follow elsewhere.
    assert.doesNotMatch(lines, /Copies/);
    const again = await ca(tree, 'renew', 'all', '--validity', '1y');
    assert.match(again.stdout, / not renewed: it ends /);
    assert.doesNotMatch(again.stdout, /Copies/);
  });

  test('with an external etcd leaves its CA alone', async (t) => {
    const tree = copyFixture(t, 'external-etcd');
    const args = ['--validity', '60y', '--config', '/kubeadm.yaml', '-o', 'json'];
    const { stdout } = await renewed(tree, 'all', ...args);
    assert.deepEqual(outcomes(changeDocument(stdout)), [
      'ca renewed',
      'etcd-ca unmanaged',
      'front-proxy-ca renewed',
    ]);
    const { code, stderr } = await ca(tree, 'renew', 'etcd-ca', ...args);
    assert.equal(code, 1);
    assert.match(stderr, /^error: the CA etcd-ca is not this node's: etcd is not run by kubeadm here/m);
  });

  test('takes its time from --validity, the configuration, or kubeadm', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    const days = (): number => {
      const end = Date.parse(factsOf(openssl, join(tree.certDir, 'ca.crt')).notAfter);
      return Math.round((end - Date.now()) / 86_400_000);
    };
    expire(openssl, tree, 'ca');
    await renewed(tree, 'ca', '--validity', '30d');
    assert.equal(days(), 30);
    writeFileSync(
      join(tree.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncaCertificateValidityPeriod: 2400h0m0s\n',
    );
    await renewed(tree, 'ca', '--config', '/kubeadm.yaml');
    assert.equal(days(), 100);
    await renewed(tree, 'ca');
    assert.equal(days(), 3650);
  });
});

describe('a CA that has ended', () => {
  test('is named by verify, check-expiration and renew with the command that mends it', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    for (const baseName of ['ca', 'etcd/ca', 'front-proxy-ca']) expire(openssl, tree, baseName);
    const rootfs = ['--rootfs', tree.directory];
    const command = `kubepki ca renew ca --rootfs ${tree.directory}`;
    const verified = await kubepki(['verify', ...rootfs]);
    assert.ok(
      verified.stdout.includes(`renew it with its key, so that all it has signed stays valid: ${command}`),
      verified.stdout,
    );
    const leaf = await certs(tree, 'renew', 'apiserver');
    assert.match(
      leaf.stderr,
      /^error: .*ca\.crt: the CA expired on \S+Z \(so apiserver cannot be renewed\)$/m,
    );
    assert.ok(leaf.stderr.includes(command), leaf.stderr);
    const due = await certs(tree, 'renew', 'apiserver', '--within', '1000d');
    assert.ok(due.stderr.includes(command), due.stderr);
    const { stderr } = await renewed(tree, 'all');
    assert.match(
      stderr,
      /^note: the old certificate ended on \S+Z: what still holds it trusts nothing until/m,
    );
    assert.match(
      stderr,
      /^note: restart the kubelet to use the renewed CA\nhint: systemctl restart kubelet$/m,
    );
    assert.deepEqual(
      (await faults(tree)).filter((fault) => /\bca\b|-ca|foreign|untrusted/.test(fault)),
      [],
    );
    assert.ok(judged(openssl, tree, t) >= 10);
  });

  test('is not sent to a command that would refuse', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    expire(openssl, tree, 'ca');
    rmSync(join(tree.certDir, 'ca.key'));
    const { stdout } = await kubepki(['verify', '--rootfs', tree.directory]);
    assert.doesNotMatch(stdout, /kubepki ca renew ca\b/);
    assert.match(
      stdout,
      /made anew with the same key where that key is; then on each node: kubepki ca trust FILE/,
    );
  });
});

describe('a CA that ends soon', () => {
  test('is named by verify, and by renew where it cuts a certificate short', async (t) => {
    const tree = copyFixture(t, 'ca-expiring');
    const { stdout } = await kubepki(['verify', '--rootfs', tree.directory, '--at', '2026-12-01T00:00:00Z']);
    assert.match(
      stdout,
      /^warning +ca-ends +.*: kubepki ca renew ca --rootfs |kubepki ca renew ca --rootfs /im,
    );
    const { stderr } = await certs(tree, 'renew', 'apiserver', '--force', '--validity', '30y');
    assert.match(
      stderr,
      /the CA ends on 2027-03-01T00:00:00Z, and with it: apiserver\nhint: renew it with its key, .*: kubepki ca renew ca --rootfs /,
    );
  });
});

describe('what is refused', () => {
  test('is refused whole, with its cause, file and next step', async (t) => {
    const tree = quickTree(t);
    rmSync(join(tree.certDir, 'etcd/ca.key'));
    const before = snapshot(tree.directory);
    const { code, stdout, stderr } = await ca(tree, 'renew', 'ca', 'etcd-ca', '--validity', '60y');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^error: \S+etcd\/ca\.key: no such file: the key of the CA is not here \(external CA\) \(so etcd-ca cannot be renewed\)\nhint: it is on another control-plane node, /,
    );
    assert.match(
      stderr,
      /^hint: nothing was changed; to renew the rest: kubepki ca renew ca --validity 60y --rootfs /m,
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    const compromised = await ca(tree, 'renew', 'ca', '--compromised', '--validity', '60y');
    assert.match(compromised.stderr, /^error: \S+ca\.key: a key that others may know is not renewed/);
    assert.match(compromised.stderr, /^hint: replace the CA, key and all: kubepki ca rotate/m);
  });

  test('a kubeconfig that cannot be read would be left behind', async (t) => {
    const tree = quickTree(t);
    writeFileSync(join(tree.kubeconfigDir, 'scheduler.conf'), '{');
    const { code, stderr } = await ca(tree, 'renew', 'ca', '--validity', '60y');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: \S+scheduler\.conf: .* \(so the CA that it may hold cannot be replaced there\)$/m,
    );
    // It holds no CA of etcd's.
    const etcd = await ca(tree, 'renew', 'etcd-ca', '--validity', '60y');
    assert.equal(etcd.code, 0, etcd.stderr);
  });

  test('a name that is no CA is answered with what was meant', async (t) => {
    const { code, stderr } = await ca(quickTree(t), 'renew', 'etcd');
    assert.equal(code, 1);
    assert.match(stderr, /^error: unknown CA "etcd"\nhint: .*etcd-ca/);
    assert.match((await ca(quickTree(t), 'renew', 'all', 'ca')).stderr, /"all" stands alone/);
  });

  test('a worker has nothing to renew', async (t) => {
    const tree = quickTree(t);
    const worker = { ...tree, directory: temporaryDirectory(t) };
    mkdirSync(join(worker.directory, 'etc/kubernetes/pki'), { recursive: true });
    for (const [from, to] of [
      ['pki/ca.crt', 'pki/ca.crt'],
      ['admin.conf', 'kubelet.conf'],
    ] as const) {
      writeFileSync(
        join(worker.directory, 'etc/kubernetes', to),
        readFileSync(join(tree.kubeconfigDir, from)),
      );
    }
    const { code, stderr } = await ca(worker, 'renew', 'ca');
    assert.equal(code, 1);
    assert.match(stderr, /is a worker node's/);
  });
});

describe('what is said to be elsewhere', () => {
  /**
   * A kubectl whose cluster is a file: what it gets and replaces is read and written by the real one, which parses objects without a
   * cluster where it is told `--local`.
   */
  function localKubectl(kubectl: string, directory: string, object: string): string {
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    const local = (...words: readonly string[]): string =>
      ["'" + kubectl + "'", 'annotate', '--local', '--overwrite', ...words, 'seen=1'].join(' ');
    writeFileSync(
      join(bin, 'kubectl'),
      `#!/bin/sh
case "$*" in
*' get configmap cluster-info '*) ${local('-f', object, '-o', 'json')} ;;
*'replace '*) ${local('-f', '-', '-o', 'yaml')} >${object}.new && mv ${object}.new ${object} ;;
*) exec '${kubectl}' "$@" ;;
esac
`,
      { mode: 0o755 },
    );
    return bin;
  }

  test('the commands for cluster-info and for kubeconfigs work as they are', async (t) => {
    const kubectl = judge(t, 'kubectl');
    if (kubectl === undefined) return;
    const tree = quickTree(t);
    const scratch = temporaryDirectory(t);
    const object = join(scratch, 'cluster-info.yaml');
    const old = readFileSync(join(tree.certDir, 'ca.crt'));
    const info = `apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: ${old.toString('base64')}\n    server: https://192.0.2.10:6443\n  name: ""\nkind: Config\n`;
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cluster-info', namespace: 'kube-public' },
      data: { 'jws-kubeconfig-abcdef': 'signature', kubeconfig: info },
    };
    writeFileSync(object, JSON.stringify(configMap));
    const { stdout } = await renewed(tree, 'ca', '--validity', '60y', '-o', 'json');
    const next = readFileSync(join(tree.certDir, 'ca.crt'));
    const { elsewhere = [] } = changeDocument(stdout);
    const commandFor = (what: RegExp): string => {
      const found = elsewhere.find((one) => what.test(one.what));
      assert.ok(found);
      return found.command;
    };
    const environment = {
      HOME: scratch,
      PATH: `${localKubectl(kubectl, scratch, object)}:${process.env['PATH'] ?? ''}`,
    };
    const pasted = await runProgram('/bin/sh', ['-ec', commandFor(/cluster-info/)], environment);
    assert.equal(pasted.code, 0, pasted.stderr);
    const field = async (path: string): Promise<string> => {
      const asked = ['annotate', '--local', '-f', object, 'x=y', '-o', `jsonpath=${path}`];
      return (await runProgram(kubectl, asked, environment)).stdout;
    };
    assert.equal(
      await field('{.data.kubeconfig}'),
      info.replace(old.toString('base64'), next.toString('base64')),
    );
    assert.equal(await field('{.data.jws-kubeconfig-abcdef}'), 'signature');
    const own = join(scratch, 'people.conf');
    writeFileSync(
      own,
      readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8').replace(
        /(authority-data: )\S+/,
        `$1${old.toString('base64')}`,
      ),
    );
    const forPeople = commandFor(/kubeconfigs of people/).replace('FILE', own);
    const set = await runProgram('/bin/sh', ['-ec', forPeople], environment);
    assert.equal(set.code, 0, set.stderr);
    assert.ok(readFileSync(own, 'utf8').includes(next.toString('base64')));
  });

  test('names the directories on the other nodes, where they were named on this one', async (t) => {
    const tree = quickTree(t);
    const trustAt = async (...flags: readonly string[]): Promise<string | undefined> => {
      const renew = ['ca', '--validity', '60y', '--dry-run', '-o', 'json', ...flags];
      const { elsewhere = [] } = changeDocument((await renewed(tree, ...renew)).stdout);
      return / && kubepki (ca trust .*)'$/.exec(elsewhere[1]?.command ?? '')?.[1];
    };
    const trust = 'ca trust /root/renewed-ca.pem';
    assert.equal(await trustAt(), trust);
    const other = '/srv/kubernetes';
    mkdirSync(join(tree.directory, 'srv'));
    renameSync(tree.kubeconfigDir, join(tree.directory, other));
    const named = ['--cert-dir', `${other}/pki`, '--kubeconfig-dir', other];
    assert.equal(await trustAt(...named), [trust, ...named].join(' '));
    const config = `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncertificatesDir: ${other}/pki\n`;
    writeFileSync(join(tree.directory, 'kubeadm.yaml'), config);
    assert.equal(await trustAt('--config', '/kubeadm.yaml'), `${trust} --cert-dir ${other}/pki`);
  });

  test('depends on the CA', async (t) => {
    const tree = quickTree(t);
    const about = async (name: string): Promise<readonly string[]> => {
      const { stdout } = await renewed(tree, name, '--validity', '60y', '--dry-run', '-o', 'json');
      return (changeDocument(stdout).elsewhere ?? []).map(({ what }) => what.replace(/[,:].*/, ''));
    };
    assert.deepEqual(await about('etcd-ca'), ['each other control-plane node', 'Secret kubeadm-certs']);
    assert.deepEqual(await about('front-proxy-ca'), [
      'each other control-plane node',
      'ConfigMap extension-apiserver-authentication in kube-system',
      'Secret kubeadm-certs',
    ]);
    assert.deepEqual(await about('all'), [
      'each other control-plane node',
      'each worker node',
      'ConfigMap cluster-info in kube-public',
      'ConfigMap kube-root-ca.crt in every namespace',
      'ConfigMap extension-apiserver-authentication in kube-system',
      'kubeconfigs of people and programs',
      'Secret kubeadm-certs',
    ]);
  });
});

describe('what follows', () => {
  test('the hook is told of CAs as of certificates', async (t) => {
    const tree = quickTree(t);
    const told = join(temporaryDirectory(t), 'told');
    const hook = `echo "$KUBEPKI_COMMAND; $KUBEPKI_NAMES; $KUBEPKI_COMPONENTS" >${told}`;
    await renewed(tree, 'etcd-ca', '--validity', '60y', '--deploy-hook', hook);
    assert.equal(readFileSync(told, 'utf8'), 'ca renew; etcd-ca; etcd kube-apiserver\n');
  });

  test('--quiet says in a line what was changed', async (t) => {
    const { stdout, stderr } = await renewed(quickTree(t), 'etcd-ca', '--validity', '60y', '--quiet');
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^note: renewed 1 certificate, which ends .*; to use what is new: kubepki restart etcd kube-apiserver /,
    );
  });
});
