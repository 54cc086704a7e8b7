import { stringify } from 'yaml';

interface NewKubeconfig {
  readonly clusterName: string;
  /** URL of the API server. */
  readonly server: string;
  readonly userName: string;
  readonly clientKeyPem: string;
  /** undefined: it is still to come, as `generate-csr` leaves it. */
  readonly clientCertificatePem?: string;
  readonly clusterCaPem?: string;
}

/** A kubeconfig as the newest kubeadm writes it; older ones wrote `preferences: {}` as well. */
export function createKubeconfig(kubeconfig: NewKubeconfig): string {
  const { clusterName, server, userName, clientKeyPem, clientCertificatePem, clusterCaPem } = kubeconfig;
  const context = `${userName}@${clusterName}`;
  const cluster = { ...data('certificate-authority-data', clusterCaPem), server };
  const user = {
    ...data('client-certificate-data', clientCertificatePem),
    ...data('client-key-data', clientKeyPem),
  };
  const document = {
    apiVersion: 'v1',
    clusters: [{ cluster, name: clusterName }],
    contexts: [{ context: { cluster: clusterName, user: userName }, name: context }],
    'current-context': context,
    kind: 'Config',
    users: [{ name: userName, user }],
  };
  // Go's YAML neither indents lists nor folds long values.
  return stringify(document, { indentSeq: false, lineWidth: 0, version: '1.1' });
}

function data(field: string, pem: string | undefined): Record<string, string> {
  return pem === undefined ? {} : { [field]: Buffer.from(pem).toString('base64') };
}
