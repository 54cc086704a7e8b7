import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import type { NodeNaming } from '../../config/node-naming.ts';
import type { NodeIdentity } from './requested-names.ts';

export function commonNameOf(
  { subject: { commonName } }: CertificateSpec,
  { nodeName }: NodeIdentity,
): string {
  return typeof commonName === 'string' ? commonName : `${commonName.node}${nodeName}`;
}

// kubeadm: what runs on this node talks to this node's API server; all others to the control plane's endpoint.
const localComponents: readonly string[] = ['controller-manager.conf', 'scheduler.conf'];

/**
 * Since 1.33 (ControlPlaneKubeletLocalMode) a kubelet talks to the API server of its own node, which is never older than it is. The
 * feature gate decides where it is set.
 */
export function kubeletServerOf({
  kubernetesMinor,
  kubeletLocalMode,
}: Pick<NodeNaming, 'kubernetesMinor' | 'kubeletLocalMode'>): NodeIdentity['kubeletServer'] {
  if (kubeletLocalMode !== undefined) return kubeletLocalMode ? 'own' : 'endpoint';
  if (kubernetesMinor === undefined) return 'unknown';
  return kubernetesMinor >= 33 ? 'own' : 'endpoint';
}

/** Does it have the node's name in it? */
export function needsNodeName({ subject }: CertificateSpec): boolean {
  return typeof subject.commonName !== 'string' || subject.names !== 'none';
}

/** Does it have the address of the node's API server in it? */
export function needsAddress(
  spec: CertificateSpec,
  node: Pick<NodeIdentity, 'kubeletServer' | 'controlPlaneEndpoint'>,
): boolean {
  if (spec.kind === 'leaf') return spec.subject.names !== 'none';
  return isLocal(spec, node) || node.controlPlaneEndpoint === undefined;
}

/** The URL that a kubeconfig talks to. */
export function serverOf(spec: CertificateSpec, node: NodeIdentity): string {
  return isLocal(spec, node) ? localServer(node) : sharedServer(node);
}

/** The URLs that a kubeconfig may talk to; the first is what a new one would have. */
export function serversOf(spec: CertificateSpec, node: NodeIdentity): readonly [string, ...string[]] {
  const isOpen = spec === kubeletKubeconfig && node.kubeletServer === 'unknown';
  return isOpen ? [serverOf(spec, node), sharedServer(node)] : [serverOf(spec, node)];
}

function isLocal(spec: CertificateSpec, { kubeletServer }: Pick<NodeIdentity, 'kubeletServer'>): boolean {
  return spec === kubeletKubeconfig ? kubeletServer !== 'endpoint' : localComponents.includes(spec.name);
}

function localServer({ advertiseAddress, bindPort }: NodeIdentity): string {
  return url(advertiseAddress, bindPort);
}

function sharedServer(node: NodeIdentity): string {
  const { controlPlaneEndpoint, bindPort } = node;
  return controlPlaneEndpoint === undefined
    ? localServer(node)
    : url(controlPlaneEndpoint.host, controlPlaneEndpoint.port ?? bindPort);
}

function url(host: string, port: number): string {
  // As Go writes it.
  const canonical = isIP(host) === 0 ? host : ipaddr.process(host).toString();
  const shown = canonical.includes(':') ? `[${canonical}]` : canonical;
  return `https://${shown}:${String(port)}`;
}
