import { type FileChange, type FileTarget, replaceFile } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { FoundPlace, RotatedFile } from '../../inventory/inventory.ts';
import type { MaybeEmbedded } from '../../kubeconfig/kubeconfig.ts';
import { readPlainKubeconfig } from '../../kubeconfig/plain-kubeconfig.ts';
import { readKubeconfig } from '../../kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { type TrustingKubeconfig, trustedAuthorities, trustsAsPlanned } from './kubeconfig-authority.ts';

/** Reads the file that is on disk for a target: the staged new one, or the untouched old one. */
export type ReadBack = (target: FileTarget) => Buffer;

// Modes of new files are kubeadm's: 0600 for keys and kubeconfigs, 0644 for certificates.
export interface NewCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Where a certificate and its key belong: two files of the PKI directory, or a kubeconfig. */
export interface Place {
  /** The file that holds the certificate. */
  readonly file: FileTarget;
  /** The file of the key; undefined: the key is inside the kubeconfig, or in the certificate's file. */
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
  /** A file among these that must be a link to a file with a date, and is none yet; undefined: there is no such file. */
  readonly unlinked?: FileTarget;
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

type KubeconfigPlace = Extract<FoundPlace, { kind: 'kubeconfig' }>;

/** The one place where it is asked which kind of place a certificate has. */
export function placeOf(found: FoundPlace, authority: PlaceAuthority): Place {
  if (found.kind === 'leaf') return filePair(found);
  return found.rotated === undefined
    ? kubeconfigPlace(found, authority)
    : rotatedPlace(found, found.rotated, authority);
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
export const placeholder = `${'x'.repeat(16 * 1024)}\n`;

/** A kubeconfig that holds certificate and key, or names files for them. */
function kubeconfigPlace(found: KubeconfigPlace, { caFile, bundle }: PlaceAuthority): Place {
  const { file, kubeconfig, certificate, key } = found;
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
    trusting: trustingIn(found, trusted, { caFile, bundle }),
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

/**
 * The kubelet's certificate and key, in the one file that it reads when it starts and rotates by itself. kubelet.conf names that
 * file from now on: what kubelet.conf holds is not rotated, and when it has expired the kubelet does not start.
 */
function rotatedPlace(
  found: KubeconfigPlace,
  { target, shown, isLink }: RotatedFile,
  { caFile, bundle }: PlaceAuthority,
): Place {
  const { file, kubeconfig } = found;
  const pair = found.key ?? target;
  const trusted = trustedAuthorities(kubeconfig, bundle);
  const text = naming(file.path, () =>
    rewriteKubeconfig(kubeconfig, {
      credentialsFile: shown,
      ...(trusted.pem === undefined ? {} : { clusterCaPem: trusted.pem }),
    }),
  );
  const isRewritten = text !== kubeconfig.text;
  return {
    file: pair,
    key: undefined,
    targets: [pair, file],
    changing: isRewritten ? [pair, file] : [pair],
    trusting: trustingIn(found, trusted, { caFile, bundle }),
    put: ({ certificatePem, keyPem }) => [
      replaceFile(pair, certificatePem + keyPem, 0o600),
      ...(isRewritten ? [replaceFile(file, text, 0o600)] : []),
    ],
    requireRewritable: () => undefined,
    readBack: (read) => {
      const { clientCertificate, clientKey, clusterCa } = readKubeconfig(read(file).toString('utf8'));
      if (![clientCertificate, clientKey].every((held) => held.kind === 'file' && held.path === shown)) {
        throw new KubepkiError('verification', `does not name ${shown} for certificate and key`, {
          file: file.path,
        });
      }
      const credentials = read(pair);
      return {
        certificate: credentials,
        key: credentials,
        trusts: trustsAsPlanned(clusterCa, kubeconfig, trusted),
      };
    },
    ...(isLink ? {} : { unlinked: pair }),
  };
}

function trustingIn(
  { file, kubeconfig: { clusterName }, authorityFile }: KubeconfigPlace,
  trusted: TrustingKubeconfig['trusted'],
  { caFile, bundle }: PlaceAuthority,
): TrustingKubeconfig {
  return { file: file.path, clusterName, trusted, authorityFile, caFile, bundle };
}

function targetsIn(...targets: readonly (FileTarget | undefined)[]): FileTarget[] {
  return targets.filter((target) => target !== undefined);
}
