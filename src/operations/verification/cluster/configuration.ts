import ipaddr from 'ipaddr.js';
import { shellWord } from '../../../errors/shell-word.ts';
import { covers, nameOf } from '../../names/name-uses.ts';
import { serviceAddress } from '../../names/node-names.ts';
import type { Grade, Look, Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import { lookAtAnswer } from './asked.ts';
import type { ClusterConfig } from './cluster.ts';
import { servedNames } from './served-names.ts';

const file = 'ConfigMap kube-system/kubeadm-config';
const correct = 'correct it: kubectl -n kube-system edit configmap kubeadm-config';

/** kubeadm makes the next certificate, manifest and control-plane node of what its ConfigMap says. */
export function hasItsConfiguration(observed: Observed): Look {
  if (observed.cluster?.configuration.status === 'absent') {
    return {
      looked: 1,
      troubles: [
        about('note', 'is not there: kubeadm upgrade and kubeadm join find no configuration', [
          'upload it: kubeadm init phase upload-config kubeadm --config your-config-file',
        ]),
      ],
    };
  }
  return lookAtAnswer(
    observed,
    'kubeadm-config',
    ({ configuration }) => configuration,
    (configuration): Look => ({
      looked: 1,
      troubles: [
        ...directoryTroubles(configuration),
        ...nameTroubles(configuration, observed),
        ...etcdTroubles(configuration, observed),
      ],
    }),
  );
}

function about(grade: Grade, message: string, [hint]: readonly [string]): Trouble {
  return { grade, name: 'kubeadm-config', file, message, hint };
}

function directoryTroubles({ otherCertDir }: ClusterConfig): Trouble[] {
  return otherCertDir === undefined
    ? []
    : [
        about('warning', `has certificatesDir ${otherCertDir}, which is not where this was looked at`, [
          `look there (--cert-dir ${shellWord(otherCertDir)}), or ${correct}`,
        ]),
      ];
}

/** A renewal keeps the SANs that a certificate has, so what is added to the configuration later is in none. */
function nameTroubles({ naming }: ClusterConfig, observed: Observed): Trouble[] {
  const sans = servedNames(observed);
  const entry = observed.subject.inventory.certificates.find(({ spec }) => spec.name === 'apiserver');
  if (sans === undefined || entry === undefined) return [];
  const { controlPlaneEndpoint, apiServerSans, serviceSubnets, dnsDomain } = naming;
  const lacking = (hosts: readonly string[]): readonly string[] => [
    ...new Set(hosts.filter((host) => !sans.some((san) => covers(san, nameOf(host))))),
  ];
  const trouble = (grade: Grade, what: string, hosts: readonly string[]): Trouble[] =>
    hosts.length === 0
      ? []
      : [
          {
            grade,
            name: 'apiserver',
            file: entry.certificatePath,
            message: `has no SAN ${hosts.join(', ')}, which kubeadm-config has as ${what}`,
            hint: `add ${hosts.length === 1 ? 'it' : 'them'} (${observed.subject.command(`renew apiserver --add-san ${hosts.join(',')}`)}), or ${correct}`,
          },
        ];
  const [range] = serviceSubnets ?? [];
  const service = range !== undefined && ipaddr.isValidCIDR(range) ? [serviceAddress(range)] : [];
  return [
    ...trouble(
      'error',
      'controlPlaneEndpoint',
      lacking(controlPlaneEndpoint === undefined ? [] : [controlPlaneEndpoint.host]),
    ),
    ...trouble('error', 'the first address of serviceSubnet', lacking(service)),
    ...trouble('warning', 'certSANs', lacking(apiServerSans)),
    ...trouble(
      'warning',
      'dnsDomain',
      lacking(dnsDomain === undefined ? [] : [`kubernetes.default.svc.${dnsDomain}`]),
    ),
  ];
}

const etcdFiles = [
  ['etcd-cafile', 'caFile'],
  ['etcd-certfile', 'certFile'],
  ['etcd-keyfile', 'keyFile'],
] as const;

/** kubeadm writes the API server's manifest anew with each upgrade, from this. */
function etcdTroubles({ config: { etcd } }: ClusterConfig, { manifestFiles, pods }: Observed): Trouble[] {
  if (etcd.kind !== 'external') return [];
  const trouble = (message: string): Trouble => about('warning', message, [correct]);
  const own =
    pods.etcd.status === 'present'
      ? [trouble(`has an external etcd, and ${pods.etcd.value.path} runs one on this node`)]
      : [];
  const others = etcdFiles.flatMap(([flag, field]): Trouble[] => {
    const named = manifestFiles.find((one) => one.component === 'kube-apiserver' && one.flag === flag);
    const said = etcd[field];
    return named === undefined || said === undefined || named.value === said
      ? []
      : [
          trouble(
            `has ${said} as ${field} of etcd.external, and kube-apiserver uses ${named.value} (--${flag})`,
          ),
        ];
  });
  return [...own, ...others];
}
