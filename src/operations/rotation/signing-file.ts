import type { FileTarget } from '../../changeset/change-set.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';

/**
 * The file that `--cluster-signing-cert-file` of kube-controller-manager names. It must hold one certificate: with two of them nothing is
 * signed, and the controller does not start (Kubernetes, pkg/controller/certificates/signer/ca_provider.go).
 */
export interface SigningFile {
  /** Host path. */
  readonly path: string;
  readonly target: FileTarget;
  readonly content: Reading<Chain>;
  /**
   * - `authority`: ca.crt itself, as kubeadm has it
   * - `split`: the file that a rotation has made, so that ca.crt can hold two CAs
   * - `own`: another one, which the operator has chosen
   */
  readonly kind: 'authority' | 'split' | 'own';
  /** The manifest that names it. */
  readonly manifest: FileTarget;
  readonly manifestText: string;
  /** Its value of the flag, as the container sees the file. */
  readonly flagValue: string;
  /** Where the split file is, or would be. */
  readonly split: FileTarget;
}

/** Below the cert dir, which kube-controller-manager mounts. */
export const splitFileName = 'cluster-signing-ca.crt';

export const signingFlag = 'cluster-signing-cert-file';
