import { realBinaries } from './containers.ts';

/** Manifests as kubeadm 1.34 writes them for a stacked control plane, with extraArgs that keep every server at the node's address. */
export interface ManifestNode {
  readonly name: string;
  readonly address: string;
  /** etcd's, `name=url` each. */
  readonly members: readonly string[];
}

const pki = '/etc/kubernetes/pki';

export function manifestsOf({ name, address, members }: ManifestNode): Readonly<Record<string, string>> {
  const etcdMounts = [
    ['etcd-data', '/var/lib/etcd'],
    ['etcd-certs', `${pki}/etcd`],
  ] as const;
  // Up to 1.22, kubeadm closes a port that is the same on all addresses.
  const insecure = realBinaries === undefined ? [] : ['--port=0'];
  const pkiMount = ['k8s-certs', pki] as const;
  return {
    etcd: manifest('etcd', {
      words: [
        `--advertise-client-urls=https://${address}:2379`,
        `--cert-file=${pki}/etcd/server.crt`,
        '--client-cert-auth=true',
        '--data-dir=/var/lib/etcd',
        `--initial-advertise-peer-urls=https://${address}:2380`,
        `--initial-cluster=${members.join(',')}`,
        `--key-file=${pki}/etcd/server.key`,
        `--listen-client-urls=https://${address}:2379`,
        `--listen-metrics-urls=http://${address}:2381`,
        `--listen-peer-urls=https://${address}:2380`,
        `--name=${name}`,
        `--peer-cert-file=${pki}/etcd/peer.crt`,
        '--peer-client-cert-auth=true',
        `--peer-key-file=${pki}/etcd/peer.key`,
        `--peer-trusted-ca-file=${pki}/etcd/ca.crt`,
        '--snapshot-count=10000',
        `--trusted-ca-file=${pki}/etcd/ca.crt`,
      ],
      probe: { host: address, port: 2381, scheme: 'HTTP', path: '/health?serializable=true' },
      mounts: etcdMounts,
    }),
    'kube-apiserver': manifest('kube-apiserver', {
      words: [
        `--advertise-address=${address}`,
        '--allow-privileged=true',
        '--authorization-mode=Node,RBAC',
        `--bind-address=${address}`,
        `--client-ca-file=${pki}/ca.crt`,
        '--enable-admission-plugins=NodeRestriction',
        '--enable-bootstrap-token-auth=true',
        `--etcd-cafile=${pki}/etcd/ca.crt`,
        `--etcd-certfile=${pki}/apiserver-etcd-client.crt`,
        `--etcd-keyfile=${pki}/apiserver-etcd-client.key`,
        `--etcd-servers=https://${address}:2379`,
        `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
        `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
        '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
        `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
        `--proxy-client-key-file=${pki}/front-proxy-client.key`,
        '--requestheader-allowed-names=front-proxy-client',
        `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
        '--requestheader-extra-headers-prefix=X-Remote-Extra-',
        '--requestheader-group-headers=X-Remote-Group',
        '--requestheader-username-headers=X-Remote-User',
        '--secure-port=6443',
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-key-file=${pki}/sa.pub`,
        `--service-account-signing-key-file=${pki}/sa.key`,
        '--service-cluster-ip-range=10.96.0.0/12',
        `--tls-cert-file=${pki}/apiserver.crt`,
        `--tls-private-key-file=${pki}/apiserver.key`,
      ],
      probe: { host: address, port: 6443, scheme: 'HTTPS', path: '/livez' },
      mounts: [pkiMount],
    }),
    'kube-controller-manager': manifest('kube-controller-manager', {
      words: [
        '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf',
        `--bind-address=${address}`,
        `--client-ca-file=${pki}/ca.crt`,
        '--cluster-name=kubernetes',
        `--cluster-signing-cert-file=${pki}/ca.crt`,
        `--cluster-signing-key-file=${pki}/ca.key`,
        '--controllers=*,bootstrapsigner,tokencleaner',
        '--kubeconfig=/etc/kubernetes/controller-manager.conf',
        '--leader-elect=true',
        ...insecure,
        `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
        `--root-ca-file=${pki}/ca.crt`,
        '--secure-port=10257',
        `--service-account-private-key-file=${pki}/sa.key`,
        '--use-service-account-credentials=true',
      ],
      probe: { host: address, port: 10257, scheme: 'HTTPS', path: '/healthz' },
      mounts: [pkiMount, ['kubeconfig', '/etc/kubernetes/controller-manager.conf']],
    }),
    'kube-scheduler': manifest('kube-scheduler', {
      words: [
        '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf',
        '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf',
        `--bind-address=${address}`,
        '--kubeconfig=/etc/kubernetes/scheduler.conf',
        '--leader-elect=true',
        '--secure-port=10259',
      ],
      probe: { host: address, port: 10259, scheme: 'HTTPS', path: '/livez' },
      mounts: [['kubeconfig', '/etc/kubernetes/scheduler.conf']],
    }),
  };
}

interface Container {
  readonly words: readonly string[];
  readonly probe: {
    readonly host: string;
    readonly port: number;
    readonly scheme: 'HTTP' | 'HTTPS';
    readonly path: string;
  };
  readonly mounts: readonly (readonly [name: string, path: string])[];
}

function manifest(
  component: string,
  { words, probe: { host, port, scheme, path }, mounts }: Container,
): string {
  return `apiVersion: v1
kind: Pod
metadata:
  labels:
    component: ${component}
    tier: control-plane
  name: ${component}
  namespace: kube-system
spec:
  containers:
  - command:
    - ${[component, ...words].join('\n    - ')}
    image: registry.k8s.io/${component}:v1.34.0
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: ${host}
        path: ${path}
        port: probe-port
        scheme: ${scheme}
      initialDelaySeconds: 10
      periodSeconds: 10
      timeoutSeconds: 15
    name: ${component}
    ports:
    - containerPort: ${String(port)}
      name: probe-port
      protocol: TCP
    volumeMounts:
${mounts.map(([name, at]) => `    - mountPath: ${at}\n      name: ${name}`).join('\n')}
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  volumes:
${mounts.map(([name, at]) => `  - hostPath:\n      path: ${at}\n    name: ${name}`).join('\n')}
status: {}
`;
}
