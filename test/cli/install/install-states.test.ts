/** What else may lie about when certificates come home: leftovers, links, keys of others. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireSound } from '../../faults/invariants.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { externalTree, type ExternalTree } from '../../support/certificates/openssl-ca.ts';
import { changes, fileChanges, snapshot, temporaryDirectory } from '../../support/tree.ts';

interface Setting extends Omit<ExternalTree, 'openssl'> {
  /** A CSR for a key, made out to what a certificate says. */
  readonly csrFor: (certificate: string, key: string, csr: string) => void;
  readonly openssl: (...args: readonly string[]) => void;
}

function setting(t: TestContext, role = 'stacked-etcd-ecdsa'): Setting | undefined {
  const external = externalTree(t, role);
  if (external === undefined) return undefined;
  const openssl = (...args: readonly string[]): void => {
    execFileSync(external.openssl, args, { stdio: 'pipe' });
  };
  return {
    ...external,
    openssl,
    csrFor: (certificate, key, csr) => {
      openssl(
        ...['x509', '-x509toreq', '-copy_extensions', 'copy', '-in', certificate],
        ...['-signkey', key, '-out', csr],
      );
    },
  };
}

const there = ['--csr-only', '--csr-dir', '/csr'];
const back = ['--csr-dir', '/csr'];

describe('a CSR of a key that is in use, such as kubeadm leaves', () => {
  for (const baseName of ['apiserver', 'etcd/server']) {
    const name = baseName.replace('/', '-');
    test(`${baseName}.csr does not stand in the way of a new one, there and back`, async (t) => {
      const set = setting(t);
      if (set === undefined) return;
      const { tree, ca, csrFor } = set;
      const path = (suffix: string): string => join(tree.certDir, `${baseName}.${suffix}`);
      csrFor(path('crt'), path('key'), path('csr'));
      const old = readFileSync(path('crt'), 'utf8');
      await done(tree, 'renew', name, '--csr-only');
      // In the cert dir: apiserver.key is in use; etcd-server.key is a name that nobody uses.
      const flat = join(tree.certDir, name);
      const signed = existsSync(`${flat}.key.new`) ? `${flat}.crt.new` : `${flat}.crt`;
      ca.sign(`${flat}.csr`, signed);
      const { stdout } = await done(tree, 'install', name);
      assert.match(stdout, / installed, ends /);
      assert.notEqual(readFileSync(path('crt'), 'utf8'), old);
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
    });
  }

  test('whose certificate has expired blocks nothing: it is not signed yet', async (t) => {
    const set = setting(t, 'expired-leaf');
    if (set === undefined) return;
    const { tree, ca, csrFor } = set;
    const path = (suffix: string): string => join(tree.certDir, `apiserver.${suffix}`);
    csrFor(path('crt'), path('key'), path('csr'));
    await done(tree, 'renew', 'admin.conf', '--csr-only');
    ca.sign(join(tree.certDir, 'admin.conf.csr'), join(tree.certDir, 'admin.conf.crt'));
    const { stdout } = await done(tree, 'install');
    assert.match(stdout, /admin .* installed, [^]*Kubernetes API not signed yet/);
  });

  test('copied away with its pair: the certificate is not signed yet, and nothing is cleared away', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, csrDir, csrFor } = set;
    mkdirSync(csrDir);
    for (const suffix of ['crt', 'key']) {
      copyFileSync(join(tree.certDir, `apiserver.${suffix}`), join(csrDir, `apiserver.${suffix}`));
    }
    csrFor(join(csrDir, 'apiserver.crt'), join(csrDir, 'apiserver.key'), join(csrDir, 'apiserver.csr'));
    const before = snapshot(tree.directory);
    const { code, stdout } = await certs(tree, 'install', 'apiserver', ...back);
    assert.equal(code, 6);
    assert.doesNotMatch(stdout, / installed/);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('links in the CSR dir', () => {
  // Other files in use: test/operations/requests/plan-requests.test.ts.
  for (const target of ['pki/ca.crt', 'pki/etcd/peer.key']) {
    test(`--force does not write through one to ${target}`, async (t) => {
      const set = setting(t);
      if (set === undefined) return;
      const { tree, csrDir } = set;
      mkdirSync(csrDir);
      symlinkSync(join('../etc/kubernetes', target), join(csrDir, 'apiserver.csr'));
      const before = snapshot(tree.directory);
      for (const more of [['--dry-run'], []]) {
        const { code, stderr } = await certs(tree, 'renew', 'apiserver', ...there, '--force', ...more);
        assert.equal(code, 1);
        assert.match(stderr, /csr\/apiserver\.csr: .*never replaced/);
      }
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }
});

describe('keys that are not as they were made', () => {
  const kinds = [
    [
      'ECDSA on a curve of Bitcoin',
      ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'],
      /ECDSA secp256k1/,
    ],
    ['RSA for PSS alone', ['-algorithm', 'RSA-PSS'], /RSA-PSS/],
  ] as const;
  for (const [what, flags, message] of kinds) {
    test(`${what} is refused, in a dry run too`, async (t) => {
      const set = setting(t);
      if (set === undefined) return;
      const { tree, ca, csrDir, csrFor, openssl } = set;
      mkdirSync(csrDir);
      const path = (suffix: string): string => join(csrDir, `apiserver.${suffix}`);
      openssl('genpkey', ...flags, '-out', path('key'));
      csrFor(join(tree.certDir, 'apiserver.crt'), path('key'), path('csr'));
      ca.sign(path('csr'), path('crt'));
      for (const more of [['--dry-run'], []]) {
        const { code, stderr } = await certs(tree, 'install', ...back, ...more);
        assert.equal(code, 1);
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /internal error|defect/);
      }
    });
  }

  test('one behind a passphrase is said to be that', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir, openssl } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    ca.signAll(csrDir);
    const key = join(csrDir, 'apiserver.key');
    openssl('pkey', '-in', key, '-aes256', '-passout', 'pass:public', '-out', `${key}.locked`);
    renameSync(`${key}.locked`, key);
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, /apiserver\.key: is protected by a passphrase/);
    assert.doesNotMatch(stderr, /--force/);
  });
});

