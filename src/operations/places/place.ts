import { type FileChange, type FileTarget, replaceFile } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { FoundPlace } from '../../inventory/inventory.ts';
import type { MaybeEmbedded } from '../../kubeconfig/kubeconfig.ts';
import { readPlainKubeconfig } from '../../kubeconfig/plain-kubeconfig.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { type TrustingKubeconfig, trustedAuthorities, trustsAsPlanned } from './kubeconfig-authority.ts';

/** Reads the file that is on disk for a target: the staged new one, or the untouched old one. */
export type ReadBack = (target: FileTarget) => Buffer;

// Modes of new files are kubeadm's: 0600 for keys and kubeconfigs, 0644 for certificates.
interface NewCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Where a certificate and its key belong: two files of the PKI directory, or a kubeconfig. */
export interface Place {
  /** The file that holds the certificate. */
  readonly file: FileTarget;
  /** The file of the key; undefined: the key is inside the kubeconfig. */
  readonly key: FileTarget | undefined;
  /** Every file that new credentials may replace, the certificate's first. */
  readonly targets: readonly FileTarget[];
  /** The files that new credentials do replace, the key's first. They are known before there is a key. */
  readonly changing: readonly FileTarget[];
  /** undefined: the place is no kubeconfig. */
  readonly trusting: TrustingKubeconfig | undefined;
  /**
   * The files that change, the key's first.
   * @throws KubepkiError bad-kubeconfig, naming the file, when it cannot be rewritten
   */
  readonly put: (credentials: NewCredentials) => FileChange[];
  /** @throws KubepkiError as `put` would, before there are credentials */
  readonly requireRewritable: () => void;
  /** The credentials as they are on disk after the change, to be verified. */
  readonly readBack: (read: ReadBack) => FoundCredentials;
}

interface FoundCredentials {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Whether a kubeconfig trusts the CAs that were planned. */
  readonly trusts: boolean;
}

/** The CA of a certificate: its file, and what is in it. */
export interface PlaceAuthority {
  readonly caFile: string;
  readonly bundle: Chain;
}

/** The one place where it is asked which kind of place a certificate has. */
export function placeOf(found: FoundPlace, authority: PlaceAuthority): Place {
  return found.kind === 'leaf' ? filePair(found) : kubeconfigPlace(found, authority);
}

function filePair({ certificate, key }: Extract<FoundPlace, { kind: 'leaf' }>): Place {
  return {
    file: certificate,
    key,
    targets: [certificate, key],
    changing: [key, certificate],
    trusting: undefined,
    put: ({ certificatePem, keyPem }) => [
      replaceFile(key, keyPem, 0o600),
      replaceFile(certificate, certificatePem, 0o644),
    ],
    requireRewritable: () => undefined,
    readBack: (read) => ({ certificate: read(certificate), key: read(key), trusts: true }),
  };
}

// It is longer than any key, and any certificate with its chain: a kubeconfig that takes it takes these.
const placeholder = `${'x'.repeat(16 * 1024)}\n`;

/** A kubeconfig that holds certificate and key, or names files for them. */
function kubeconfigPlace(
  { file, kubeconfig, certificate, key, authorityFile }: Extract<FoundPlace, { kind: 'kubeconfig' }>,
  { caFile, bundle }: PlaceAuthority,
): Place {
  const trusted = trustedAuthorities(kubeconfig, bundle);
  const put: Place['put'] = ({ certificatePem, keyPem }) => {
    const text = naming(file.path, () =>
      rewriteKubeconfig(kubeconfig, {
        ...(certificate === undefined ? { clientCertificatePem: certificatePem } : {}),
        ...(key === undefined ? { clientKeyPem: keyPem } : {}),
        ...(trusted.pem === undefined ? {} : { clusterCaPem: trusted.pem }),
      }),
    );
    return [
      ...(key === undefined ? [] : [replaceFile(key, keyPem, 0o600)]),
      ...(certificate === undefined ? [] : [replaceFile(certificate, certificatePem, 0o644)]),
      ...(text === kubeconfig.text ? [] : [replaceFile(file, text, 0o600)]),
    ];
  };
  // A kubeconfig that names its files stays, unless it gets a CA.
  const stays = certificate !== undefined && key !== undefined && trusted.pem === undefined;
  return {
    file: certificate ?? file,
    key,
    targets: targetsIn(certificate, key, file),
    changing: targetsIn(key, certificate, stays ? undefined : file),
    trusting: {
      file: file.path,
      clusterName: kubeconfig.clusterName,
      trusted,
      authorityFile,
      caFile,
      bundle,
    },
    put,
    requireRewritable: () => {
      // A kubeconfig that is line by line kubeadm's shares no nodes. YAML's parser would take longer than the rest of the plan.
      if (readPlainKubeconfig(kubeconfig.text) !== undefined) return;
      put({ certificatePem: placeholder, keyPem: placeholder });
    },
    readBack: (read) => {
      const { clientCertificate, clientKey, clusterCa } = readKubeconfig(read(file).toString('utf8'));
      const held = (credential: MaybeEmbedded, target: FileTarget | undefined): Buffer => {
        if (credential.kind === 'data') return credential.bytes;
        if (target !== undefined) return read(target);
        throw new KubepkiError('verification', 'the kubeconfig is not complete', { file: file.path });
      };
      return {
        certificate: held(clientCertificate, certificate),
        key: held(clientKey, key),
        trusts: trustsAsPlanned(clusterCa, kubeconfig, trusted),
      };
    },
  };
}

function targetsIn(...targets: readonly (FileTarget | undefined)[]): FileTarget[] {
  return targets.filter((target) => target !== undefined);
}
