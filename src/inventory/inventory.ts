import { join } from 'node:path';
import {
  certificateAuthorities,
  certificates,
  etcdClientSpec,
  type CaSpec,
  type KubeconfigSpec,
  type LeafSpec,
} from '../catalog/catalog.ts';
import { tokenKeyFiles } from '../catalog/init-order.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError, naming } from '../errors/error.ts';
import { nextTokenKey, oldTokenKey, stateDirectoryName } from '../filesystem/own-names.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { Kubeconfig, PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readKubeconfig } from '../kubeconfig/read.ts';
import { parseCertificates, type Chain } from '../pki/certificate/certificate.ts';
import { named, namingOf, readFile, reading, readSlot, type Reading, type Slot } from './reading.ts';
import { locateBeside, readAuthorityFile, textOf } from './kubeconfig-files.ts';
import type { Layout } from './layout.ts';

/** A CA as its certificate file shows it. */
export interface AuthorityEntry {
  readonly spec: CaSpec;
  readonly certificatePath: string;
  readonly keyPath: string;
  /** undefined: the certificate's file could not be read. */
  readonly file: FileTarget | undefined;
  readonly bundle: Reading<Chain>;
  /** Not opened, only looked for. */
  readonly key: Reading<'there'>;
}

interface LeafEntry {
  readonly kind: 'leaf';
  readonly spec: LeafSpec;
  readonly certificatePath: string;
  readonly keyPath: string;
  /** Not opened, only looked for. */
  readonly key: Reading<'there'>;
  readonly state: Reading<LeafState>;
}

export interface LeafState {
  readonly file: FileTarget;
  /** The first certificate is the leaf. */
  readonly chain: Chain;
}

interface KubeconfigEntry {
  readonly kind: 'kubeconfig';
  readonly spec: KubeconfigSpec;
  /** Host path of the kubeconfig, whether it holds the certificate or names a file. */
  readonly certificatePath: string;
  readonly state: Reading<KubeconfigState>;
}

export interface KubeconfigState {
  readonly file: FileTarget;
  readonly kubeconfig: Kubeconfig;
  readonly chain: Chain;
  /** Where the user names a file instead of holding the certificate. */
  readonly certificateFile: FileTarget | undefined;
  /** Host path, where the user names a file instead of holding the key. */
  readonly keyPath: string | undefined;
  /** Where the cluster names a file instead of holding its CAs. */
  readonly authorityFile: Slot<Chain> | undefined;
  /** Of the kubelet's alone. */
  readonly rotated?: RotatedFile;
}

/** The one file in which the kubelet has its certificate and its key. */
export interface RotatedFile {
  readonly target: FileTarget;
  /** The path by which kubelet.conf names it, or is to. */
  readonly shown: string;
  /** The kubelet replaces nothing but a link when it rotates. */
  readonly isLink: boolean;
}

export type CertificateEntry = LeafEntry | KubeconfigEntry;

/** Where a certificate and its key belong, whether they are there or not. */
export type FoundPlace =
  | { readonly kind: 'leaf'; readonly certificate: FileTarget; readonly key: FileTarget }
  | {
      readonly kind: 'kubeconfig';
      readonly file: FileTarget;
      readonly kubeconfig: PartialKubeconfig;
      /** undefined: the kubeconfig holds the certificate; for the key likewise. */
      readonly certificate: FileTarget | undefined;
      readonly key: FileTarget | undefined;
      /** Where the cluster names a file instead of holding its CAs. */
      readonly authorityFile: Slot<Chain> | undefined;
      readonly rotated?: RotatedFile;
    };

/** Where the cluster's etcd is, and for an external one the files that the configuration names, as inside the root. */
export type Etcd =
  | { readonly kind: 'stacked' }
  | {
      readonly kind: 'external';
      readonly caFile?: string | undefined;
      readonly certFile?: string | undefined;
      readonly keyFile?: string | undefined;
    };

/** The certificate that the API server shows to an external etcd: kubeadm neither lists nor renews it. */
export interface EtcdClientEntry {
  readonly leaf: LeafEntry;
  /** Host path of the CAs of etcd's own certificates. */
  readonly caFile: string;
  readonly bundle: Reading<Chain>;
}

/** A node's PKI as it was at one moment, in the catalog's order. */
export interface Inventory {
  readonly layout: Layout;
  readonly authorities: readonly AuthorityEntry[];
  readonly certificates: readonly CertificateEntry[];
  /** undefined: etcd is not external, or nothing tells which it is. */
  readonly etcdClient: EtcdClientEntry | undefined;
  /** The files of every CA and of the service-account key, there or not, are never replaced: host paths without symlinks. */
  readonly protectedPaths: ReadonlySet<string>;
}

/**
 * Reads certificates and kubeconfigs, no key file. Never throws for a single bad file. The inventory has all that kubeadm may
 * manage; operations/node/node-kind.ts says what it manages on this node.
 * @param etcd undefined: there is no configuration
 */
export function readInventory(node: Layout, etcd?: Etcd): Inventory {
  const layout = { ...node, root: node.root.atOneMoment() };
  return {
    layout: node,
    authorities: certificateAuthorities.map((spec) => readAuthority(layout, spec)),
    certificates: certificates.map((spec) =>
      spec.kind === 'leaf'
        ? readLeaf(layout, spec, leafPaths(layout, spec))
        : readKubeconfigEntry(layout, spec),
    ),
    etcdClient: etcd?.kind === 'external' ? configuredEtcdClient(layout, etcd) : undefined,
    protectedPaths: protectedPaths(layout),
  };
}

