import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { kubeletKubeconfig } from '../catalog/catalog.ts';
import { stateDirectoryName } from '../filesystem/own-names.ts';
import { lookFor } from './inventory.ts';
import type { Layout } from './layout.ts';
import { reading } from './reading.ts';
import { manifestPath } from './kubelet/static-pods.ts';

/** The files beside a node's certificates that tell what kind of node it is. */
export interface NodeSigns {
  /**
   * Whether the kubeconfigs that were found are of the same node as the certificates. Beside a copy of a PKI directory they
   * may be this machine's own, and then they tell nothing of it.
   */
  readonly ownKubeconfigs: boolean;
  /** Whether a kubelet.conf of this node is there. */
  readonly kubelet: boolean;
  /** Whether the API server's manifest of this node is there. */
  readonly apiServer: boolean;
}

/** Looks whether files are there, and opens none. */
export function readNodeSigns(layout: Layout): NodeSigns {
  const ownKubeconfigs = areKubeconfigsOwn(layout);
  // A path that cannot be looked at leads to something.
  const isThere = (path: string): boolean => ownKubeconfigs && lookFor(layout, path).status !== 'missing';
  return {
    ownKubeconfigs,
    kubelet: isThere(join(layout.kubeconfigDir, kubeletKubeconfig.name)),
    apiServer: isThere(manifestPath(layout, 'kube-apiserver')),
  };
}

function areKubeconfigsOwn({ root, certDir, kubeconfigDir, kubeconfigDirOrigin }: Layout): boolean {
  if (kubeconfigDirOrigin !== 'default') return true;
  const [beside, found] = [dirname(certDir), kubeconfigDir].map((path) =>
    reading(path, () => root.resolve(path)),
  );
  return beside?.status === 'present' && found?.status === 'present' && beside.value === found.value;
}

/** A cert dir without any certificate of kubeadm's. */
export interface StrangeDirectory {
  /** Host path. */
  readonly path: string;
  /** The path that a process inside the root would give to a flag. */
  readonly shown: string;
  readonly names: readonly string[];
  /** Whether a cert dir of kubeadm's is where it would be if this were `/etc/kubernetes`, or the root of a node's disk. */
  readonly holds: 'cert-dir' | 'root' | undefined;
}

/** Never throws: what cannot be looked at tells nothing. */
export function readStrangeDirectory(layout: Layout): StrangeDirectory {
  const { root, certDir } = layout;
  const names = reading(certDir, () =>
    readdirSync(root.resolve(certDir)).filter((name) => name !== stateDirectoryName),
  );
  const holdsCertDir = (path: string): boolean =>
    ['ca.crt', 'etcd/ca.crt'].some((name) => lookFor(layout, join(certDir, path, name)).status === 'present');
  // A root within the root that was given cannot be meant.
  const isRoot = root.directory === '/' && holdsCertDir('etc/kubernetes/pki');
  return {
    path: certDir,
    shown: root.display(certDir),
    names: names.status === 'present' ? names.value : [],
    holds: holdsCertDir('pki') ? 'cert-dir' : isRoot ? 'root' : undefined,
  };
}
