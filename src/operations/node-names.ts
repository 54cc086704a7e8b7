import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { NodeIdentity } from './requested-names.ts';

export function commonNameOf(
  { subject: { commonName } }: CertificateSpec,
  { nodeName }: NodeIdentity,
): string {
  return typeof commonName === 'string' ? commonName : `${commonName.node}${nodeName}`;
}

// kubeadm: whoever runs on this node talks to this node's API server; all others to the control plane's endpoint.
const localComponents: readonly string[] = ['controller-manager.conf', 'scheduler.conf'];

/** The URL that a kubeconfig talks to. */
export function serverOf(
  { name }: CertificateSpec,
  { advertiseAddress, bindPort, controlPlaneEndpoint }: NodeIdentity,
): string {
  const { host, port } =
    controlPlaneEndpoint === undefined || localComponents.includes(name)
      ? { host: advertiseAddress, port: bindPort }
      : controlPlaneEndpoint;
  // As Go writes it.
  const canonical = isIP(host) === 0 ? host : ipaddr.process(host).toString();
  const shown = canonical.includes(':') ? `[${canonical}]` : canonical;
  return `https://${shown}:${String(port ?? bindPort)}`;
}
