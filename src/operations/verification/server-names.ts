import ipaddr from 'ipaddr.js';
import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { parseSubjectAltName, type GeneralName } from '../../pki/extension/subject-alt-name.ts';
import { covers, hostsIn, isAnyAddress, nameOf } from '../names/name-uses.ts';
import { serviceAddress } from '../names/node-names.ts';
import { etcdSetting, lastFlagValue } from '../node/component-flags.ts';
import { lookAtEach, type Look, type Trouble } from './check.ts';
import { readKubeconfigs } from './kubeconfigs.ts';
import type { Observed } from './observed.ts';

/** A client calls a server by this name, and this file says so. */
interface Call {
  readonly name: GeneralName;
  readonly by: string;
}

/** Each server's certificate has the names by which this node's files call it. */
export function hasItsNames(observed: Observed): Look {
  const { subject } = observed;
  return lookAtEach(servers(observed), ({ spec, leaf, file }): Trouble[] => {
    const sans = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
    // Without any SAN the examination says so.
    if (sans.length === 0) return [];
    const missing = callsOf(spec, observed).filter(({ name }) => !sans.some((san) => covers(san, name)));
    const [first] = missing;
    if (first === undefined) return [];
    const names = [...new Set(missing.map(({ name }) => bare(name)))];
    return [
      {
        grade: 'error',
        name: spec.name,
        file,
        message: `has no SAN ${names.join(', ')}, by which ${first.by} calls it`,
        hint: `add ${names.length === 1 ? 'it' : 'them'}: ${subject.command(`renew ${spec.name} --add-san ${names.join(',')}`)}`,
      },
    ];
  });
}

/** A certificate that has neither the name nor the address of this node was made for another one. */
export function isOfThisNode(observed: Observed): Look {
  const own = ownNames(observed);
  const judged = own.length === 0 ? [] : servers(observed);
  return lookAtEach(judged, ({ spec, leaf, file }): Trouble[] => {
    const sans = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
    if (sans.length === 0 || own.some(({ name }) => sans.some((san) => covers(san, name)))) return [];
    return [
      {
        grade: 'error',
        name: spec.name,
        file,
        message: `was made for another node: it has neither ${own.map(({ name, by }) => `${bare(name)} (${by})`).join(' nor ')}`,
        hint: "restore this node's own file from a backup, or give it this node's names: kubepki certs renew --help (--sans-from-config)",
      },
    ];
  });
}

interface Server {
  readonly spec: CertificateSpec;
  readonly leaf: Certificate;
  readonly file: string;
}

function servers({ subject }: Observed): Server[] {
  return subject.inventory.certificates.flatMap(({ spec, state, certificatePath }) =>
    spec.subject.names === 'none' || state.status !== 'present'
      ? []
      : [{ spec, leaf: state.value.chain[0], file: certificatePath }],
  );
}

function callsOf({ subject: { names } }: CertificateSpec, observed: Observed): Call[] {
  const apiServer = podOf(observed, 'kube-apiserver');
  const etcd = podOf(observed, 'etcd');
  switch (names) {
    case 'none':
      return [];
    case 'apiserver':
      return [
        ...readKubeconfigs(observed.kubeconfigs).flatMap(({ path, kubeconfig }) =>
          calls(path, kubeconfig.server === undefined ? [] : hostsIn(kubeconfig.server)),
        ),
        ...advertised(apiServer),
        ...(apiServer === undefined ? [] : serviceCalls(apiServer)),
      ];
    case 'etcd-server':
      return etcd === undefined ? [] : addressCalls(etcd, 'advertise-client-urls');
    case 'etcd-peer':
      return etcd === undefined ? [] : addressCalls(etcd, 'initial-advertise-peer-urls');
  }
}

/** What this node calls itself: the members of etcd, and the API server's own address. */
function ownNames(observed: Observed): Call[] {
  const etcd = podOf(observed, 'etcd');
  const member = etcd && etcdSetting(etcd, 'name');
  return [
    ...(member === undefined || member === 'default' ? [] : calls(`${etcd?.path ?? ''}, --name`, [member])),
    ...advertised(podOf(observed, 'kube-apiserver')),
    ...(etcd === undefined ? [] : addressCalls(etcd, 'initial-advertise-peer-urls')),
  ];
}

// kubeadm writes the node's address, and leads the service "kubernetes" to it.
function advertised(pod: StaticPod | undefined): Call[] {
  const address = pod && lastFlagValue(pod.words, 'advertise-address');
  return address === undefined ? [] : calls(`${pod?.path ?? ''}, --advertise-address`, [address]);
}

function addressCalls(etcd: StaticPod, flag: string): Call[] {
  const value = etcdSetting(etcd, flag);
  return value === undefined ? [] : calls(`${etcd.path}, --${flag}`, hostsIn(value));
}

// Every pod finds the API server by the first address of the first range (kubeadm's GetAPIServerVirtualIP).
function serviceCalls(pod: StaticPod): Call[] {
  const [range] = (lastFlagValue(pod.words, 'service-cluster-ip-range') ?? '').split(',');
  return range === undefined || !ipaddr.isValidCIDR(range)
    ? []
    : calls(`${pod.path}, --service-cluster-ip-range`, [
        serviceAddress(range),
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
      ]);
}

function calls(by: string, hosts: readonly string[]): Call[] {
  return hosts.filter((host) => !isUnspecified(host)).map((host) => ({ name: nameOf(host), by }));
}

/** A server that listens everywhere is called by none of these. */
function isUnspecified(host: string): boolean {
  return isAnyAddress(host) && ipaddr.process(host).range() === 'unspecified';
}

function podOf({ pods }: Observed, component: keyof Observed['pods']): StaticPod | undefined {
  const reading = pods[component];
  return reading.status === 'present' ? reading.value : undefined;
}

function bare(name: GeneralName): string {
  return name.replace(/^(?:DNS|IP):/, '');
}
