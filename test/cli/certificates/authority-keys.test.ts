/** CAs with ECDSA keys on every curve that Go has: kubeadm signs with them, and so do we. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { startApiServer } from '../../support/servers/api-server.ts';
import { doneInProcess as done } from '../../support/in-process.ts';
import { leafFile, leafFiles } from '../../support/certificates/certificates.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { runProgram } from '../../support/program.ts';
import { temporaryDirectory } from '../../support/tree.ts';

for (const [curve, hash] of [
  ['P-224', 'SHA256'],
  ['P-521', 'SHA512'],
] as const) {
  test(`a CA on ${curve} signs, with ${hash}; openssl and kubectl verify it`, async (t) => {
    const [openssl, kubectl] = [judge(t, 'openssl'), judge(t, 'kubectl')];
    if (openssl === undefined || kubectl === undefined) return;
    const tree = quickTree(t);
    const pki = (name: string): string => join(tree.certDir, name);
    execFileSync(
      openssl,
      [
        ...['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`],
        ...['-subj', '/CN=kubernetes', '-days', '3650', '-keyout', pki('ca.key'), '-out', pki('ca.crt')],
        ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign'],
      ],
      { stdio: 'pipe' },
    );
    await done(tree, 'renew', 'apiserver', 'admin.conf', '--force');
    // The new leaves' keys are of the kind that the old ones were.
    const text = execFileSync(openssl, ['x509', '-in', pki('apiserver.crt'), '-noout', '-text']).toString();
    assert.match(text, new RegExp(`Signature Algorithm: ecdsa-with-${hash}\n`));
    assert.match(text, /NIST CURVE: P-256/);
    execFileSync(openssl, ['verify', '-x509_strict', '-CAfile', pki('ca.crt'), pki('apiserver.crt')]);
    const leaves = leafFiles(tree, temporaryDirectory(t));
    const server = await startApiServer(leafFile(leaves, 'apiserver'));
    t.after(() => server.stop());
    const { code, stdout, stderr } = await runProgram(
      kubectl,
      [
        ...[`--server=${server.url}`, '--tls-server-name=kubernetes'],
        ...[`--kubeconfig=${join(tree.kubeconfigDir, 'admin.conf')}`, 'get', '--raw', '/healthz'],
      ],
      { HOME: temporaryDirectory(t) },
    );
    assert.deepEqual([code, stdout], [0, 'ok'], stderr);
  });
}
