import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { changes, copyFixture, fixturePath, snapshot, type Tree } from '../../support/tree.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

interface BadInput {
  readonly what: string;
  readonly break: (tree: Tree) => void;
  /** After `kubepki certs`; ROOT stands for the tree's directory. */
  readonly args?: readonly string[];
  readonly code: number;
  /** stderr's lines; ROOT stands for the tree's directory, a regular expression may stand for a line. */
  readonly stderr: readonly (string | RegExp)[];
  /** What check-expiration makes of the same tree. */
  readonly check?: { readonly code: number; readonly rows?: readonly string[]; readonly stderr?: RegExp };
}

const bad = (name: string): string => fixturePath('bad', name);
const pki = (tree: Tree, name: string): string => join(tree.certDir, name);
const replace = (name: string, from: string) => (tree: Tree) => {
  copyFileSync(from, pki(tree, name));
};
const everythingOfCa =
  'admin.conf, apiserver, apiserver-kubelet-client, controller-manager.conf, scheduler.conf';
const hint = /^hint: \S/;
const restOfCa =
  'hint: nothing was changed; to renew the rest: kubepki certs renew apiserver-etcd-client etcd-healthcheck-client etcd-peer etcd-server front-proxy-client --rootfs ROOT';
const restOfApiserver =
  'hint: nothing was changed; to renew the rest: kubepki certs renew admin.conf apiserver-etcd-client apiserver-kubelet-client controller-manager.conf etcd-healthcheck-client etcd-peer etcd-server front-proxy-client scheduler.conf --rootfs ROOT';
const apiserverCrt = 'error: ROOT/etc/kubernetes/pki/apiserver.crt: ';
const caKey = 'error: ROOT/etc/kubernetes/pki/ca.key: ';
const caCrt = 'error: ROOT/etc/kubernetes/pki/ca.crt: ';
const adminConf = 'error: ROOT/etc/kubernetes/admin.conf: ';
const invalidApiserver = { code: 1, rows: ['!INVALID! apiserver'], stderr: /^error: .*apiserver\.crt: / };

