import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clusterInfo } from '../planners/verified-cluster.ts';
import { extensionPort } from './extension-server.ts';
import { clusterConfiguration, type NodePlace, type Sharing } from './roots.ts';

export interface Seed {
  /** Of the list that it is put into. */
  readonly path: string;
  readonly object: object;
  /** Kubernetes takes no endpoint on loopback. */
  readonly isOnLoopback?: true;
}

/** What `kubeadm init` puts into a cluster, as far as certificates are concerned, and an extension API server. */
export function seedsOf(
  controlPlanes: readonly NodePlace[],
  sharing: Sharing & { readonly extension: string },
): readonly Seed[] {
  const [first] = controlPlanes;
  const ca = readFileSync(join(first?.root ?? '', 'etc/kubernetes/pki/ca.crt'), 'utf8');
  const rbac = 'rbac.authorization.k8s.io';
  const binding = (name: string, role: string, group: string): Seed => ({
    path: `/apis/${rbac}/v1/clusterrolebindings`,
    object: {
      ...{ apiVersion: `${rbac}/v1`, kind: 'ClusterRoleBinding', metadata: { name } },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
      subjects: [{ apiGroup: rbac, kind: 'Group', name: group }],
    },
  });
  const map = (namespace: string, name: string, data: object): Seed => ({
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data },
  });
  const namespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];
  return [
    ...namespaces.map((name) => ({
      path: '/api/v1/namespaces',
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, status: { phase: 'Active' } },
    })),
    map('kube-public', 'cluster-info', { kubeconfig: clusterInfo(ca, `https://${sharing.endpoint}:6443`) }),
    map('kube-system', 'kubeadm-config', { ClusterConfiguration: clusterConfiguration(sharing) }),
    binding('kubeadm:cluster-admins', 'cluster-admin', 'kubeadm:cluster-admins'),
    binding(
      'kubeadm:node-autoapprove-certificate-rotation',
      'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
      'system:nodes',
    ),
    {
      path: '/api/v1/namespaces/default/serviceaccounts',
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
    },
    {
      isOnLoopback: true,
      path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices',
      object: {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'kubernetes', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
        addressType: 'IPv4',
        endpoints: controlPlanes.map(({ address }) => ({
          addresses: [address],
          conditions: { ready: true },
        })),
        ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
      },
    },
    {
      path: '/api/v1/namespaces/kube-system/services',
      object: {
        ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'metrics-server' } },
        spec: { type: 'ExternalName', externalName: sharing.extension },
      },
    },
    {
      path: '/apis/apiregistration.k8s.io/v1/apiservices',
      object: {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1beta1.metrics.k8s.io' },
        spec: {
          ...{ group: 'metrics.k8s.io', version: 'v1beta1', insecureSkipTLSVerify: true },
          ...{ groupPriorityMinimum: 100, versionPriority: 100 },
          service: { namespace: 'kube-system', name: 'metrics-server', port: extensionPort },
        },
      },
    },
  ];
}
