import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireSound } from '../faults/invariants.ts';
import { requireAccepted } from '../support/servers/accepted.ts';
import { leafFacts, leafFiles, purposes, type LeafFiles } from '../support/certificates/certificates.ts';
import { emptyNode } from '../support/external-node.ts';
import { judge } from '../support/judge.ts';
import type { Outcome } from '../support/kubepki.ts';
import { runProgram } from '../support/program.ts';
import { certtool } from '../support/signers/certtool.ts';
import { cfssl } from '../support/signers/cfssl.ts';
import { opensslCa } from '../support/signers/openssl-ca.ts';
import type { KeyKind } from '../support/signers/signer.ts';
import { changes, fileChanges, snapshot, temporaryDirectory } from '../support/tree.ts';
import { certsInProcess as certs, doneInProcess as done } from '../support/in-process.ts';

/** The table shows every certificate as the external CA's, with so many whole days left. */
function requireEnds({ stdout }: Outcome, days: number): void {
  const rows = stdout.split('\n').filter((line) => / \d\d:\d\d UTC /.test(line));
  assert.equal(rows.length, 14);
  for (const row of rows) assert.match(row, / yes {5}$/);
  assert.equal(rows.filter((row) => row.includes(` ${String(days)}d `)).length, 11, stdout);
}

/** Every certificate has a key of the kind that was asked for, and openssl finds it fit for what it is for. */
async function requireFit(t: TestContext, leaves: readonly LeafFiles[], keyKind: KeyKind): Promise<void> {
  const openssl = judge(t, 'openssl');
  assert.ok(openssl);
  for (const leaf of leaves) {
    const facts = leafFacts(openssl, leaf);
    assert.equal(facts.publicKey, facts.publicKeyOfKeyFile, leaf.name);
    assert.match(facts.publicKey, keyKind === 'rsa' ? /^.*\nMIIB/ : /^.*\nMFkw/, leaf.name);
    for (const purpose of purposes(facts)) {
      const { code, stdout, stderr } = await runProgram(openssl, [
        ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', leaf.ca, leaf.certificate],
      ]);
      assert.equal(code, 0, `${leaf.name}: ${stdout}${stderr}`);
    }
  }
}

/** Which keys a CSR may have is openssl's and Go's to say; what else the programs differ in has nothing to do with keys. */
const programs = [
  { program: cfssl, keyKinds: ['rsa'] },
  { program: opensslCa, keyKinds: ['rsa', 'ecdsa'] },
  { program: certtool, keyKinds: ['ecdsa'] },
] as const;

for (const { program, keyKinds } of programs) {
  describe(`a CA of ${program.judge}`, () => {
    for (const keyKind of keyKinds) {
      test(`there and back: a new node, then new keys, then the old ones again (${keyKind})`, async (t) => {
        const set = emptyNode(t, program, keyKind, program.create);
        if (set === undefined) return;
        const { tree, signAll } = set;
        const scratch = temporaryDirectory(t);

        await done(tree, 'generate-csr', '--config', '/kubeadm.yaml');
        for (const directory of [tree.certDir, join(tree.certDir, 'etcd'), tree.kubeconfigDir]) {
          signAll(directory, 200);
        }
        await done(tree, 'install');
        const first = snapshot(tree.directory);
        const firstLeaves = leafFiles(tree, join(scratch, 'first'));
        assert.equal(firstLeaves.length, 11);
        await requireFit(t, firstLeaves, keyKind);
        await requireAccepted(t, tree, firstLeaves);

        await done(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/csr');
        requireEnds(await done(tree, 'check-expiration'), 199);
        signAll(join(tree.directory, 'csr'), 300);
        await done(tree, 'install', '--csr-dir', '/csr');
        requireEnds(await done(tree, 'check-expiration'), 299);
        const leaves = leafFiles(tree, join(scratch, 'second'));
        await requireFit(t, leaves, keyKind);
        await requireAccepted(t, tree, leaves);
        requireSound(tree, join(scratch, 'sound'), 11);

        await done(tree, 'rollback');
        assert.deepEqual(
          fileChanges(first, snapshot(tree.directory)).filter((line) => !line.startsWith('+ csr')),
          [],
        );
        requireEnds(await done(tree, 'check-expiration'), 199);
        requireSound(tree, join(scratch, 'back'), 11);
      });
    }

    test('that forgets the SANs is refused, and told what to do', async (t) => {
      const set = emptyNode(t, program, 'ecdsa', program.forgetful);
      if (set === undefined) return;
      const { tree, signAll } = set;
      await done(tree, 'generate-csr', '--config', '/kubeadm.yaml');
      signAll(tree.certDir, 200);
      const before = snapshot(tree.directory);
      const { code, stdout, stderr } = await certs(tree, 'install');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(
        stderr,
        /pki\/apiserver\.crt: the certificate for apiserver has other SANs than the CSR: missing DNS:api\.example\.com/,
      );
      assert.match(stderr, program.remedy);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  });
}
