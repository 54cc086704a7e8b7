import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startApiServer } from '../support/servers/api-server.ts';
import { leafFacts, leafFile } from '../support/certificates/certificates.ts';
import { judge } from '../support/judge.ts';
import { runProgram, type ProgramOutcome } from '../support/program.ts';
import { renewAll } from '../support/renewed.ts';
import { temporaryDirectory } from '../support/tree.ts';

const identities = [
  { kubeconfig: 'admin.conf', commonName: 'kubernetes-admin', organisations: ['system:masters'] },
  { kubeconfig: 'controller-manager.conf', commonName: 'system:kube-controller-manager', organisations: [] },
  { kubeconfig: 'scheduler.conf', commonName: 'system:kube-scheduler', organisations: [] },
];

for (const role of ['stacked-etcd-rsa', 'stacked-etcd-ecdsa']) {
  test(`kubectl works with the kubeconfigs renewed in ${role}, and the API server knows them`, async (t) => {
    const kubectl = judge(t, 'kubectl');
    const openssl = judge(t, 'openssl');
    if (kubectl === undefined || openssl === undefined) return;
    const { tree, leaves, originals } = await renewAll(t, role);
    const server = await startApiServer(leafFile(leaves, 'apiserver'));
    t.after(() => server.stop());
    const home = temporaryDirectory(t);

    // The fixture's own address is nobody's; `kubernetes` is among the certificate's names.
    const ask = (args: readonly string[]): Promise<ProgramOutcome> =>
      runProgram(kubectl, [`--server=${server.url}`, '--tls-server-name=kubernetes', ...args], {
        HOME: home,
      });

    for (const { kubeconfig, commonName, organisations } of identities) {
      await t.test(kubeconfig, async () => {
        const path = join(tree.kubeconfigDir, kubeconfig);
        const already = server.seen.length;

        const healthy = await ask([`--kubeconfig=${path}`, 'get', '--raw', '/healthz']);
        assert.equal(healthy.code, 0, healthy.stderr);
        assert.equal(healthy.stdout, 'ok');

        const version = await ask([`--kubeconfig=${path}`, 'version', '--output=json']);
        assert.equal(version.code, 0, version.stderr);
        assert.match(version.stdout, /"serverVersion"/);

        const seen = server.seen.slice(already);
        const { serial } = leafFacts(openssl, leafFile(leaves, kubeconfig));
        assert.notEqual(serial, leafFacts(openssl, leafFile(originals, kubeconfig)).serial);
        assert.deepEqual(
          seen.filter(({ path: asked }) => asked === '/healthz'),
          [{ path: '/healthz', commonName, organisations, serial }],
        );
        for (const request of seen) assert.equal(request.commonName, commonName);
      });
    }

    await t.test('nobody is let in without a certificate', async () => {
      const already = server.seen.length;
      const { ca } = leafFile(leaves, 'apiserver');
      const { code, stderr } = await ask([
        '--kubeconfig=/dev/null',
        `--certificate-authority=${ca}`,
        'get',
        '--raw',
        '/healthz',
      ]);
      assert.notEqual(code, 0);
      assert.match(stderr, /tls: certificate required|remote error: tls|EOF|handshake failure/);
      assert.equal(server.seen.length, already);
    });
  });
}