describe('what is missing or damaged', () => {
  test('the CSR is gone, and nothing says what was asked for: refused', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'scheduler.conf', ...there);
    ca.signAll(csrDir);
    rmSync(join(csrDir, 'apiserver.csr'));
    writeFileSync(join(tree.certDir, 'apiserver.crt'), 'damaged');
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, /apiserver\.crt: is signed, but the CSR for apiserver is gone/);
  });

  test('the CSR is gone, and the new certificate was copied over the old one: the right key is found', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only');
    ca.sign(join(tree.certDir, 'apiserver.csr'), join(tree.certDir, 'apiserver.crt'));
    rmSync(join(tree.certDir, 'apiserver.csr'));
    await done(tree, 'install', 'apiserver');
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('a kubeconfig that is not UTF-8 is refused, not rewritten', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'admin.conf', ...there);
    ca.signAll(csrDir);
    const path = join(tree.kubeconfigDir, 'admin.conf');
    writeFileSync(path, Buffer.concat([Buffer.from('# M\u00fcller\n', 'latin1'), readFileSync(path)]));
    const before = readFileSync(path);
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, /admin\.conf: is not UTF-8/);
    assert.ok(readFileSync(path).equals(before));
  });

  test('a directory that is called like a certificate hides nothing else', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'scheduler.conf', ...there);
    ca.signAll(csrDir);
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'), { days: -1 });
    mkdirSync(join(csrDir, 'odd.crt'));
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, /odd\.crt: is a directory/);
    assert.match(stderr, /for apiserver expired on/);
  });
});

describe('one file for several', () => {
  test('the bundle stays, whichever way it is named', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    const bundle = join(csrDir, 'all.crt');
    ca.sign(join(csrDir, 'apiserver.csr'), bundle);
    symlinkSync('csr', join(tree.directory, 'link'));
    await done(tree, 'install', ...back, '--from-bundle', '/link/all.crt');
    assert.deepEqual(readdirSync(csrDir), ['all.crt']);
  });

  test('a file is not cleared away while another request needs it', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'admin.conf', ...there);
    const [one, other] = [join(csrDir, 'apiserver.crt'), join(csrDir, 'admin.conf.crt')];
    ca.sign(join(csrDir, 'apiserver.csr'), one);
    ca.sign(join(csrDir, 'admin.conf.csr'), other);
    writeFileSync(one, readFileSync(one, 'utf8') + readFileSync(other, 'utf8'));
    rmSync(other);
    await done(tree, 'install', 'apiserver', ...back);
    assert.deepEqual(readdirSync(csrDir).sort(), ['admin.conf.csr', 'admin.conf.key', 'apiserver.crt']);
    await done(tree, 'install', ...back);
    assert.deepEqual(readdirSync(csrDir), []);
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('swapped files are found by their key when only one name is asked for', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', 'etcd-server', ...there);
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'etcd-server.crt'));
    ca.sign(join(csrDir, 'etcd-server.csr'), join(csrDir, 'apiserver.crt'));
    const { stderr } = await done(tree, 'install', 'apiserver', ...back);
    assert.match(stderr, /etcd-server\.crt: holds the certificate for apiserver, by its key/);
  });

  test('generate-csr into one directory, and install from it', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca } = set;
    const one = join(tree.directory, 'one');
    const flags = ['--cert-dir', '/one', '--kubeconfig-dir', '/one', '--config', '/kubeadm.yaml'];
    await done(tree, 'generate-csr', ...flags);
    mkdirSync(join(one, 'etcd'), { recursive: true });
    for (const name of ['ca.crt', 'front-proxy-ca.crt', 'etcd/ca.crt']) {
      copyFileSync(join(tree.certDir, name), join(one, name));
    }
    for (const directory of [one, join(one, 'etcd')]) ca.signAll(directory);
    const { stdout } = await done(tree, 'install', ...flags);
    assert.equal(stdout.match(/ installed, ends | has been checked, ends /g)?.length, 12);
    assert.deepEqual(
      readdirSync(one, { recursive: true, encoding: 'utf8' }).filter((name) => /csr$|conf\.crt$/.test(name)),
      [],
    );
  });
});

test('certificates that Go would refuse are refused, though openssl takes them', async (t) => {
  const set = setting(t);
  if (set === undefined) return;
  const { tree, ca, csrDir } = set;
  await done(tree, 'renew', 'apiserver', ...there);
  const usual = 'basicConstraints = CA:FALSE\nextendedKeyUsage = serverAuth\n';
  for (const [extension, message] of [
    ['1.2.3.4.5 = critical, ASN1:UTF8String:x', /has a critical extension that Go does not know/],
    [
      'policyConstraints = critical, requireExplicitPolicy:0',
      /has a critical extension that Go does not know/,
    ],
  ] as const) {
    ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'), {
      extensions: `${usual}${extension}\n`,
    });
    const { code, stderr } = await certs(tree, 'install', ...back);
    assert.equal(code, 1);
    assert.match(stderr, message);
  }
});
