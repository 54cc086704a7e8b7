import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { AuthorityEntry, CertificateEntry, Inventory } from '../../inventory/inventory.ts';
import type { NodeSigns, StrangeDirectory } from '../../inventory/node-signs.ts';
import type { StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { flagValues, lastFlagValue } from './component-flags.ts';

/**
 * What kubeadm has made of a node, as far as its files tell:
 * - `control-plane`: kubeadm manages all that it knows here, what is missing too
 * - `etcd-host`: a member of an external etcd as kubeadm's guide to highly available clusters makes it. Only etcd's
 *   certificates are managed here, and no other is missing
 * - `worker`: its kubelet renews its own certificate, and kubeadm manages none
 * - `nothing`: no file that kubeadm knows
 */
type NodeKind = 'control-plane' | 'etcd-host' | 'worker' | 'nothing';

/**
 * Where a control plane has its etcd. The configuration says `stacked` or `external`; without one it is `elsewhere` where the
 * files tell so, and then what there is of etcd's certificates is shown, and nothing of them is missing.
 */
export type EtcdPlace = 'stacked' | 'external' | 'elsewhere';

export function nodeKind(inventory: Inventory, { ownKubeconfigs, kubelet, apiServer }: NodeSigns): NodeKind {
  const certificates = inventory.certificates.filter(
    (entry) => (entry.kind === 'leaf' || ownKubeconfigs) && isCertificateThere(entry),
  );
  const authorities = inventory.authorities.filter(isAuthorityThere);
  const isControlPlane =
    apiServer ||
    certificates.some(({ spec }) => !spec.stackedEtcd) ||
    // Every node has the certificate of the cluster's CA, and only a control plane its key.
    authorities.some(
      ({ spec, key }) => !spec.stackedEtcd && (spec.name !== 'ca' || key.status !== 'missing'),
    );
  const isKnown = certificates.length > 0 || authorities.length > 0;
  if (isControlPlane) return isKnown ? 'control-plane' : 'nothing';
  if (certificates.some(({ spec }) => isEtcds(spec))) return 'etcd-host';
  // A node with a certificate, or with etcd's CA, is a control plane that is still to be made.
  const isPrepared = certificates.length > 0 || authorities.some(({ spec }) => spec.stackedEtcd);
  if (kubelet && !isPrepared) return 'worker';
  return isKnown ? 'control-plane' : 'nothing';
}

/** Whether nothing that only a stacked etcd has is there: neither a certificate of etcd's own, nor a key of its CA. */
export function lacksStackedEtcd({ certificates, authorities }: Inventory): boolean {
  return (
    !certificates.some((entry) => isEtcds(entry.spec) && isCertificateThere(entry)) &&
    !authorities.some(({ spec, key }) => spec.stackedEtcd && key.status !== 'missing')
  );
}

/**
 * Whether the manifests tell of an etcd that kubeadm does not run. A stacked one has an etcd.yaml, and the API server reaches it
 * at 127.0.0.1 with apiserver-etcd-client. Without a manifest of the API server, nothing is known.
 */
export function isEtcdElsewhere(pods: Pick<StaticPods, 'etcd' | 'kube-apiserver'>): boolean {
  const { etcd, 'kube-apiserver': apiServer } = pods;
  if (etcd.status !== 'missing' || apiServer.status !== 'present') return false;
  const { words } = apiServer.value;
  const client = lastFlagValue(words, 'etcd-certfile');
  if (client !== undefined && !client.endsWith('/apiserver-etcd-client.crt')) return true;
  const own = lastFlagValue(words, 'advertise-address');
  return flagValues(words, 'etcd-servers')
    .flatMap((servers) => servers.split(','))
    .flatMap((text) =>
      URL.canParse(text.trim()) ? [new URL(text.trim()).hostname.replace(/^\[|\]$/g, '')] : [],
    )
    .some((host) => host !== '' && !isLoopback(host) && host !== own?.toLowerCase());
}

function isLoopback(host: string): boolean {
  return ['localhost', '::1', '0.0.0.0'].includes(host) || host.startsWith('127.');
}

/** What kubeadm manages on such a node. */
export function managedOn(
  kind: Extract<NodeKind, 'control-plane' | 'etcd-host'>,
  etcd: EtcdPlace,
  inventory: Inventory,
): Inventory {
  const certificates = inventory.certificates.filter((entry) => {
    const { spec } = entry;
    // On each host the guide makes a client certificate for the API server, which is needed elsewhere.
    if (kind === 'etcd-host') return isEtcds(spec) || (spec.stackedEtcd && isCertificateThere(entry));
    return (
      !spec.stackedEtcd || etcd === 'stacked' || (etcd === 'elsewhere' && entry.state.status !== 'missing')
    );
  });
  const isNeeded = (authority: AuthorityEntry): boolean =>
    isAuthorityThere(authority) || certificates.some(({ spec }) => spec.caName === authority.spec.name);
  return {
    ...inventory,
    certificates,
    authorities: inventory.authorities.filter((authority) => {
      const { stackedEtcd } = authority.spec;
      if (kind === 'etcd-host') return stackedEtcd;
      return !stackedEtcd || etcd === 'stacked' || (etcd === 'elsewhere' && isNeeded(authority));
    }),
  };
}

/** The error for a node on which nothing can be looked at or renewed. */
export function nothingManaged(
  kind: Extract<NodeKind, 'worker' | 'nothing'>,
  directory: StrangeDirectory,
): KubepkiError {
  if (kind === 'worker') {
    return new KubepkiError('not-found', "is a worker node's: kubeadm manages no certificate there", {
      file: directory.path,
      hint: 'the kubelet renews its own certificate; look at a control-plane node',
    });
  }
  return new KubepkiError('not-found', 'holds nothing that kubeadm knows', {
    file: directory.path,
    hint: whatIsThere(directory),
  });
}

/** Other programs that make a control plane, by the names of their files. */
const others = [
  {
    names: /^(?:server|client|request-header)-ca\.(?:crt|key)$/,
    hint: 'this looks like k3s or RKE2, which look after their own: `k3s certificate rotate`, `rke2 certificate rotate`',
  },
  {
    names: /^kube-(?:ca|apiserver|etcd)\S*\.pem$/,
    hint: 'this looks like RKE, which looks after its own: `rke cert rotate`',
  },
  {
    names: /^(?:member|node|admin)-\S+\.pem$/,
    hint: 'this looks like the etcd of Kubespray, which looks after its own',
  },
  {
    names: /^\S+\.pem$/,
    hint: 'these names are not those of kubeadm, which has apiserver.crt and ca.crt: was this made by hand, or by Kubespray?',
  },
] as const;

function whatIsThere({ shown, names, holds }: StrangeDirectory): string {
  if (holds === 'cert-dir') return `did you mean --cert-dir ${shellWord(`${shown.replace(/\/$/, '')}/pki`)}?`;
  if (holds === 'root') return `did you mean --rootfs ${shellWord(shown)}?`;
  const other = others.find((one) => names.some((name) => one.names.test(name)));
  if (other !== undefined) return other.hint;
  const isEmpty = names.every((name) => name === 'lost+found');
  return isEmpty
    ? 'it is empty: mount its disk, or name the directory with --cert-dir'
    : 'name the directory with --cert-dir';
}

function isEtcds({ components }: CertificateSpec): boolean {
  return components.includes('etcd');
}

/** A key that waits for its certificate counts, too. */
function isCertificateThere(entry: CertificateEntry): boolean {
  return entry.state.status !== 'missing' || (entry.kind === 'leaf' && entry.key.status !== 'missing');
}

function isAuthorityThere({ bundle, key }: AuthorityEntry): boolean {
  return bundle.status !== 'missing' || key.status !== 'missing';
}
