import { stringify } from 'yaml';

export interface NewKubeconfig {
  readonly clusterName: string;
  /** URL of the API server. */
  readonly server: string;
  readonly userName: string;
  readonly clientKeyPem: string;
}

/** A kubeconfig of kubeadm's shape whose certificate, and CA, are still to come: what `generate-csr` leaves. */
export function createPartialKubeconfig({
  clusterName,
  server,
  userName,
  clientKeyPem,
}: NewKubeconfig): string {
  const context = `${userName}@${clusterName}`;
  const document = {
    apiVersion: 'v1',
    clusters: [{ cluster: { server }, name: clusterName }],
    contexts: [{ context: { cluster: clusterName, user: userName }, name: context }],
    'current-context': context,
    kind: 'Config',
    preferences: {},
    users: [{ name: userName, user: { 'client-key-data': Buffer.from(clientKeyPem).toString('base64') } }],
  };
  // As Go's YAML writes it: lists are not indented, long values are not folded.
  return stringify(document, { indentSeq: false, lineWidth: 0, version: '1.1' });
}