function configuredEtcdClient(
  layout: Layout,
  { caFile, certFile, keyFile }: Extract<Etcd, { kind: 'external' }>,
): EtcdClientEntry | undefined {
  // kubeadm's validation: all three, or none (an etcd on plain http).
  if (caFile === undefined || certFile === undefined || keyFile === undefined) return undefined;
  const { root } = layout;
  return readEtcdClient(layout, {
    certificatePath: root.locate(certFile),
    keyPath: root.locate(keyFile),
    caFile: root.locate(caFile),
  });
}

/**
 * @param files host paths
 * @param name no certificate of the inventory has it
 */
export function readEtcdClient(
  layout: Layout,
  { caFile, ...paths }: Pick<LeafEntry, 'certificatePath' | 'keyPath'> & Pick<EtcdClientEntry, 'caFile'>,
  name = etcdClientSpec.name,
): EtcdClientEntry {
  return {
    leaf: readLeaf(layout, { ...etcdClientSpec, name }, paths),
    caFile,
    bundle: readSlot(layout.root, caFile, parseCertificates).content,
  };
}

function protectedPaths(layout: Layout): ReadonlySet<string> {
  const names = [
    ...certificateAuthorities.flatMap(({ baseName }) => [`${baseName}.crt`, `${baseName}.key`]),
    ...tokenKeyFiles.map(({ name }) => name),
    ...[nextTokenKey, oldTokenKey].map((name) => join(stateDirectoryName, name)),
  ];
  return new Set(
    names.flatMap((name) => {
      const path = join(layout.certDir, name);
      const resolved = reading(path, () => layout.root.resolve(path));
      return resolved.status === 'present' ? [path, resolved.value] : [path];
    }),
  );
}

function readAuthority(layout: Layout, spec: CaSpec): AuthorityEntry {
  const certificatePath = join(layout.certDir, `${spec.baseName}.crt`);
  const keyPath = join(layout.certDir, `${spec.baseName}.key`);
  let file: FileTarget | undefined;
  const bundle = reading(certificatePath, () => {
    const { target, bytes } = readFile(layout.root, certificatePath);
    file = target;
    return bytes && parseCertificates(bytes);
  });
  return { spec, certificatePath, keyPath, file, bundle, key: lookFor(layout, keyPath) };
}

/** Looks whether a file is there, and does not open it. */
export function lookFor({ root }: Layout, path: string): Reading<'there'> {
  return reading(path, () => (exists(root.resolve(path), path) ? 'there' : undefined));
}

function leafPaths(
  { certDir }: Layout,
  { baseName }: LeafSpec,
): Pick<LeafEntry, 'certificatePath' | 'keyPath'> {
  return { certificatePath: join(certDir, `${baseName}.crt`), keyPath: join(certDir, `${baseName}.key`) };
}

function readLeaf(
  layout: Layout,
  spec: LeafSpec,
  { certificatePath, keyPath }: ReturnType<typeof leafPaths>,
): LeafEntry {
  return {
    kind: 'leaf',
    spec,
    certificatePath,
    keyPath,
    key: lookFor(layout, keyPath),
    state: reading(certificatePath, () => {
      const { target, bytes } = readFile(layout.root, certificatePath);
      return bytes && { file: target, chain: parseCertificates(bytes) };
    }),
  };
}

function readKubeconfigEntry(layout: Layout, spec: KubeconfigSpec): KubeconfigEntry {
  const path = join(layout.kubeconfigDir, spec.name);
  return {
    kind: 'kubeconfig',
    spec,
    certificatePath: path,
    state: reading(path, () => {
      const { target, bytes } = readFile(layout.root, path);
      return bytes && readKubeconfigState(layout, target, bytes);
    }),
  };
}

export function readKubeconfigState(layout: Layout, file: FileTarget, bytes: Buffer): KubeconfigState {
  const kubeconfig = readKubeconfig(textOf(bytes));
  const { clientCertificate, clientKey } = kubeconfig;
  const keyPath = clientKey.kind === 'file' ? locateBeside(layout.root, file, clientKey.path) : undefined;
  const authorityFile = readAuthorityFile(layout.root, file, kubeconfig);
  if (clientCertificate.kind === 'data') {
    const chain = parseEmbedded(clientCertificate.bytes);
    return { file, kubeconfig, chain, certificateFile: undefined, keyPath, authorityFile };
  }
  const path = locateBeside(layout.root, file, clientCertificate.path);
  const { target, bytes: pem } = readFile(layout.root, path);
  if (pem === undefined) {
    throw new KubepkiError('not-found', 'no such file, but the kubeconfig names it', { file: path });
  }
  const chain = naming(path, () => parseCertificates(pem));
  const certificateFile = named(target, namingOf(file));
  return { file, kubeconfig, chain, certificateFile, keyPath, authorityFile };
}

function parseEmbedded(bytes: Buffer): Chain {
  try {
    return parseCertificates(bytes);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    // kubeadm's words, then what is wrong with it.
    throw new KubepkiError(error.code, `does not contain a valid client certificate: it ${error.message}`, {
      cause: error,
    });
  }
}
