import { lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { certificates, kubeletKubeconfig, type KubeconfigSpec } from '../catalog/catalog.ts';
import type { NamedFile } from '../catalog/component-files.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { errnoOf } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { MaybeEmbedded, PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig } from '../kubeconfig/read.ts';
import type { Chain } from '../pki/certificate/certificate.ts';
import type { PrivateKey } from '../pki/key/private-key.ts';
import type { PublicKey } from '../pki/key/public-key.ts';
import type { Inventory } from './inventory.ts';
import { textOf } from './kubeconfig-files.ts';
import { readKubeletConfig, type KubeletConfig } from './kubelet/kubelet-config.ts';
import { manifestPath } from './kubelet/static-pods.ts';
import type { Layout } from './layout.ts';
import type { NodeFiles } from './node-files.ts';
import { readFile, reading, type Reading } from './reading.ts';
import { readSlot, type Slot } from './reading.ts';

/** A kubeconfig with the certificates that it holds, or that the files hold which it names. */
export interface KubeconfigFile {
  /** undefined: it is none of kubeadm's. */
  readonly spec: KubeconfigSpec | undefined;
  /** Host path. */
  readonly path: string;
  readonly content: Reading<KubeconfigContent>;
  /** The command line names it. */
  readonly isNamed?: boolean;
}

export interface KubeconfigContent {
  readonly kubeconfig: PartialKubeconfig;
  readonly certificate: Reading<Chain>;
  readonly authorities: Reading<Chain>;
}

/** Those of kubeadm's that are there, the kubelet's among them. Never throws for a bad file. */
export function readKubeconfigFiles(
  { layout: { kubeconfigDir }, certificates: entries }: Inventory,
  files: NodeFiles,
): KubeconfigFile[] {
  return [...certificates, kubeletKubeconfig].flatMap((spec) => {
    if (spec.kind !== 'kubeconfig') return [];
    const path = join(kubeconfigDir, spec.name);
    const entry = entries.find((one) => one.spec === spec);
    if (entry?.kind === 'kubeconfig' && entry.state.status === 'present') {
      const { kubeconfig, chain } = entry.state.value;
      const authorities = heldCertificates(path, kubeconfig.clusterCa, files);
      const value = { kubeconfig, certificate: { status: 'present', value: chain }, authorities } as const;
      return [{ spec, path, content: { status: 'present', value } }];
    }
    const file = readKubeconfigFile(path, files, spec);
    return file.content.status === 'missing' ? [] : [file];
  });
}

function readKubeconfigFile(path: string, files: NodeFiles, spec?: KubeconfigSpec): KubeconfigFile {
  const content = reading(path, () => {
    const { bytes } = readFile(files.root, path);
    if (bytes === undefined) return undefined;
    const kubeconfig = readPartialKubeconfig(textOf(bytes));
    return {
      kubeconfig,
      certificate: heldCertificates(path, kubeconfig.clientCertificate, files),
      authorities: heldCertificates(path, kubeconfig.clusterCa, files),
    };
  });
  return { spec, path, content };
}

function heldCertificates(path: string, held: MaybeEmbedded, files: NodeFiles): Reading<Chain> {
  switch (held.kind) {
    case 'absent':
      return { status: 'missing' };
    case 'data':
      return files.embedded(path, held.bytes);
    case 'file':
      // clientcmd: a relative path in a kubeconfig starts at the kubeconfig's own directory.
      return files.certificates(files.root.locate(held.path, dirname(path))).content;
  }
}

/** The service-account key pair, as the API server reads it: several public keys may be in one file. */
export interface ServiceAccountFiles {
  readonly publicKeys: Slot<readonly PublicKey[]>;
  /** undefined: no key was looked at. */
  readonly key: Slot<PrivateKey> | undefined;
}

export function readServiceAccount(
  { certDir }: Layout,
  files: NodeFiles,
  withKeys: boolean,
): ServiceAccountFiles {
  return {
    publicKeys: files.publicKeys(join(certDir, 'sa.pub')),
    key: withKeys ? files.key(join(certDir, 'sa.key')) : undefined,
  };
}

/** What a file holds that a manifest names, as far as its flag needs it; `file`: it is there, and was not opened. */
export type NamedContent =
  | { readonly kind: 'certificates'; readonly chain: Chain }
  | { readonly kind: 'key'; readonly key: PrivateKey }
  | { readonly kind: 'public-keys'; readonly keys: readonly PublicKey[] }
  | { readonly kind: 'file' };

/** @param path host path */
export function readNamedFile(
  path: string,
  files: NodeFiles,
  kind: NamedFile['kind'],
  withKeys: boolean,
): { readonly target: FileTarget | undefined; readonly content: Reading<NamedContent> } {
  const { root } = files;
  switch (kind) {
    case 'certificate':
    case 'trust':
    case 'signer':
      return contentOf(files.certificates(path), (chain) => ({ kind: 'certificates', chain }));
    case 'token-keys':
      return contentOf(files.publicKeys(path), (keys) => ({ kind: 'public-keys', keys }));
    case 'key':
    case 'signer-key':
    case 'token-signer':
      if (withKeys) return contentOf(files.key(path), (key) => ({ kind: 'key', key }));
      break;
    case 'kubeconfig':
      return readSlot(root, path, () => ({ kind: 'file' }));
  }
  const content = reading(path, () =>
    exists(root.resolve(path), path) ? ({ kind: 'file' } as const) : undefined,
  );
  return { target: undefined, content };
}

function contentOf<T>({ target, content }: Slot<T>, as: (value: T) => NamedContent): Slot<NamedContent> {
  return {
    target,
    content: content.status === 'present' ? { status: 'present', value: as(content.value) } : content,
  };
}

/** When it was last written; undefined: it is not there, or cannot be looked at. */
export function changedAt(root: FileSystemRoot, path: string): Date | undefined {
  try {
    return lstatSync(root.resolve(path)).mtime;
  } catch {
    return undefined;
  }
}

/** The kubelet's configuration and certificates, in kubeadm's places or where its configuration says. */
export interface KubeletFiles {
  readonly config: Reading<KubeletConfig>;
  /** The CAs by which it judges who asks it; undefined: it names none. */
  readonly clientCa: Slot<Chain> | undefined;
  readonly client: RotatedCertificate;
  readonly serving: Slot<Chain>;
  readonly hasBootstrap: boolean;
}

/** The kubelet keeps each certificate that it is given in a file of its own, with its key, and leads a link to the last one. */
export interface RotatedCertificate {
  /** Host path. */
  readonly path: string;
  readonly isLink: boolean;
  readonly certificate: Reading<Chain>;
  /** `missing` too where no key was looked at. */
  readonly key: Reading<PrivateKey> | undefined;
}

// The kubelet's --cert-dir by default, which kubeadm leaves alone.
const kubeletPki = '/var/lib/kubelet/pki';

/** Never throws for a bad file. */
export function readKubeletFiles(
  { kubeconfigDir }: Layout,
  files: NodeFiles,
  withKeys: boolean,
): KubeletFiles {
  const { root } = files;
  const config = readKubeletConfig(root);
  const value = config.status === 'present' ? config.value : undefined;
  const clientCaFile = value?.clientCaFile;
  const clientPath = root.locate(`${kubeletPki}/kubelet-client-current.pem`);
  const bootstrap = join(kubeconfigDir, 'bootstrap-kubelet.conf');
  return {
    config,
    clientCa:
      clientCaFile === undefined ? undefined : files.certificates(root.locate(clientCaFile, root.directory)),
    client: {
      path: clientPath,
      isLink: isSymlink(clientPath),
      certificate: files.certificates(clientPath).content,
      key: withKeys ? files.key(clientPath).content : undefined,
    },
    serving: servingOf(value, files),
    hasBootstrap:
      reading(bootstrap, () => exists(root.resolve(bootstrap), bootstrap) || undefined).status !== 'missing',
  };
}

/** What the kubelet serves: the other file may be there too, from before serverTLSBootstrap was turned on or off. */
function servingOf(config: KubeletConfig | undefined, files: NodeFiles): Slot<Chain> {
  const { root } = files;
  if (config?.tlsCertFile !== undefined)
    return files.certificates(root.locate(config.tlsCertFile, root.directory));
  const rotated = files.certificates(root.locate(`${kubeletPki}/kubelet-server-current.pem`));
  const isRotated = config?.serverTLSBootstrap.isOn ?? rotated.content.status !== 'missing';
  return isRotated ? rotated : files.certificates(root.locate(`${kubeletPki}/kubelet.crt`));
}

function isSymlink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Whose kubeconfigs are looked at. */
export interface People {
  /** In whose homes there may be one. */
  readonly users: readonly string[];
  /** Files that were named, as typed. */
  readonly kubeconfigs: readonly string[];
}

/** Where people have their kubeconfigs, there or not: host paths. */
export function homeKubeconfigs(root: FileSystemRoot, users: readonly string[]): string[] {
  const passwd = reading('/etc/passwd', () =>
    readFile(root, root.locate('/etc/passwd')).bytes?.toString('utf8'),
  );
  const lines = passwd.status === 'present' ? passwd.value.split('\n') : [];
  const homes = users.map((user) => {
    const [name, , , , , home] = lines.find((line) => line.startsWith(`${user}:`))?.split(':') ?? [];
    return name === undefined ? (user === 'root' ? '/root' : undefined) : home;
  });
  return homes.flatMap((home) =>
    home === undefined || home === '' ? [] : [root.locate(`${home}/.kube/config`)],
  );
}

/** The kubeconfigs that people have in their homes, those that are there; and those that were named, there or not. */
export function readCopies(files: NodeFiles, { users, kubeconfigs }: People): KubeconfigFile[] {
  const { root } = files;
  const own = homeKubeconfigs(root, users);
  const named = new Set(kubeconfigs.map((path) => root.locate(path)));
  return [...new Set([...own, ...named])].flatMap((path) => {
    const file = readKubeconfigFile(path, files);
    return file.content.status === 'missing' && !named.has(path)
      ? []
      : [{ ...file, isNamed: named.has(path) }];
  });
}

/** A file whose owner and mode matter, as it is on disk. */
export interface GuardedFile {
  /** Host path. */
  readonly path: string;
  readonly kind:
    'key' | 'kubeconfig' | 'manifest' | 'certificate' | 'directory' | 'kubelet-ca' | 'kubelet-config';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Keys and certificates in the cert dir, kubeconfigs, manifests, the kubelet's files: those that are there and can be looked at. */
export function readGuardedFiles(
  layout: Layout,
  kubeconfigs: readonly KubeconfigFile[],
  { config, clientCa }: KubeletFiles,
): GuardedFile[] {
  const { root, certDir } = layout;
  const directories = [certDir, join(certDir, 'etcd')];
  const named = directories.flatMap((directory) =>
    namesIn(root, directory).flatMap((name) => {
      const kind = name.endsWith('.key') ? 'key' : /\.(?:crt|pub)$/.test(name) ? 'certificate' : undefined;
      return kind === undefined ? [] : [{ path: join(directory, name), kind } as const];
    }),
  );
  const manifests = (['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const).map(
    (component) => ({ path: manifestPath(layout, component), kind: 'manifest' }) as const,
  );
  return [
    ...directories.map((path) => ({ path, kind: 'directory' }) as const),
    ...named,
    ...kubeconfigs.map(({ path }) => ({ path, kind: 'kubeconfig' }) as const),
    ...manifests,
    ...(config.status === 'present' ? [{ path: config.value.path, kind: 'kubelet-config' } as const] : []),
    ...(clientCa === undefined ? [] : [{ path: clientCa.target.path, kind: 'kubelet-ca' } as const]),
  ].flatMap(({ path, kind }) => {
    try {
      const { mode, uid, gid } = lstatSync(root.resolve(path));
      return [{ path, kind, mode: mode & 0o7777, uid, gid }];
    } catch {
      // One that is missing or out of reach is told by the check that reads it.
      return [];
    }
  });
}

function namesIn(root: FileSystemRoot, directory: string): string[] {
  try {
    return readdirSync(root.resolve(directory)).sort();
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    return [];
  }
}
