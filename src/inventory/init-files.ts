import { join } from 'node:path';
import type { CaSpec, CertificateSpec } from '../catalog/catalog.ts';
import { serviceAccount, type InitSpec, type ServiceAccountSpec } from '../catalog/init-order.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import type { PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { parseCertificates, type Chain } from '../pki/certificate/certificate.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { parsePublicKey, type PublicKey } from '../pki/key/public-key.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readHeld, readKubeconfigSlot } from './kubeconfig-files.ts';
import { requireNoDanglingLink, type Layout } from './layout.ts';
import { reading, readSlot, type Reading, type Slot } from './reading.ts';
import { readSigningKey } from './issuers.ts';

/** The files of one thing that `kubeadm init` makes, there or not. */
export type InitFiles =
  | {
      readonly kind: 'pair';
      readonly spec: CaSpec | Extract<CertificateSpec, { kind: 'leaf' }>;
      readonly certificate: Slot<Chain>;
      readonly key: Slot<PrivateKey>;
    }
  | {
      readonly kind: 'service-account';
      readonly spec: ServiceAccountSpec;
      readonly key: Slot<PrivateKey>;
      readonly publicKey: Slot<PublicKey>;
    }
  | {
      readonly kind: 'kubeconfig';
      readonly spec: Extract<CertificateSpec, { kind: 'kubeconfig' }>;
      readonly file: Slot<KubeconfigFiles>;
    };

/** A kubeconfig with what it holds, or the files that it names. */
interface KubeconfigFiles {
  readonly kubeconfig: PartialKubeconfig;
  readonly certificate: Reading<Chain>;
  readonly key: Reading<PrivateKey>;
  readonly authorities: Reading<Chain>;
}

/** Never throws for a bad file. */
export function readInitFiles(layout: Layout, spec: InitSpec): InitFiles {
  const { root, certDir } = layout;
  switch (spec.kind) {
    case 'ca':
    case 'leaf': {
      const base = join(certDir, spec.baseName);
      return {
        kind: 'pair',
        spec,
        certificate: readPlace(root, `${base}.crt`, parseCertificates),
        key:
          spec.kind === 'ca'
            ? withoutDangling(root, readSigningKey(root, `${base}.key`))
            : readPlace(root, `${base}.key`, parsePrivateKey),
      };
    }
    case 'service-account':
      return {
        kind: 'service-account',
        spec: serviceAccount,
        key: readPlace(root, join(certDir, 'sa.key'), parsePrivateKey),
        publicKey: readPlace(root, join(certDir, 'sa.pub'), parsePublicKey),
      };
    case 'kubeconfig': {
      const { target, content } = withoutDangling(root, readKubeconfigSlot(layout, spec.name));
      return {
        kind: 'kubeconfig',
        spec,
        file: {
          target,
          content:
            content.status === 'present'
              ? { status: 'present', value: readKubeconfigFiles(layout, target, content.value) }
              : content,
        },
      };
    }
  }
}

function readPlace<T>(root: FileSystemRoot, path: string, parse: (bytes: Buffer) => T): Slot<T> {
  return withoutDangling(root, readSlot(root, path, parse));
}

function withoutDangling<T>(root: FileSystemRoot, slot: Slot<T>): Slot<T> {
  if (slot.content.status !== 'missing') return slot;
  const { path } = slot.target;
  const content = reading<T>(path, () => {
    requireNoDanglingLink(root, path);
    return undefined;
  });
  return { ...slot, content };
}

function readKubeconfigFiles(
  { root }: Layout,
  file: FileTarget,
  kubeconfig: PartialKubeconfig,
): KubeconfigFiles {
  const read = <T>(held: PartialKubeconfig['clientKey'], parse: (bytes: Buffer) => T): Reading<T> =>
    readHeld(root, file, held, parse).content;
  return {
    kubeconfig,
    certificate: read(kubeconfig.clientCertificate, parseCertificates),
    key: read(kubeconfig.clientKey, parsePrivateKey),
    authorities: read(kubeconfig.clusterCa, parseCertificates),
  };
}
