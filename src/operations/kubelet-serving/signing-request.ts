/** A CertificateSigningRequest (certificates.k8s.io/v1) as data: what a decision and a list need of it. */
export interface SigningRequest {
  readonly name: string;
  /** undefined: the API did not say. */
  readonly createdAt: Date | undefined;
  readonly signerName: string;
  /** Who made it: set by the API server, never by the requestor. */
  readonly username: string;
  readonly groups: readonly string[];
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
  /** `spec.request`, its base64 undone: PEM, if the requestor kept to the rules. */
  readonly request: Uint8Array;
  /** Types of the conditions: `Approved`, `Denied`, `Failed`. */
  readonly conditions: readonly string[];
  /** `status.certificate` is there. */
  readonly issued: boolean;
}

export const kubeletServingSigner = 'kubernetes.io/kubelet-serving';
