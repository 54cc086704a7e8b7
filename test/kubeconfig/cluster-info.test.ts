import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubepkiError } from '../../src/errors/error.ts';
import { readClusterInfo } from '../../src/kubeconfig/cluster-info.ts';

const server = 'https://192.0.2.10:6443';
const ca = Buffer.from('PEM').toString('base64');

test('the kubeconfig of cluster-info has a cluster without a name, and no context', () => {
  const text = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${ca}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
  assert.deepEqual(readClusterInfo(text), { server, ca: 'PEM' });
});

test('one that an operator has put there may have a context', () => {
  const text = `clusters:
- {name: other, cluster: {server: 'https://other.example.com'}}
- {name: own, cluster: {server: '${server}', certificate-authority: /etc/kubernetes/pki/ca.crt}}
contexts:
- {name: here, context: {cluster: own, user: nobody}}
current-context: here
`;
  // A file is on no machine that is still to join.
  assert.deepEqual(readClusterInfo(text), { server, ca: undefined });
});

test('what holds no cluster is an error that quotes nothing', () => {
  for (const text of ['', '- 1', 'secret', 'clusters: []', 'clusters: [{name: "", cluster: secret}]']) {
    assert.throws(
      () => readClusterInfo(text),
      (error: unknown) => {
        assert.ok(error instanceof KubepkiError);
        assert.equal(error.code, 'bad-kubeconfig');
        assert.ok(!error.message.includes('secret'));
        return true;
      },
    );
  }
});
