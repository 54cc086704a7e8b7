/** In what shapes certificates come back, and where they go. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireSound } from '../../faults/invariants.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { externalTree, type ExternalTree } from '../../support/certificates/openssl-ca.ts';
import { changes, copyFixture, snapshot, temporaryDirectory } from '../../support/tree.ts';

const setting = (t: TestContext, role = 'ipv6'): ExternalTree | undefined => externalTree(t, role);

const there = ['--csr-only', '--csr-dir', '/csr'];
const back = ['--csr-dir', '/csr'];

function append(file: string, ...others: readonly string[]): void {
  for (const other of others) appendFileSync(file, readFileSync(other));
}

function certificatesIn(path: string): X509Certificate[] {
  const blocks = readFileSync(path, 'utf8').match(/-----BEGIN CERT[^]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((pem) => new X509Certificate(pem));
}

describe('a chain', () => {
  test('stays behind the leaf, but for the CA itself and what does not belong to it', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'admin.conf', ...there);
    const by = ca.intermediate('ca');
    const root = join(tree.certDir, 'ca.crt');
    for (const name of ['apiserver', 'admin.conf']) {
      const certificate = join(csrDir, `${name}.crt`);
      ca.sign(join(csrDir, `${name}.csr`), certificate, { by });
      append(certificate, by.certificate, root, ca.intermediate('etcd-ca').certificate);
    }
    await done(tree, 'install', ...back);
    const subjects = certificatesIn(join(tree.certDir, 'apiserver.crt')).map(({ subject }) => subject);
    assert.deepEqual(subjects, ['CN=kube-apiserver', 'CN=intermediate ca']);
    const data = /client-certificate-data: (\S+)/.exec(
      readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'),
    );
    assert.equal(
      Buffer.from(data?.[1] ?? '', 'base64')
        .toString()
        .match(/BEGIN CERT/g)?.length,
      2,
    );
    assert.match((await done(tree, 'check-expiration')).stdout, /^apiserver .* yes {5}$/m);
  });

  test('is needed where an intermediate signs', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    const by = ca.intermediate('ca');
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'), { by });
    const alone = await certs(tree, 'install', ...back);
    assert.equal(alone.code, 1);
    assert.match(alone.stderr, /is not signed by the CA of .*\nhint: .*behind the leaf in the same file/);
    // In a file of its own it belongs to nothing, and it is said where it should be.
    copyFileSync(by.certificate, join(csrDir, 'intermediate.crt'));
    const beside = await certs(tree, 'install', ...back);
    assert.equal(beside.code, 1);
    assert.match(
      beside.stderr,
      /intermediate\.crt: the certificate of "CN=intermediate ca" belongs to no key .*\nhint: .*behind the leaf/,
    );
  });

  test('over an intermediate that has expired is refused', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    const by = ca.intermediate('ca', { days: -1 });
    const certificate = join(csrDir, 'apiserver.crt');
    ca.sign(join(csrDir, 'apiserver.csr'), certificate, { by });
    append(certificate, by.certificate);
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, /for apiserver is signed by "CN=intermediate ca", which expired on \d/);
  });
});

describe('a bundle', () => {
  async function bundled(t: TestContext): Promise<(ExternalTree & { readonly bundle: string }) | undefined> {
    const set = setting(t);
    if (set === undefined) return undefined;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'all', ...there);
    ca.signAll(csrDir);
    const bundle = join(tree.directory, 'signed.crt');
    for (const name of readdirSync(csrDir).filter((one) => one.endsWith('.crt'))) {
      append(bundle, join(csrDir, name));
      renameSync(join(csrDir, name), join(tree.directory, name));
    }
    return { ...set, bundle };
  }

  test('may hold the CAs, and what the CA writes between; nothing but the pending files is cleared away', async (t) => {
    const set = await bundled(t);
    if (set === undefined) return;
    const { tree, csrDir, bundle } = set;
    appendFileSync(bundle, 'subject=CN=ca\n');
    append(bundle, join(tree.certDir, 'ca.crt'), join(tree.certDir, 'front-proxy-ca.crt'));
    const { stderr } = await done(tree, 'install', ...back, '--from-bundle', '/signed.crt');
    assert.doesNotMatch(stderr, /warning: (?!.* ends on .*, before the one in use)/);
    assert.deepEqual(readdirSync(csrDir), []);
    assert.ok(existsSync(bundle));
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('with a certificate that belongs to nothing is refused, and the certificate is named', async (t) => {
    const set = await bundled(t);
    if (set === undefined) return;
    const { tree, bundle } = set;
    const other = copyFixture(t, 'stacked-etcd-rsa');
    append(bundle, join(other.certDir, 'front-proxy-client.crt'));
    const before = snapshot(tree.directory);
    const { code, stdout, stderr } = await certs(tree, 'install', ...back, '--from-bundle', '/signed.crt');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /signed\.crt: the certificate of "CN=front-proxy-client" belongs to no key/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('that is not there, or holds no certificate, is an error', async (t) => {
    const set = await bundled(t);
    if (set === undefined) return;
    const { tree } = set;
    const gone = await certs(tree, 'install', ...back, '--from-bundle', '/nowhere.pem');
    assert.match(`${String(gone.code)} ${gone.stderr}`, /^1 error: .*nowhere\.pem: no such file\nhint: /);
    writeFileSync(join(tree.directory, 'empty.pem'), 'nothing\n');
    const empty = await certs(tree, 'install', ...back, '--from-bundle', '/empty.pem');
    assert.match(`${String(empty.code)} ${empty.stderr}`, /^1 error: .*empty\.pem: /);
  });

  test('of which only one name is asked for leaves the rest waiting', async (t) => {
    const set = await bundled(t);
    if (set === undefined) return;
    const { tree, csrDir } = set;
    await done(tree, 'install', 'etcd-peer', ...back, '--from-bundle', '/signed.crt');
    assert.equal(readdirSync(csrDir).length, 18);
    await done(tree, 'install', ...back, '--from-bundle', '/signed.crt');
    assert.deepEqual(readdirSync(csrDir), []);
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });
});

describe('where certificates go', () => {
  for (const role of ['kubeconfig-files', 'symlinks', 'kubeconfig-rich', 'custom-subject', 'leaf-chain']) {
    test(`there and back, and back again, on ${role}`, async (t) => {
      const set = setting(t, role);
      if (set === undefined) return;
      const { tree, ca, csrDir } = set;
      // Which kind the new keys are is not what this is about, and RSA takes its time.
      writeFileSync(
        join(tree.directory, 'quick.yaml'),
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: ECDSA-P256\n',
      );
      const original = snapshot(tree.directory);
      await done(tree, 'renew', 'all', ...there, '--config', '/quick.yaml');
      ca.signAll(csrDir);
      await done(tree, 'install', ...back);
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
      const installed = snapshot(tree.directory);
      const links = (files: typeof original): string[] =>
        [...files]
          .filter(([, { type }]) => type === 'link')
          .map(([path, { target }]) => `${path} -> ${target ?? ''}`);
      assert.deepEqual(links(installed), links(original));
      await done(tree, 'rollback');
      const changed = changes(original, snapshot(tree.directory));
      assert.deepEqual(
        changed.filter((line) => !/^\+ (?:csr|etc\/kubernetes\/pki\/\.kubepki)/.test(line)),
        [],
      );
    });
  }

  test('a CSR dir behind a link', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    mkdirSync(join(tree.directory, 'srv/requests'), { recursive: true, mode: 0o700 });
    symlinkSync('/srv/requests', csrDir);
    await done(tree, 'renew', 'all', ...there);
    const real = join(tree.directory, 'srv/requests');
    assert.equal(readdirSync(real).length, 20);
    ca.signAll(real);
    await done(tree, 'install', ...back);
    assert.deepEqual(readdirSync(real), []);
    assert.ok(lstatSync(csrDir).isSymbolicLink());
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('the key in use in the CSR dir: its certificate there means not signed yet', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    mkdirSync(csrDir);
    // The live pair, copied there: kubeadm's own habit.
    for (const suffix of ['crt', 'key']) {
      copyFileSync(join(tree.certDir, `apiserver.${suffix}`), join(csrDir, `apiserver.${suffix}`));
    }
    const { stdout } = await done(tree, 'renew', 'apiserver', ...there);
    assert.match(stdout, /csr\/apiserver\.key\.new \(the key in use stays\)/);
    const waiting = await certs(tree, 'install', ...back);
    assert.equal(waiting.code, 6);
    assert.match(waiting.stdout, /not signed yet, expected as .*csr\/apiserver\.crt\.new$/m);
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt.new'));
    await done(tree, 'install', ...back);
    assert.deepEqual(readdirSync(csrDir).sort(), ['apiserver.crt', 'apiserver.key']);
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });
});