const table: readonly BadInput[] = [
  {
    what: 'garbage PEM',
    break: replace('apiserver.crt', bad('garbage.pem')),
    code: 1,
    stderr: [
      /^error: ROOT\/etc\/kubernetes\/pki\/apiserver\.crt: is not PEM: no certificate found/,
      restOfApiserver,
    ],
    check: invalidApiserver,
  },
  {
    what: 'a PEM block that is no certificate inside',
    break: replace('apiserver.crt', bad('pem-not-a-cert.crt')),
    code: 1,
    stderr: [
      /^error: ROOT\/etc\/kubernetes\/pki\/apiserver\.crt: is not (valid DER|a well-formed)/,
      restOfApiserver,
    ],
    check: invalidApiserver,
  },
  {
    what: 'an extended key usage that is no DER',
    break: (tree) => {
      const body = readFileSync(pki(tree, 'apiserver.crt'), 'utf8').replace(/-----.*-----|\n/g, '');
      const hex = Buffer.from(body, 'base64').toString('hex');
      // The OID of serverAuth: its last number does not end.
      const broken = hex.replace('06082b06010505070301', '06082b06010505070381');
      const pem = Buffer.from(broken, 'hex').toString('base64').replace(/.{64}/g, '$&\n');
      writeFileSync(
        pki(tree, 'apiserver.crt'),
        `-----BEGIN CERTIFICATE-----\n${pem}\n-----END CERTIFICATE-----\n`,
      );
    },
    code: 1,
    stderr: [
      `${apiserverCrt}its X.509 extension extendedKeyUsage is not well-formed (so apiserver cannot be renewed)`,
      'hint: no component of Kubernetes reads such a certificate: put a sound one in its place',
      restOfApiserver,
    ],
    check: invalidApiserver,
  },
  {
    what: 'DER instead of PEM',
    break: replace('apiserver.crt', bad('der.crt')),
    code: 1,
    stderr: [
      `${apiserverCrt}is DER, not PEM (so apiserver cannot be renewed)`,
      'hint: convert it: openssl x509 -inform der -in FILE -out FILE.pem',
      restOfApiserver,
    ],
    check: invalidApiserver,
  },
  {
    what: 'a CSR instead of a certificate',
    break: replace('apiserver.crt', bad('csr-instead.crt')),
    code: 1,
    stderr: [/apiserver\.crt: holds no certificate, but a PEM block CERTIFICATE REQUEST/, restOfApiserver],
    check: invalidApiserver,
  },
  {
    what: 'an empty file',
    break: (tree) => {
      truncateSync(pki(tree, 'apiserver.crt'), 0);
    },
    code: 1,
    stderr: [`${apiserverCrt}is empty (so apiserver cannot be renewed)`, restOfApiserver],
    check: invalidApiserver,
  },
  {
    what: 'a directory where a file should be',
    break: (tree) => {
      rmSync(pki(tree, 'apiserver.crt'));
      mkdirSync(pki(tree, 'apiserver.crt'));
    },
    code: 1,
    stderr: [`${apiserverCrt}is a directory, not a file (so apiserver cannot be renewed)`, restOfApiserver],
    check: invalidApiserver,
  },
  {
    what: 'a FIFO where a file should be',
    break: (tree) => {
      rmSync(pki(tree, 'apiserver.crt'));
      execFileSync('mkfifo', [pki(tree, 'apiserver.crt')]);
    },
    code: 1,
    stderr: [`${apiserverCrt}is a FIFO, not a file (so apiserver cannot be renewed)`, restOfApiserver],
    check: invalidApiserver,
  },
  {
    what: 'a FIFO where the old key should be',
    break: (tree) => {
      rmSync(pki(tree, 'apiserver.key'));
      execFileSync('mkfifo', [pki(tree, 'apiserver.key')]);
    },
    code: 1,
    stderr: [/apiserver\.key: is a FIFO, not a file/, restOfApiserver],
    check: {
      code: 0,
      stderr: /^warning: \S+\/apiserver\.key: is a FIFO, not a file\nhint: [^\n]*renew apiserver [^\n]*\n$/,
    },
  },
  {
    what: 'a file of 1 GiB',
    break: (tree) => {
      truncateSync(pki(tree, 'apiserver.crt'), 1024 ** 3);
    },
    code: 1,
    stderr: [`${apiserverCrt}is larger than 1 MiB (so apiserver cannot be renewed)`, restOfApiserver],
    check: invalidApiserver,
  },
  {
    what: 'a circle of symlinks',
    break: (tree) => {
      rmSync(pki(tree, 'apiserver.crt'));
      symlinkSync('apiserver.crt', pki(tree, 'apiserver.crt'));
    },
    code: 1,
    stderr: [
      `${apiserverCrt}too many levels of symbolic links (so apiserver cannot be renewed)`,
      restOfApiserver,
    ],
    check: invalidApiserver,
  },
  {
    what: 'a file where the etcd directory should be',
    break: (tree) => {
      rmSync(pki(tree, 'etcd'), { recursive: true });
      writeFileSync(pki(tree, 'etcd'), '');
    },
    code: 1,
    stderr: [/pki\/etcd\/ca\.crt: a part of the path is not a directory/, /^hint: nothing was changed/],
    check: { code: 1, rows: ['!INVALID! etcd-server', '!INVALID! etcd-ca'], stderr: /^error: .*etcd/ },
  },
  {
    what: 'a missing ca.crt',
    break: (tree) => {
      rmSync(pki(tree, 'ca.crt'));
    },
    code: 1,
    stderr: [
      `${caCrt}no such file: the CA certificate is missing (so ${everythingOfCa} cannot be renewed)`,
      hint,
      restOfCa,
    ],
    check: { code: 1, rows: ['!MISSING! ca'], stderr: /ca\.crt: no such file/ },
  },
  {
    what: 'an encrypted ca.key',
    break: replace('ca.key', bad('encrypted.key')),
    code: 1,
    stderr: [`${caKey}is protected by a passphrase (so ${everythingOfCa} cannot be renewed)`, hint, restOfCa],
    check: {
      code: 0,
      stderr: /^warning: \S+\/ca\.key: is protected by a passphrase\nhint: decrypt [^\n]*\n$/,
    },
  },
  {
    what: 'an encrypted ca.key of the traditional form',
    break: replace('ca.key', bad('encrypted-traditional.key')),
    code: 1,
    stderr: [`${caKey}is protected by a passphrase (so ${everythingOfCa} cannot be renewed)`, hint, restOfCa],
    check: {
      code: 0,
      stderr: /^warning: \S+\/ca\.key: is protected by a passphrase\nhint: decrypt [^\n]*\n$/,
    },
  },
  {
    what: 'a ca.key that does not match ca.crt',
    break: replace('ca.key', bad('other-ca.key')),
    code: 1,
    stderr: [
      `${caKey}does not belong to the CA certificate ROOT/etc/kubernetes/pki/ca.crt (so ${everythingOfCa} cannot be renewed)`,
      hint,
      restOfCa,
    ],
    check: {
      code: 0,
      stderr: /^warning: \S+\/ca\.key: does not belong to the CA certificate \S+\nhint: [^\n]*\n$/,
    },
  },
  {
    what: 'a ca.key that is garbage',
    break: replace('ca.key', bad('garbage.pem')),
    code: 1,
    stderr: [/ca\.key: is not PEM: no private key found/, restOfCa],
    check: { code: 0, stderr: /^warning: \S+\/ca\.key: is not PEM: no private key found\nhint: [^\n]*\n$/ },
  },
  {
    what: 'a CA that is not a CA',
    break: (tree) => {
      replace('ca.crt', bad('leaf-as-ca.crt'))(tree);
      replace('ca.key', bad('leaf-as-ca.key'))(tree);
    },
    code: 1,
    stderr: [/ca\.crt: is not a CA certificate \(basicConstraints lacks CA:TRUE\)/, hint, restOfCa],
    check: { code: 1, stderr: /^error: \S+\/ca\.crt: is not a CA certificate / },
  },
  {
    what: 'an expired CA',
    break: (tree) => {
      replace('ca.crt', bad('expired-ca.crt'))(tree);
      replace('ca.key', bad('expired-ca.key'))(tree);
    },
    code: 1,
    stderr: [/ca\.crt: the CA expired on \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/, hint, restOfCa],
    check: { code: 0, stderr: /^warning: \S+\/admin\.conf: is not signed by the CA of / },
  },
  {
    what: 'a CA that is not valid yet',
    break: (tree) => {
      replace('ca.crt', bad('future-ca.crt'))(tree);
      replace('ca.key', bad('future-ca.key'))(tree);
    },
    code: 1,
    stderr: [/ca\.crt: the CA is not valid before \d{4}-\d\d-\d\d/, hint, restOfCa],
    check: { code: 0, stderr: /^warning: \S+\/ca\.crt: the CA is not valid before /m },
  },
  {
    what: 'a CA key of 1024 bits',
    break: (tree) => {
      replace('ca.crt', bad('small-rsa1024-ca.crt'))(tree);
      replace('ca.key', bad('small-rsa1024-ca.key'))(tree);
    },
    code: 1,
    stderr: [/ca\.key: a CA key of the kind RSA-1024 is not supported/, hint, restOfCa],
    check: { code: 0, stderr: /^warning: \S+\/admin\.conf: is not signed by the CA of / },
  },
  {
    what: 'a CA certificate in the place of a leaf',
    break: (tree) => {
      copyFileSync(pki(tree, 'ca.crt'), pki(tree, 'apiserver.crt'));
    },
    code: 1,
    stderr: [
      `${apiserverCrt}is a CA certificate, not a leaf (so apiserver cannot be renewed)`,
      hint,
      restOfApiserver,
    ],
    check: { code: 0, stderr: /^warning: \S+\/apiserver\.crt: is a CA certificate \(CA:TRUE\)\n/ },
  },
  {
    what: 'a kubeconfig without its current context',
    break: (tree) => {
      const path = join(tree.kubeconfigDir, 'admin.conf');
      const text = readFileSync(path, 'utf8');
      writeFileSync(path, text.replace(/^current-context: .*$/m, 'current-context: nowhere'));
    },
    code: 1,
    stderr: [
      /^error: ROOT\/etc\/kubernetes\/admin\.conf: missing context nowhere/,
      /^hint: nothing was changed/,
    ],
    check: { code: 1, rows: ['!INVALID! admin.conf'], stderr: /admin\.conf: missing context/ },
  },
  {
    what: 'invalid YAML',
    break: (tree) => {
      appendFileSync(join(tree.kubeconfigDir, 'admin.conf'), '\n\t: [\n');
    },
    code: 1,
    stderr: [/^error: ROOT\/etc\/kubernetes\/admin\.conf: .*YAML/, /^hint: nothing was changed/],
    check: { code: 1, rows: ['!INVALID! admin.conf'], stderr: /admin\.conf: / },
  },
  {
    what: 'a YAML alias bomb',
    break: (tree) => {
      copyFileSync(bad('alias-bomb.yaml'), join(tree.kubeconfigDir, 'admin.conf'));
    },
    code: 1,
    stderr: [/^error: ROOT\/etc\/kubernetes\/admin\.conf: /, /^hint: nothing was changed/],
    check: { code: 1, rows: ['!INVALID! admin.conf'], stderr: /admin\.conf: / },
  },
  {
    what: 'a kubeconfig that is not UTF-8',
    break: (tree) => {
      appendFileSync(join(tree.kubeconfigDir, 'admin.conf'), Buffer.from('# \xff\n', 'latin1'));
    },
    code: 1,
    stderr: [`${adminConf}is not UTF-8 (so admin.conf cannot be renewed)`, /^hint: nothing was changed/],
    check: { code: 1, rows: ['!INVALID! admin.conf'] },
  },
  {
    what: 'no such directory',
    break: () => undefined,
    args: ['renew', 'all', '--cert-dir', 'ROOT/nowhere'],
    code: 1,
    stderr: ['error: ROOT/nowhere: no such directory', 'hint: name the directory with --cert-dir'],
  },
  {
    what: 'a cert dir that is a file',
    break: () => undefined,
    args: ['check-expiration', '--cert-dir', 'ROOT/etc/kubernetes/pki/ca.crt'],
    code: 1,
    stderr: ['error: ROOT/etc/kubernetes/pki/ca.crt: is not a directory', hint],
  },
  {
    what: 'no such rootfs',
    break: () => undefined,
    args: ['check-expiration', '--rootfs', 'ROOT/nowhere'],
    code: 1,
    stderr: ['error: ROOT/nowhere: no such file or directory'],
  },
  {
    what: 'no such kubeadm configuration',
    break: () => undefined,
    args: ['renew', 'all', '--rootfs', 'ROOT', '--config', '/nowhere.yaml'],
    code: 1,
    stderr: ['error: ROOT/nowhere.yaml: no such file', hint],
  },
  {
    what: 'a kubeadm configuration with a wrong value',
    break: (tree) => {
      writeFileSync(
        join(tree.directory, 'kubeadm.yaml'),
        'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: DSA\n',
      );
    },
    args: ['renew', 'all', '--rootfs', 'ROOT', '--config', '/kubeadm.yaml'],
    code: 3,
    stderr: [/^error: ROOT\/kubeadm\.yaml: .*encryptionAlgorithm/],
  },
  {
    what: 'an unknown name',
    break: () => undefined,
    args: ['renew', 'apiservr', '--rootfs', 'ROOT'],
    code: 1,
    stderr: [
      'error: unknown certificate "apiservr"',
      'hint: did you mean: kubepki certs renew apiserver --rootfs ROOT',
    ],
  },
  {
    what: 'an unknown flag',
    break: () => undefined,
    args: ['renew', 'all', '--rotfs', 'ROOT'],
    code: 1,
    stderr: ["error: unknown option '--rotfs'", 'hint: did you mean --rootfs?'],
  },
  {
    what: 'an unknown command',
    break: () => undefined,
    args: ['renw', 'all', '--rootfs', 'ROOT'],
    code: 1,
    stderr: [/^error: unknown command "renw" for "kubepki certs"/, hint],
  },
  {
    what: 'a moment that is none',
    break: () => undefined,
    args: ['check-expiration', '--rootfs', 'ROOT', '--at', '2027-02-30T00:00:00Z'],
    code: 1,
    stderr: [/^error: .*--at.*RFC 3339/, hint],
  },
];

