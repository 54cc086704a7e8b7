import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SubjectSpec } from '../../catalog/catalog.ts';
import type { KubepkiError } from '../../errors/error.ts';
import type { KubeconfigServer } from '../../inventory/node-traces.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { StaticPod, StaticPods } from '../../inventory/kubelet/static-pods.ts';
import { nameKey } from '../../pki/extension/edit-subject-alt-name.ts';
import type { GeneralName } from '../../pki/extension/subject-alt-name.ts';
import { etcdSettings, flagSettings, flagValues } from '../node/component-flags.ts';
import { serviceAddress } from './node-names.ts';

/** The files that say by which names the servers of a control plane are called. */
export interface NameSources {
  readonly kubeconfigs: readonly Reading<KubeconfigServer>[];
  readonly pods: StaticPods;
}

/** A server is called by this name. */
interface NameUse {
  readonly name: GeneralName;
  readonly path: string;
  /** The flag, the variable or the field that says so. */
  readonly field: string;
}

interface NameUses {
  readonly uses: readonly NameUse[];
  /** The errors of files that could not be read. */
  readonly faults: readonly KubepkiError[];
}

// https://etcd.io/docs/v3.5/op-guide/configuration
const clientFlags = ['listen-client-urls', 'advertise-client-urls'];
const peerFlags = ['listen-peer-urls', 'initial-advertise-peer-urls', 'initial-cluster'];

/** The names by which clients call the server of a certificate, as far as this node's files say. */
export function nameUses(names: SubjectSpec['names'], { kubeconfigs, pods }: NameSources): NameUses {
  switch (names) {
    case 'none':
      return { uses: [], faults: [] };
    case 'apiserver':
      return {
        uses: [
          ...kubeconfigs.flatMap(present).flatMap(({ path, server }) => use(path, 'server', hostsIn(server))),
          // The address that the other API servers and the service "kubernetes" lead clients to.
          ...present(pods['kube-apiserver']).flatMap((pod) => [
            ...settingUses(pod, ['advertise-address', 'service-account-issuer']),
            ...serviceUses(pod),
          ]),
        ],
        faults: [...kubeconfigs, pods['kube-apiserver']].flatMap(fault),
      };
    case 'etcd-server':
      return {
        uses: [
          ...present(pods.etcd).flatMap((pod) => [
            ...settingUses(pod, clientFlags, etcdSettings),
            ...probeUses(pod),
          ]),
          ...present(pods['kube-apiserver']).flatMap((pod) => settingUses(pod, ['etcd-servers'])),
        ],
        faults: [pods.etcd, pods['kube-apiserver']].flatMap(fault),
      };
    case 'etcd-peer':
      return {
        uses: present(pods.etcd).flatMap((pod) => settingUses(pod, peerFlags, etcdSettings)),
        faults: fault(pods.etcd),
      };
  }
}

/** Whether a client that calls the server by this name takes this SAN for it (RFC 6125, 6.4.3: `*` is one label). */
export function covers(san: GeneralName, name: GeneralName): boolean {
  const key = nameKey(name);
  return nameKey(san) === key || nameKey(san) === wildcardFor(key);
}

// `dns:a.example.com` -> `dns:*.example.com`
function wildcardFor(key: string): string | undefined {
  const [, parent] = /^dns:[^.]+(\..+)$/.exec(key) ?? [];
  return parent && `dns:*${parent}`;
}

function present<T>(reading: Reading<T>): T[] {
  return reading.status === 'present' ? [reading.value] : [];
}

function fault(reading: Reading<unknown>): KubepkiError[] {
  return reading.status === 'unreadable' ? [reading.error] : [];
}

function settingUses(
  pod: StaticPod,
  flags: readonly string[],
  settingsOf: typeof etcdSettings = flagSettings,
): NameUse[] {
  return flags
    .flatMap((flag) => settingsOf(pod, flag))
    .flatMap(({ field, value }) => use(pod.path, field, hostsIn(value)));
}

// Every pod finds the API server as the service "kubernetes", by its address or by one of its names.
function serviceUses(pod: StaticPod): NameUse[] {
  const flag = 'service-cluster-ip-range';
  const addresses = flagValues(pod.words, flag)
    .flatMap((value) => value.split(','))
    .filter((cidr) => ipaddr.isValidCIDR(cidr))
    .map(serviceAddress);
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return [
    ...use(pod.path, `--${flag}`, addresses),
    ...use(pod.path, 'the service "kubernetes"', addresses.length === 0 ? [] : names),
  ];
}

function probeUses({ path, probes }: StaticPod): NameUse[] {
  return probes.flatMap(({ name, action }) =>
    action.kind === 'http' && action.host !== undefined ? use(path, name, [action.host]) : [],
  );
}

function use(path: string, field: string, hosts: readonly string[]): NameUse[] {
  return hosts.map((host) => ({ name: nameOf(host), path, field }));
}

/** The hosts in an address, `host:port`, a URL, or a list of them: `name=https://192.0.2.1:2380,other=https://192.0.2.2:2380`. */
export function hostsIn(value: string): string[] {
  return value.split(',').flatMap((one) => {
    const text = one.trim();
    if (isAnyAddress(text)) return [text];
    // A scheme stands before `://`, or a member's name and a scheme.
    const [, bracketed, plain] =
      /^(?:[^/]*:\/\/)?(?:[^/@]*@)?(?:\[([^\]]*)\]|([^:/?#[\]]+))(?:[:/?#]|$)/.exec(text) ?? [];
    const host = bracketed ?? plain;
    return host === undefined ? [] : [host];
  });
}

/** Also one with a zone. node takes milliseconds before it knows IPv6 for the first time, and most of these are names. */
export function isAnyAddress(text: string): boolean {
  return /^[\d.:a-f]+(?:%|$)/i.test(text) && isIP(text) !== 0;
}

export function nameOf(host: string): GeneralName {
  if (isAnyAddress(host)) return `IP:${ipaddr.process(host).toString()}`;
  // A name that ends with a dot is the same name, absolute.
  return `DNS:${host.replace(/\.$/, '')}`;
}
