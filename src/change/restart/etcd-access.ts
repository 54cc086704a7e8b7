import { join } from 'node:path';
import { certificates } from '../../catalog/catalog.ts';
import type { EtcdAccess, EtcdEndpoint, EtcdTls } from '../../controlplane/etcd-members.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Layout } from '../../inventory/layout.ts';
import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import { readPresent, readTlsIdentity, type TlsIdentity } from '../../inventory/certificate-files.ts';
import { etcdSetting } from '../../operations/node/component-flags.ts';
import { etcdClientUrl, etcdPeerUrl } from '../../operations/restart/served-certificates.ts';

/**
 * What it takes to ask this node's etcd member, from its manifest and the cert dir. Files in a manifest are where they are
 * on the node: kubeadm mounts its directories at their own paths.
 * @throws KubepkiError when something of it is missing
 */
export function etcdAccess(layout: Layout, pod: StaticPod): EtcdAccess {
  const url = etcdClientUrl(pod);
  if (url === undefined) {
    throw new KubepkiError('bad-manifest', 'names no URL for clients (--listen-client-urls)', {
      file: pod.path,
    });
  }
  const name = etcdSetting(pod, 'name') ?? 'default';
  return {
    ...endpoint(url, () => etcdTls(layout, pod, '', clientIdentity(layout, pod))),
    peers: peerEndpoint(layout, pod),
    name,
  };
}

/** @returns undefined: it cannot be asked that way, which is only the second */
function peerEndpoint(layout: Layout, pod: StaticPod): EtcdEndpoint | undefined {
  const url = etcdPeerUrl(pod);
  if (url === undefined) return undefined;
  try {
    return endpoint(url, () => etcdTls(layout, pod, 'peer-', ownIdentity(layout, pod, 'peer-')));
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

function endpoint(url: URL, tls: () => EtcdTls): EtcdEndpoint {
  try {
    return { url, tls: tls() };
  } catch (error) {
    // This member needs none of it. Others may, and are not asked then.
    if (error instanceof KubepkiError && url.protocol === 'http:') return { url, tls: undefined };
    throw error;
  }
}

function etcdTls({ root }: Layout, pod: StaticPod, prefix: Prefix, identity: TlsIdentity): EtcdTls {
  const caFile = etcdSetting(pod, `${prefix}trusted-ca-file`);
  if (caFile === undefined) throw unnamed(pod, `--${prefix}trusted-ca-file`);
  return { ca: readPresent(root, root.locate(caFile)), identity };
}

/** etcd has a certificate for clients, and one for the other members. */
type Prefix = '' | 'peer-';

function unnamed({ path }: StaticPod, flags: string): KubepkiError {
  return new KubepkiError('bad-manifest', `names no ${flags}`, { file: path });
}

/** The client certificate that is made for asking after etcd's health; where it is not, etcd's own, which is one too. */
function clientIdentity(layout: Layout, pod: StaticPod): TlsIdentity {
  const { root, certDir } = layout;
  const healthcheck = certificates.find(({ name }) => name === 'etcd-healthcheck-client');
  const base = healthcheck?.kind === 'leaf' ? join(certDir, healthcheck.baseName) : undefined;
  try {
    if (base !== undefined) {
      return readTlsIdentity(root, { certificateFile: `${base}.crt`, keyFile: `${base}.key` });
    }
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
  }
  return ownIdentity(layout, pod, '');
}

function ownIdentity({ root }: Layout, pod: StaticPod, prefix: Prefix): TlsIdentity {
  const certificateFile = etcdSetting(pod, `${prefix}cert-file`);
  const keyFile = etcdSetting(pod, `${prefix}key-file`);
  if (certificateFile === undefined || keyFile === undefined) {
    throw unnamed(pod, `--${prefix}cert-file and --${prefix}key-file`);
  }
  return readTlsIdentity(root, {
    certificateFile: root.locate(certificateFile),
    keyFile: root.locate(keyFile),
  });
}
