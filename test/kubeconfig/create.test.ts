import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKubeconfig } from '../../src/kubeconfig/create.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a kubeconfig is, byte for byte, what kubeadm 1.35 writes', () => {
  const [clusterCaPem, clientCertificatePem, clientKeyPem] = ['ca\n', 'certificate\n', 'key\n'];
  const made = createKubeconfig({
    clusterName: 'kubernetes',
    server: 'https://192.0.2.10:6443',
    userName: 'system:node:cp-1',
    clusterCaPem,
    clientCertificatePem,
    clientKeyPem,
  });
  assert.equal(
    made,
    `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${base64(clusterCaPem)}
    server: https://192.0.2.10:6443
  name: kubernetes
contexts:
- context:
    cluster: kubernetes
    user: system:node:cp-1
  name: system:node:cp-1@kubernetes
current-context: system:node:cp-1@kubernetes
kind: Config
users:
- name: system:node:cp-1
  user:
    client-certificate-data: ${base64(clientCertificatePem)}
    client-key-data: ${base64(clientKeyPem)}
`,
  );
});
