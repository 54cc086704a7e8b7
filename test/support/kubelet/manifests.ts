/** Manifests as kubeadm 1.34 writes them: the probes name their port. Paths are those inside the containers. */
export interface ManifestValues {
  readonly ports: {
    readonly etcdClient: number;
    readonly etcdPeer: number;
    readonly etcdMetrics: number;
    readonly apiserver: number;
    readonly controllerManager: number;
    readonly scheduler: number;
  };
  /** More flags, by component. */
  readonly flags?: Readonly<Record<string, readonly string[]>>;
  /** etcd's name on this node. */
  readonly member?: string;
  /** etcd's members, `name=url` each; this node's alone by default. */
  readonly members?: readonly string[];
}

export function kubeadmManifests({
  ports,
  flags = {},
  member = 'control-plane-1',
  members,
}: ManifestValues): Readonly<Record<string, string>> {
  const pki = '/etc/kubernetes/pki';
  const client = `https://127.0.0.1:${String(ports.etcdClient)}`;
  const peer = `https://127.0.0.1:${String(ports.etcdPeer)}`;
  return {
    etcd: manifest(
      'etcd',
      ports.etcdMetrics,
      { scheme: 'HTTP', path: '/health?exclude=NOSPACE&serializable=true' },
      [
        `--advertise-client-urls=${client}`,
        '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
        '--client-cert-auth=true',
        `--data-dir=/var/lib/etcd/${member}`,
        `--initial-advertise-peer-urls=${peer}`,
        `--initial-cluster=${(members ?? [`${member}=${peer}`]).join(',')}`,
        `--key-file=${pki}/etcd/server.key`,
        `--listen-client-urls=${client}`,
        `--listen-metrics-urls=http://127.0.0.1:${String(ports.etcdMetrics)}`,
        `--listen-peer-urls=${peer}`,
        `--name=${member}`,
        `--peer-cert-file=${pki}/etcd/peer.crt`,
        '--peer-client-cert-auth=true',
        `--peer-key-file=${pki}/etcd/peer.key`,
        `--peer-trusted-ca-file=${pki}/etcd/ca.crt`,
        '--snapshot-count=10000',
        `--trusted-ca-file=${pki}/etcd/ca.crt`,
        ...(flags['etcd'] ?? []),
      ],
    ),
    'kube-apiserver': manifest('kube-apiserver', ports.apiserver, { scheme: 'HTTPS', path: '/livez' }, [
      '--advertise-address=127.0.0.1',
      '--bind-address=127.0.0.1',
      `--secure-port=${String(ports.apiserver)}`,
      `--tls-cert-file=${pki}/apiserver.crt`,
      `--tls-private-key-file=${pki}/apiserver.key`,
      ...(flags['kube-apiserver'] ?? []),
    ]),
    'kube-controller-manager': manifest(
      'kube-controller-manager',
      ports.controllerManager,
      { scheme: 'HTTPS', path: '/healthz' },
      [
        '--bind-address=127.0.0.1',
        `--secure-port=${String(ports.controllerManager)}`,
        '--kubeconfig=/etc/kubernetes/controller-manager.conf',
        ...(flags['kube-controller-manager'] ?? []),
      ],
    ),
    'kube-scheduler': manifest('kube-scheduler', ports.scheduler, { scheme: 'HTTPS', path: '/livez' }, [
      '--bind-address=127.0.0.1',
      `--secure-port=${String(ports.scheduler)}`,
      '--kubeconfig=/etc/kubernetes/scheduler.conf',
      ...(flags['kube-scheduler'] ?? []),
    ]),
  };
}

/** The host's directory, or kubeconfig, that each has under the same path. */
const mounted: Readonly<Record<string, string>> = {
  etcd: '/etc/kubernetes/pki/etcd',
  'kube-apiserver': '/etc/kubernetes/pki',
  'kube-controller-manager': '/etc/kubernetes/controller-manager.conf',
  'kube-scheduler': '/etc/kubernetes/scheduler.conf',
};

function manifest(
  name: string,
  port: number,
  { scheme, path }: { readonly scheme: 'HTTP' | 'HTTPS'; readonly path: string },
  words: readonly string[],
): string {
  return `apiVersion: v1
kind: Pod
metadata:
  labels:
    component: ${name}
    tier: control-plane
  name: ${name}
  namespace: kube-system
spec:
  containers:
  - command:
    - ${[name, ...words].join('\n    - ')}
    image: registry.k8s.io/${name}:v1.34.0
    imagePullPolicy: IfNotPresent
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: 127.0.0.1
        path: ${path}
        port: probe-port
        scheme: ${scheme}
      initialDelaySeconds: 10
      periodSeconds: 10
      timeoutSeconds: 15
    name: ${name}
    ports:
    - containerPort: ${String(port)}
      name: probe-port
      protocol: TCP
    volumeMounts:
    - mountPath: ${mounted[name] ?? ''}
      name: certificates
      readOnly: true
  hostNetwork: true
  priority: 2000001000
  priorityClassName: system-node-critical
  volumes:
  - hostPath:
      path: ${mounted[name] ?? ''}
    name: certificates
status: {}
`;
}
