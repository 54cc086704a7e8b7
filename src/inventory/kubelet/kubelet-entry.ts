import { basename, dirname, join } from 'node:path';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { exists } from '../../filesystem/regular-file.ts';
import { parseCertificates, type Chain } from '../../pki/certificate/certificate.ts';
import { locateBeside, readAuthorityFile, textOf } from '../kubeconfig-files.ts';
import {
  readKubeconfigState,
  type CertificateEntry,
  type Inventory,
  type KubeconfigState,
} from '../inventory.ts';
import { hasKubeadmsKubeconfigDir, type Layout } from '../layout.ts';
import { named, namingOf, readDirectory, readFile, reading } from '../reading.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';

/**
 * The kubelet's certificate and key in one file, which is a link to the last one that it was given (client-go's certificate store,
 * in the kubelet's --cert-dir, which kubeadm leaves at its default).
 */
export const kubeletCertificate = '/var/lib/kubelet/pki/kubelet-client-current.pem';

/** What it serves with serverTLSBootstrap, likewise. */
export const kubeletServingCertificate = '/var/lib/kubelet/pki/kubelet-server-current.pem';

/** kubelet.conf is among a node's certificates only where it is asked for by name: kubeadm neither lists nor renews it. */
export function withKubelet(inventory: Inventory): Inventory {
  return { ...inventory, certificates: [...inventory.certificates, readKubeletEntry(inventory.layout)] };
}

/** The kubelet's certificate where the kubelet reads it when it starts. Never throws for a bad file. */
function readKubeletEntry(layout: Layout): CertificateEntry {
  const path = join(layout.kubeconfigDir, kubeletKubeconfig.name);
  return {
    kind: 'kubeconfig',
    spec: kubeletKubeconfig,
    certificatePath: path,
    state: reading(path, () => readKubeletState(layout, path)),
  };
}

function readKubeletState(layout: Layout, path: string): KubeconfigState | undefined {
  const { root } = layout;
  const { target: file, bytes } = readFile(root, path);
  if (bytes === undefined) return undefined;
  const kubeconfig = readKubeconfig(textOf(bytes));
  const { clientCertificate, clientKey } = kubeconfig;
  const isOneFile =
    clientCertificate.kind === 'file' &&
    clientKey.kind === 'file' &&
    locateBeside(root, file, clientCertificate.path) === locateBeside(root, file, clientKey.path);
  const store = root.locate(kubeletCertificate);
  const shown = isOneFile ? clientCertificate.path : kubeletCertificate;
  const pem = isOneFile ? locateBeside(root, file, clientCertificate.path) : store;
  if (!isOneFile && !isStoreInUse(layout, clientCertificate.kind)) {
    return readKubeconfigState(layout, file, bytes);
  }
  const found = readFile(root, pem);
  const isOwnStore = pem === store;
  const target = isOwnStore ? found.target : named(found.target, namingOf(file));
  const chain =
    (found.bytes && whole(found.bytes)) ??
    (clientCertificate.kind === 'data' ? whole(clientCertificate.bytes) : undefined) ??
    lastDated(layout, pem);
  if (chain === undefined) throw noName(pem);
  const isLink = root.linksOnTheWay(pem).includes(join(root.resolve(dirname(pem)), basename(pem)));
  return {
    file,
    kubeconfig,
    chain,
    certificateFile: target,
    keyPath: pem,
    authorityFile: readAuthorityFile(root, file, kubeconfig),
    rotated: { target, shown, isLink },
  };
}

/**
 * A kubelet that has run has a store, and reads that before what kubelet.conf holds. Two files that kubelet.conf names are read
 * where the store is empty. A copy of the kubeconfigs leaves the store of the machine that it lies on alone.
 */
function isStoreInUse(layout: Layout, held: 'data' | 'file'): boolean {
  if (!hasKubeadmsKubeconfigDir(layout)) return false;
  const store = layout.root.locate(kubeletCertificate);
  const sign = held === 'data' ? dirname(store) : store;
  return exists(layout.root.resolve(sign), sign);
}

/** Where the link is gone, or leads nowhere, the files that it led to may be there still: the newest says whose they are. */
function lastDated({ root }: Layout, pem: string): Chain | undefined {
  const directory = dirname(pem);
  const prefix = basename(pem).replace(/current\.pem$/, '');
  const names = readDirectory(root, directory)
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && /-\d{4}(?:-\d\d){5}\.pem$/.test(name))
    .sort();
  for (const name of names.reverse()) {
    const { bytes } = readFile(root, join(directory, name));
    const chain = bytes && whole(bytes);
    if (chain !== undefined) return chain;
  }
  return undefined;
}

/** @returns undefined for a file that is damaged, and so is what is to be mended */
function whole(bytes: Buffer): Chain | undefined {
  try {
    return parseCertificates(bytes);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return undefined;
  }
}

function noName(pem: string): KubepkiError {
  return new KubepkiError('not-found', 'holds no certificate, and no other file says which node it is of', {
    file: pem,
    hint: 'move kubelet.conf away, and make another: "kubepki certs generate kubelet.conf", with the flags of this command line; then: systemctl restart kubelet',
  });
}
