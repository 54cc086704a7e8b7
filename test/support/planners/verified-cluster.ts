import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { noNaming } from '../../../src/config/node-naming.ts';
import { parseCertificates, type Chain } from '../../../src/pki/certificate/certificate.ts';
import { keyId, parsePublicKey } from '../../../src/pki/key/public-key.ts';
import type { Asked, Cluster } from '../../../src/operations/verification/cluster/cluster.ts';
import type { Tree } from '../tree.ts';
import { now } from './verified-node.ts';

export function answered<T>(value: T): Asked<T> {
  return { status: 'answered', value };
}

/** The certificates in a file of the node's cert dir. */
export function chainIn(tree: Tree, name: string): Chain {
  return parseCertificates(readFileSync(join(tree.certDir, name)));
}

export function minutesBefore(minutes: number): Date {
  return new Date(now.getTime() - minutes * 60_000);
}

/** The id of the key of sa.pub. */
export function tokenKeyOf(tree: Tree): string {
  return keyId(parsePublicKey(readFileSync(join(tree.certDir, 'sa.pub'))));
}

/** The kubeconfig of `cluster-info`, as kubeadm writes it. */
export function clusterInfo(ca: string, server = 'https://192.0.2.10:6443'): string {
  return `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(ca).toString('base64')}
    server: ${server}
  name: ""
contexts: null
current-context: ""
kind: Config
preferences: {}
users: null
`;
}

/** What the cluster of a verified node says where all is well. */
export function verifiedCluster(tree: Tree): Cluster {
  const ca = readFileSync(join(tree.certDir, 'ca.crt'), 'utf8');
  const frontProxyCa = readFileSync(join(tree.certDir, 'front-proxy-ca.crt'), 'utf8');
  // Some fixtures have none.
  const tokenKeys = existsSync(join(tree.certDir, 'sa.pub')) ? [tokenKeyOf(tree)] : ['another'];
  const serving = chainIn(tree, 'apiserver.crt');
  return {
    kubeconfig: '/etc/kubernetes/admin.conf',
    namespaces: answered([
      { name: 'default', createdAt: minutesBefore(60), isEnding: false },
      { name: 'kube-system', createdAt: minutesBefore(60), isEnding: false },
      { name: 'just-made', createdAt: minutesBefore(1), isEnding: false },
      { name: 'going', createdAt: minutesBefore(60), isEnding: true },
    ]),
    rootCas: answered([
      { namespace: 'default', pem: ca },
      { namespace: 'kube-system', pem: ca },
    ]),
    clusterInfo: answered(clusterInfo(ca)),
    authentication: answered({ clientCas: ca, requestHeaderCas: frontProxyCa }),
    configuration: answered({
      config: {
        certificatesDir: '/etc/kubernetes/pki',
        etcd: { kind: 'stacked' },
        encryptionAlgorithm: 'RSA-2048',
        certificateValidityMs: undefined,
        caCertificateValidityMs: undefined,
      },
      naming: {
        ...noNaming,
        kubernetesMinor: 35,
        controlPlaneEndpoint: { host: '192.0.2.10', port: 6443 },
        serviceSubnets: ['10.96.0.0/12'],
        dnsDomain: 'cluster.local',
        apiServerSans: ['127.0.0.1'],
      },
      otherCertDir: undefined,
    }),
    apiServers: answered(
      ['192.0.2.10', '192.0.2.11'].map((host) => ({
        host,
        port: 6443,
        shown: { status: 'shown', chain: serving },
        tokenKeys: answered(tokenKeys),
      })),
    ),
    kubelets: answered([
      { node: 'cp-1', isReady: true, shown: { status: 'shown', chain: serving } },
      { node: 'cp-2', isReady: true, shown: { status: 'shown', chain: serving } },
    ]),
    requests: answered([
      {
        name: 'csr-a',
        createdAt: minutesBefore(50),
        signerName: 'kubernetes.io/kubelet-serving',
        username: 'system:node:cp-1',
        state: 'approved',
      },
      {
        name: 'csr-b',
        createdAt: minutesBefore(2),
        signerName: 'kubernetes.io/kubelet-serving',
        username: 'system:node:cp-2',
        state: 'pending',
      },
    ]),
    bindings: answered([
      {
        name: 'kubeadm:cluster-admins',
        role: 'cluster-admin',
        subjects: [{ kind: 'Group', name: 'kubeadm:cluster-admins' }],
      },
    ]),
  };
}
