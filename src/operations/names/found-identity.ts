import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import type { NodeTraces, Trace } from '../../inventory/node-traces.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { parseSubjectAltName } from '../../pki/extension/subject-alt-name.ts';
import { lastFlagValue } from '../node/component-flags.ts';

/** What a node's files say of something; `contradiction`: two of them disagree. */
export type Found<T> =
  | { readonly status: 'found'; readonly value: T; readonly from: string }
  | { readonly status: 'contradiction'; readonly traces: readonly Trace<string>[] }
  | { readonly status: 'nothing' };

export interface FoundIdentity {
  readonly nodeName: Found<string>;
  readonly advertiseAddress: Found<string>;
  readonly bindPort: Found<number>;
}

/**
 * The name and the address of the node whose files these are, as far as the files can be trusted. The best sources come first;
 * the next ones count only where those are silent.
 */
export function foundIdentity(traces: NodeTraces): FoundIdentity {
  const { 'kube-apiserver': apiServer } = traces.pods;
  return {
    nodeName: firstOf<string>([
      // By these names the API server and the other members of etcd know the node.
      [
        ...traces.kubeletCertificates.flatMap(kubeletName),
        ...names(traces.hostnameOverride),
        ...etcdName(traces),
      ],
      traces.etcdCertificates.flatMap(serverName),
      // kubeadm's default.
      names(traces.hostname),
    ]),
    advertiseAddress: firstOf<string>([
      flag(apiServer, 'advertise-address').filter(({ value }) => isOwnAddress(value)),
      etcdAddresses(traces),
      traces.etcdCertificates.flatMap(serverAddress),
      localServers(traces).map(({ value: { address }, from }) => ({ value: address, from })),
    ]),
    bindPort: firstOf<number>([
      flag(apiServer, 'secure-port').flatMap(({ value, from }) => portOf(value, from)),
      localServers(traces).flatMap(({ value: { port }, from }) => portOf(port, from)),
    ]),
  };
}

function firstOf<T extends string | number>(tiers: readonly (readonly Trace<T>[])[]): Found<T> {
  const [first, ...others] = tiers.find((tier) => tier.length > 0) ?? [];
  if (first === undefined) return { status: 'nothing' };
  const other = others.find(({ value }) => value !== first.value);
  if (other === undefined) return { status: 'found', ...first };
  const traces = [first, other].map(({ value, from }) => ({ value: String(value), from }));
  return { status: 'contradiction', traces };
}

// kubeadm: the lower-cased host name.
function names(traces: readonly Trace<string>[]): Trace<string>[] {
  return traces.flatMap(({ value, from }) => {
    const name = value.trim().toLowerCase();
    // The name of a machine without a name (`localhost`) says nothing of the node.
    return name === '' || /^localhost(?:\.|$)/.test(name) ? [] : [{ value: name, from }];
  });
}

function kubeletName({ value, from }: Trace<Certificate>): Trace<string>[] {
  const { commonName } = kubeletKubeconfig.subject;
  const prefix = typeof commonName === 'string' ? commonName : commonName.node;
  const name = commonNameIn(value);
  return name?.startsWith(prefix) === true && name !== prefix
    ? [{ value: name.slice(prefix.length), from }]
    : [];
}

// kubeadm gives the member the node's name; `default` is etcd's own default.
function etcdName({ pods: { etcd } }: NodeTraces): Trace<string>[] {
  return flag(etcd, 'name').filter(({ value }) => value !== 'default');
}

// kubeadm makes the node's name the common name, and one of the SANs. Another CA may have given any common name.
function serverName({ value, from }: Trace<Certificate>): Trace<string>[] {
  const name = commonNameIn(value);
  const sans = kubeadmSans(value);
  return name !== undefined && sans.includes(`DNS:${name}`) ? [{ value: name, from }] : [];
}

// kubeadm makes the node's address a SAN, and loopback, and what the configuration adds.
function serverAddress({ value, from }: Trace<Certificate>): Trace<string>[] {
  const [address, ...others] = kubeadmSans(value)
    .flatMap((name) => (name.startsWith('IP:') ? [name.slice('IP:'.length)] : []))
    .filter(isOwnAddress);
  return address === undefined || others.length > 0 ? [] : [{ value: address, from }];
}

/** The SANs of a certificate; none where they are not as kubeadm makes them. */
function kubeadmSans(certificate: Certificate): readonly string[] {
  const sans = sansOf(certificate);
  return ['DNS:localhost', 'IP:127.0.0.1'].every((name) => sans.includes(name)) ? sans : [];
}

// kubeadm has etcd advertise the address that the API server advertises.
function etcdAddresses({ pods: { etcd } }: NodeTraces): Trace<string>[] {
  return flag(etcd, 'advertise-client-urls').flatMap(({ value, from }) =>
    value.split(',').flatMap((one) => {
      const url = addressIn(one);
      return url === undefined ? [] : [{ value: url.address, from }];
    }),
  );
}

/**
 * Since kubeadm 1.19 the controller manager and the scheduler talk to the API server of their own node; before, and where an
 * operator changed it, to a load balancer. So their kubeconfigs are believed only where the other kubeconfigs lead elsewhere, or
 * where etcd's certificates have that address.
 */
function localServers({
  kubeconfigs,
  etcdCertificates,
}: NodeTraces): Trace<{ readonly address: string; readonly port: string }>[] {
  const servers = kubeconfigs.flatMap(present);
  const isLocal = ({ path }: { readonly path: string }): boolean =>
    /(?:^|\/)(?:controller-manager|scheduler)\.conf$/.test(path);
  const shared = servers.filter((one) => !isLocal(one));
  return servers.filter(isLocal).flatMap(({ server, path }) => {
    const url = addressIn(server);
    if (url === undefined) return [];
    const isApart = shared.some((one) => one.server !== server);
    const isEtcd = etcdCertificates.some(({ value }) => sansOf(value).includes(`IP:${url.address}`));
    return isApart || isEtcd ? [{ value: url, from: path }] : [];
  });
}

function addressIn(text: string): { readonly address: string; readonly port: string } | undefined {
  const [, bracketed, plain, port = '443'] =
    /^https?:\/\/(?:\[([^\]]+)\]|([^:/[\]]+))(?::(\d+))?(?:\/|$)/.exec(text.trim()) ?? [];
  const address = bracketed ?? plain ?? '';
  return isOwnAddress(address) ? { address: ipaddr.process(address).toString(), port } : undefined;
}

/** Whether it is an address, and one that this node alone can have. */
function isOwnAddress(text: string): boolean {
  if (isIP(text) === 0 || text.includes('%')) return false;
  const range = ipaddr.process(text).range();
  return range !== 'loopback' && range !== 'unspecified' && range !== 'linkLocal';
}

function portOf(text: string, from: string): Trace<number>[] {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? [{ value: port, from }] : [];
}

function flag(pod: Reading<StaticPod>, name: string): Trace<string>[] {
  return present(pod).flatMap(({ words, path }) => {
    const value = lastFlagValue(words, name);
    return value === undefined || value === '' ? [] : [{ value, from: path }];
  });
}

function commonNameIn({ subject }: Certificate): string | undefined {
  const found = attributesOf(subject).filter((attribute) => attribute.startsWith('CN='));
  return found.length === 1 ? found[0]?.slice('CN='.length) : undefined;
}

function sansOf({ extensions }: Certificate): readonly string[] {
  return parseSubjectAltName(findExtension(extensions, 'subjectAltName'));
}

function present<T>(found: Reading<T>): T[] {
  return found.status === 'present' ? [found.value] : [];
}
