/** Keys of kinds that openssl makes and that neither kubeadm nor every runtime knows: named, whoever runs it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { clusterConfiguration } from '../../support/cluster/node.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const kinds: readonly (readonly [name: string, flags: readonly string[]])[] = [
  ['ECDSA secp256k1', ['EC', 'ec_paramgen_curve:secp256k1']],
  ['ECDSA brainpoolP256r1', ['EC', 'ec_paramgen_curve:brainpoolP256r1']],
  ['ECDSA with explicit parameters', ['EC', 'ec_paramgen_curve:P-256', 'ec_param_enc:explicit']],
  ['RSA-PSS', ['RSA-PSS', 'rsa_keygen_bits:2048']],
  ['Ed448', ['ED448']],
];

function genpkey(openssl: string, file: string, [algorithm = '', ...options]: readonly string[]): void {
  const flags = options.flatMap((option) => ['-pkeyopt', option]);
  execFileSync(openssl, ['genpkey', '-algorithm', algorithm, ...flags, '-out', file], { stdio: 'pipe' });
}

/** A node whose apiserver has such a key, certified by its own CA. */
function nodeWith(t: TestContext, openssl: string, flags: readonly string[]): Tree {
  const tree = quickTree(t);
  const scratch = temporaryDirectory(t);
  const pki = (name: string): string => join(tree.certDir, name);
  const [csr, extensions] = [join(scratch, 'csr'), join(scratch, 'extensions')];
  genpkey(openssl, pki('apiserver.key'), flags);
  writeFileSync(
    extensions,
    'subjectAltName=DNS:kubernetes\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n',
  );
  const request = ['req', '-new', '-key', pki('apiserver.key'), '-subj', '/CN=kube-apiserver', '-out', csr];
  execFileSync(openssl, request, { stdio: 'pipe' });
  execFileSync(
    openssl,
    [
      ...['x509', '-req', '-in', csr, '-CA', pki('ca.crt'), '-CAkey', pki('ca.key'), '-days', '300'],
      ...['-extfile', extensions, '-set_serial', '0x1234', '-out', pki('apiserver.crt')],
    ],
    { stdio: 'pipe' },
  );
  return tree;
}

for (const [name, flags] of kinds) {
  describe(name, () => {
    test('of a certificate: its end is shown; it is renewed once a kind is named for the new key', async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = nodeWith(t, openssl, flags);
      const shown = await done(tree, 'check-expiration');
      assert.match(shown.stdout, /^apiserver {2,}\w{3} \d\d, \d{4} .* 299d .* ca /m);
      // No component could serve with it.
      assert.match(
        shown.stderr,
        new RegExp(
          `^warning: \\S+/apiserver\\.key: is a key of the kind ${name}\nhint: use RSA, or ECDSA on P-256 or P-384[^\n]*\n$`,
        ),
      );
      const before = snapshot(tree.directory);
      for (const how of [[], ['--csr-only', '--csr-dir', '/csr']]) {
        const { stderr, code } = await certs(tree, 'renew', 'apiserver', ...how);
        assert.match(
          stderr,
          new RegExp(`/apiserver\\.crt: has a key of the kind ${name}, which kubeadm cannot make`),
        );
        assert.equal(code, 1);
      }
      assert.deepEqual(changes(before, snapshot(join(tree.directory)), { inodes: true }), []);
      writeFileSync(
        join(tree.directory, 'kubeadm.yaml'),
        clusterConfiguration('encryptionAlgorithm: ECDSA-P256'),
      );
      await done(tree, 'renew', 'apiserver', '--config', '/kubeadm.yaml');
      const ca = ['verify', '-CAfile', join(tree.certDir, 'ca.crt'), join(tree.certDir, 'apiserver.crt')];
      execFileSync(openssl, ca, { stdio: 'pipe' });
    });

    test("of a CA: it signs nothing, and the CA's certificate is shown", async (t) => {
      const openssl = judge(t, 'openssl');
      if (openssl === undefined) return;
      const tree = quickTree(t);
      const [key, crt] = [join(tree.certDir, 'ca.key'), join(tree.certDir, 'ca.crt')];
      genpkey(openssl, key, flags);
      const self = [
        'req',
        '-x509',
        '-new',
        '-key',
        key,
        '-subj',
        '/CN=kubernetes',
        '-days',
        '300',
        '-out',
        crt,
      ];
      execFileSync(openssl, self, { stdio: 'pipe' });
      const shown = await certs(tree, 'check-expiration');
      assert.match(shown.stdout, /^ca {2,}\w{3} \d\d, \d{4} .* 299d /m);
      const { stderr, code } = await certs(tree, 'renew', 'apiserver');
      assert.match(stderr, new RegExp(`/ca\\.key: is a key of the kind ${name}`));
      assert.equal(code, 1);
    });
  });
}
