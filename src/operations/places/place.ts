import type { FileChange, FileTarget } from '../../changeset/change-set.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import type { TrustingKubeconfig } from '../issuing/kubeconfig-authority.ts';

/** What stands on disk for a target now: the staged new file, or the untouched old one. */
export type ReadBack = (target: FileTarget) => Buffer;

interface NewCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** Where a certificate and its key belong: two files of the PKI directory, or a kubeconfig. */
export interface Place {
  /** The file that holds the certificate. */
  readonly file: FileTarget;
  /** The key's own file; undefined: the key is inside the kubeconfig. */
  readonly key: FileTarget | undefined;
  /** Every file that new credentials may replace, the certificate's first. */
  readonly targets: readonly FileTarget[];
  /** Those that new credentials do replace, known before there is a key. The key's is first. */
  readonly changing: readonly FileTarget[];
  /** A kubeconfig, with the CAs that it is to trust. */
  readonly trusting: TrustingKubeconfig | undefined;
  /**
   * The files that change, the key's first.
   * @throws KubepkiError bad-kubeconfig, naming the file, when it cannot be rewritten
   */
  readonly put: (credentials: NewCredentials) => FileChange[];
  /** @throws KubepkiError as `put` would, before there are credentials */
  readonly requireRewritable: () => void;
  /** What stands there once it has been put: for the one who verifies it. */
  readonly readBack: (read: ReadBack) => FoundCredentials;
}

interface FoundCredentials {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** A kubeconfig trusts what was planned. */
  readonly trusts: boolean;
}

/** The CA of a certificate: its file, and what is in it. */
export interface PlaceAuthority {
  readonly caFile: string;
  readonly bundle: Chain;
}
