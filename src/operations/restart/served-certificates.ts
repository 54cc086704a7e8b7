import { isIP } from 'node:net';
import type { Component } from '../../catalog/catalog.ts';
import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import { etcdSetting, lastFlagValue } from '../node/component-flags.ts';

/** A certificate that a component shows to its clients. Its paths are the manifest's, inside the container. */
export interface ServedCertificate {
  /** `peers`: etcd has a second one for the other members. */
  readonly to: 'clients' | 'peers';
  readonly host: string;
  readonly port: number;
  readonly certificateFile: string;
  /** A server that wants a client certificate is shown the component's own: kubeadm's has both usages. */
  readonly identity: { readonly certificateFile: string; readonly keyFile: string } | undefined;
}

/**
 * The certificates that a component's flags tell it to serve. The controller manager and the scheduler use theirs as clients.
 * @param probeHost the host at which the component is reached if it listens on every address
 */
export function servedBy(component: Component, pod: StaticPod, probeHost: string): ServedCertificate[] {
  switch (component) {
    case 'etcd':
      return [
        ...etcdServes(pod, 'clients', 'listen-client-urls', ''),
        ...etcdServes(pod, 'peers', 'listen-peer-urls', 'peer-'),
      ];
    case 'kube-apiserver':
      return apiserverServes(pod.words, probeHost);
    case 'kube-controller-manager':
    case 'kube-scheduler':
      return [];
  }
}

/** The URL at which a client on this machine reaches etcd: preferably over TLS, and over loopback. */
export function etcdClientUrl(pod: StaticPod): URL | undefined {
  return reachableUrl(etcdSetting(pod, 'listen-client-urls'));
}

/** The URL at which another member on this machine would reach etcd. */
export function etcdPeerUrl(pod: StaticPod): URL | undefined {
  return reachableUrl(etcdSetting(pod, 'listen-peer-urls'));
}

function reachableUrl(urls: string | undefined): URL | undefined {
  const url = nearest(urls, 'https:') ?? nearest(urls, 'http:');
  if (url === undefined) return undefined;
  const host = hostOf(url);
  url.hostname = host.includes(':') ? `[${host}]` : host;
  return url;
}

function etcdServes(
  pod: StaticPod,
  to: ServedCertificate['to'],
  urlFlag: string,
  prefix: string,
): ServedCertificate[] {
  const certificateFile = etcdSetting(pod, `${prefix}cert-file`);
  const keyFile = etcdSetting(pod, `${prefix}key-file`);
  const url = nearest(etcdSetting(pod, urlFlag), 'https:');
  if (certificateFile === undefined || url === undefined) return [];
  const identity = keyFile === undefined ? undefined : { certificateFile, keyFile };
  return [{ to, host: hostOf(url), port: Number(url.port || '443'), certificateFile, identity }];
}

function nearest(urls: string | undefined, scheme: 'http:' | 'https:'): URL | undefined {
  const fitting = (urls?.split(',') ?? [])
    .flatMap((text) => (URL.canParse(text.trim()) ? [new URL(text.trim())] : []))
    .filter(({ protocol }) => protocol === scheme);
  return fitting.find((url) => /^(?:127\.|::1$|localhost$)/.test(hostOf(url))) ?? fitting[0];
}

/** A server that listens on every address is also on loopback. */
function hostOf({ hostname }: URL): string {
  const address = hostname.replace(/^\[|\]$/g, '');
  if (address === '0.0.0.0') return '127.0.0.1';
  return address === '::' ? '::1' : address;
}

function apiserverServes(words: readonly string[], probeHost: string): ServedCertificate[] {
  const certificateFile = lastFlagValue(words, 'tls-cert-file');
  const port = Number(lastFlagValue(words, 'secure-port') ?? '6443');
  if (certificateFile === undefined || !Number.isInteger(port) || port < 1 || port > 65_535) return [];
  const bound = lastFlagValue(words, 'bind-address');
  const everywhere = bound === undefined || bound === '0.0.0.0' || bound === '::' || isIP(bound) === 0;
  const host = everywhere ? probeHost : bound;
  return [{ to: 'clients', host, port, certificateFile, identity: undefined }];
}