describe('bad input gets its line, and the tree stays as it is', () => {
  for (const row of table) {
    test(row.what, async (t) => {
      const tree = copyFixture(t, 'stacked-etcd-rsa');
      row.break(tree);
      const before = snapshot(tree.directory);
      const args = row.args ?? ['renew', 'all', '--rootfs', 'ROOT'];
      const outcome = await kubepki(['certs', ...args.map((arg) => arg.replace('ROOT', tree.directory))]);

      assert.deepEqual(
        { code: outcome.code, stdout: outcome.stdout },
        { code: row.code, stdout: '' },
        outcome.stderr,
      );
      const lines = outcome.stderr.replaceAll(tree.directory, 'ROOT').split('\n').slice(0, -1);
      assert.equal(lines.length, row.stderr.length, outcome.stderr);
      for (const [index, expected] of row.stderr.entries()) {
        const line = lines[index] ?? '';
        if (typeof expected === 'string') assert.equal(line, expected);
        else assert.match(line, expected);
      }
      t.diagnostic(`exit ${String(outcome.code)}: ${lines.join(' | ')}`);

      if (row.check !== undefined) {
        const checked = await kubepki(['certs', 'check-expiration', '--rootfs', tree.directory]);
        assert.equal(checked.code, row.check.code, checked.stderr);
        for (const cell of row.check.rows ?? [])
          assert.ok(checked.stdout.includes(`\n${cell} `), checked.stdout);
        assert.match(checked.stderr, row.check.stderr ?? (row.check.code === 0 ? /^$/ : /^error: /));
        // The other rows are still there: header, 10 certificates, blank line, header, 3 CAs.
        assert.equal(checked.stdout.split('\n').length - 1, 16, checked.stdout);
      }
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('no permission: an unprivileged user is told so, for reading and for writing', (t) => {
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined) return;
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    chmodSync(pki(tree, 'apiserver.crt'), 0o600);
    chmodSync(tree.directory, 0o755);
    const before = snapshot(tree.directory);
    const checked = unprivileged(t, setpriv, ['certs', 'check-expiration', '--rootfs', tree.directory]);
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^!INVALID! apiserver /m);
    assert.match(checked.stderr, /apiserver\.crt: permission denied\nhint: run it as root/);
    const renewed = unprivileged(t, setpriv, ['certs', 'renew', 'etcd-server', '--rootfs', tree.directory]);
    assert.equal(renewed.code, 1);
    assert.match(renewed.stderr, /^error: .*: permission denied/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});
