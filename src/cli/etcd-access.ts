import { join } from 'node:path';
import { certificates } from '../catalog/catalog.ts';
import type { EtcdAccess } from '../controlplane/etcd-quorum.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Layout } from '../inventory/layout.ts';
import type { StaticPod } from '../inventory/static-pods.ts';
import { readPresent, readTlsIdentity, type TlsIdentity } from '../inventory/tls-identity.ts';
import { lastFlagValue } from '../operations/component-flags.ts';
import { etcdClientUrl } from '../operations/served-certificates.ts';

/**
 * What it takes to ask this node's etcd member, from its manifest and the cert dir. Files in a manifest are where they are
 * on the node: kubeadm mounts its directories at their own paths.
 * @throws KubepkiError when something of it is missing
 */
export function etcdAccess(layout: Layout, pod: StaticPod): EtcdAccess {
  const { root } = layout;
  const url = etcdClientUrl(pod.words);
  const caFile = lastFlagValue(pod.words, 'trusted-ca-file');
  if (url === undefined || caFile === undefined) {
    throw new KubepkiError('bad-manifest', 'names no https URL for clients and no --trusted-ca-file', {
      file: pod.path,
    });
  }
  return { url, ca: readPresent(root, root.locate(caFile)), identity: clientIdentity(layout, pod) };
}

/** The client certificate that is made for asking after etcd's health; where it is not, etcd's own, which is one too. */
function clientIdentity({ root, certDir }: Layout, { path, words }: StaticPod): TlsIdentity {
  const healthcheck = certificates.find(({ name }) => name === 'etcd-healthcheck-client');
  const base = healthcheck?.kind === 'leaf' ? join(certDir, healthcheck.baseName) : undefined;
  try {
    if (base !== undefined) {
      return readTlsIdentity(root, { certificateFile: `${base}.crt`, keyFile: `${base}.key` });
    }
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
  }
  const certificateFile = lastFlagValue(words, 'cert-file');
  const keyFile = lastFlagValue(words, 'key-file');
  if (certificateFile === undefined || keyFile === undefined) {
    throw new KubepkiError('bad-manifest', 'names no --cert-file and --key-file', { file: path });
  }
  return readTlsIdentity(root, {
    certificateFile: root.locate(certificateFile),
    keyFile: root.locate(keyFile),
  });
}
