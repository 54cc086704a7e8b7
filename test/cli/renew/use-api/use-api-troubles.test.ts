/** `renew --use-api`, and an API server in trouble: a certificate is either issued and in place, or nothing has changed. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs } from '../../../support/in-process.ts';
import { authorityOf } from '../../../support/cluster/authority.ts';
import type { RequestFault } from '../../../support/cluster/server.ts';
import { judge } from '../../../support/judge.ts';
import { snapshot, temporaryDirectory } from '../../../support/tree.ts';
import {
  inPlace,
  kept,
  pendingFiles,
  renew,
  signingNode,
  two,
  unchanged,
} from '../../../support/cluster/use-api.ts';

function status(code: number, reason: string, headers: Readonly<Record<string, string>> = {}): RequestFault {
  return { status: code, headers, body: { kind: 'Status', apiVersion: 'v1', reason, message: reason } };
}

describe('what passes is ridden out', () => {
  const passing: readonly (readonly [string, RequestFault])[] = [
    ['429', status(429, 'TooManyRequests', { 'retry-after': '1' })],
    ['500', status(500, 'InternalError')],
    ['503', status(503, 'ServiceUnavailable')],
    ['a connection that is cut', 'reset'],
    ['an answer that is lost', 'lost'],
  ];
  for (const method of ['POST', 'GET', 'PUT', 'DELETE'] as const) {
    for (const [title, fault] of passing) {
      test(`${title}, once, of ${method}`, async (t) => {
        let left = 1;
        const node = await signingNode(t, {
          faults: (asked) => {
            if (asked.method !== method || left === 0 || !asked.path.includes('certificatesigningrequests')) {
              return undefined;
            }
            left -= 1;
            return fault;
          },
        });
        if (node === undefined) return;
        const { stderr, code } = await renew(node.tree, ...two, '--approve');
        assert.deepEqual([code, left], [0, 0], stderr);
        inPlace(node);
        assert.deepEqual(pendingFiles(node.tree), []);
        // A deletion is tidying up, and is tried but once: what is left is said.
        const undeleted = method === 'DELETE' && fault !== 'lost' ? 1 : 0;
        assert.equal(kept(node).length, undeleted);
        if (undeleted > 0) {
          assert.match(
            stderr,
            new RegExp(`^hint: delete it: kubectl delete csr ${kept(node).join(' ')}$`, 'm'),
          );
        }
      });
    }
  }
});

describe('what lasts is an error', () => {
  const lasting: readonly (readonly [string, RequestFault, RegExp])[] = [
    ['429', status(429, 'TooManyRequests'), /has too much to do \(429\)/],
    ['500', status(500, 'InternalError'), /answered 500/],
    ['every connection cut', 'reset', /broke the connection off/],
    ['half an answer', 'half', /did not answer within 10 s/],
    ['silence', 'hang', /did not answer within 10 s/],
  ];
  for (const [title, fault, sentence] of lasting) {
    test(`${title}: whether it has been asked is not known, so the keys stay`, async (t) => {
      let inTrouble = true;
      const node = await signingNode(t, {
        faults: ({ path }) => (inTrouble && path.includes('certificatesigningrequests') ? fault : undefined),
      });
      if (node === undefined) return;
      const before = snapshot(node.tree.directory);
      const { stdout, stderr, code } = await renew(node.tree, ...two, '--approve', '--timeout', '2s');
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^error: the API server at \\S+ ${sentence.source}`, 'm'));
      assert.match(
        stderr,
        /the requests and their keys are kept; to go on: kubepki certs renew --use-api --resume/,
      );
      unchanged(node.tree, before);
      assert.equal(pendingFiles(node.tree).length, 3);
      inTrouble = false;
      const resumed = await renew(node.tree, '--resume', '--approve');
      assert.equal(resumed.code, 0, resumed.stderr);
      inPlace(node);
    });
  }

  test('401: the certificate in the kubeconfig has expired, and nothing is left behind', async (t) => {
    const openssl = judge(t, 'openssl');
    const node = await signingNode(t);
    if (openssl === undefined || node === undefined) return;
    const { tree } = node;
    const files = { certificate: join(tree.certDir, 'ca.crt'), key: join(tree.certDir, 'ca.key') };
    const old = authorityOf(openssl, files, temporaryDirectory(t)).issue({
      subject: '/O=kubeadm:cluster-admins/CN=kubernetes-admin',
      expired: true,
    });
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const text = readFileSync(path, 'utf8')
      .replace(
        /client-certificate-data: .*/,
        `client-certificate-data: ${old.certificate.toString('base64')}`,
      )
      .replace(/client-key-data: .*/, `client-key-data: ${old.key.toString('base64')}`);
    writeFileSync(path, text);
    const before = snapshot(tree.directory);
    const { stderr, code } = await renew(tree, ...two, '--approve');
    assert.equal(code, 1);
    assert.match(stderr, /^error: the API server at \S+ does not know the user of the kubeconfig \(401\)$/m);
    assert.match(stderr, /^hint: the certificate in it may have expired/m);
    unchanged(tree, before);
    assert.deepEqual([kept(node), pendingFiles(tree)], [[], []]);
    // What helps then needs no API.
    assert.equal((await certs(tree, 'renew', 'admin.conf', '--offline')).code, 0);
    assert.equal((await renew(tree, ...two, '--approve')).code, 0);
  });

  test('its own certificate has expired: it is told nothing, and nothing is left behind', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const scratch = temporaryDirectory(t);
    const node = await signingNode(t, {
      serving: ({ certDir }) => {
        const files = { certificate: join(certDir, 'ca.crt'), key: join(certDir, 'ca.key') };
        const names = 'IP:127.0.0.1,DNS:kubernetes';
        return authorityOf(openssl, files, scratch).issue({
          subject: '/CN=kube-apiserver',
          names,
          expired: true,
        });
      },
    });
    if (node === undefined) return;
    const before = snapshot(node.tree.directory);
    const { stderr, code } = await renew(node.tree, ...two, '--approve');
    assert.equal(code, 1);
    assert.match(stderr, /^error: the API server at \S+ has a certificate that has expired$/m);
    unchanged(node.tree, before);
    assert.deepEqual([node.server.seen, pendingFiles(node.tree)], [[], []]);
  });
});
