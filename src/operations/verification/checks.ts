import type { Inventory } from '../../inventory/inventory.ts';
import type { CheckId } from '../examination/finding.ts';
import { bothLooks, nothingHere, type Check, type Look } from './check.ts';
import { knowTheTokenKey, shareTheAuthority } from './cluster/api-servers.ts';
import { hasItsConfiguration } from './cluster/configuration.ts';
import { serveValidCertificates } from './cluster/kubelets.ts';
import { areDecided } from './cluster/requests.ts';
import { mayCallTheKubelets } from './cluster/rights.ts';
import { extensionsKnowTheClients, leadsNewNodesHere, publishesTheAuthority } from './cluster/trust.ts';
import { areGood } from './copies.ts';
import { endsLater } from './ending.ts';
import { keepsItsKeys, meetsTheBenchmark } from './guarded.ts';
import { hasStrongKeys, lastsLongEnough } from './horizon.ts';
import { holdsNoExpiredAuthority, isMadeOutToItsUser, trustsTheServer } from './kubeconfigs.ts';
import {
  knowsItsCallers,
  rotatesItsCertificate,
  servesAValidCertificate,
  startsWithItsKubeconfig,
} from './kubelet.ts';
import {
  answers,
  endsLaterWhereServed,
  servesValidCertificates,
  servesWhatIsOnDisk,
  startedAfterItsFiles,
} from './live.ts';
import {
  knowsTheTokenKey,
  manifestsThatCannotBeRead,
  mayReadItsFiles,
  namesFilesThatAreThere,
  signsWithAPair,
  trustsTheSigner,
  usesWhatIsManaged,
} from './manifests.ts';
import { isAtOneStage } from './rotation.ts';
import { hasItsNames, isOfThisNode } from './server-names.ts';
import { isAPair } from './service-account.ts';
import { nothingWaits } from './waiting.ts';

/** What the examination judges, as a sentence that is true when all is well. */
const examined = {
  missing: 'every certificate is there',
  unreadable: 'every certificate can be read',
  order: 'each file begins with the leaf',
  ca: 'no leaf may sign certificates',
  foreign: 'each certificate is signed by the CA on disk',
  untrusted: 'each certificate leads to a valid CA',
  unjudged: 'the CA of each certificate can be read',
  signature: 'no certificate is signed with SHA-1 or MD5',
  serial: 'no serial number is negative',
  extensions: 'no critical extension is unknown',
  usages: 'each certificate has its extended key usages',
  nameless: 'each server has a SAN',
  'key-missing': 'each certificate has its private key',
  'key-locked': 'each private key may be read',
  'key-unreadable': 'each private key can be read',
  'key-other': 'each private key is the one of its certificate',
  expired: 'no certificate has expired',
  'not-yet-valid': 'each certificate is valid already',
  'ca-no-ca': 'each CA is a CA',
  'ca-serial': 'no serial number of a CA is negative',
  'ca-unfit': 'each CA may sign certificates',
  'ca-expired': 'no CA has expired',
  'ca-not-yet-valid': 'each CA is valid already',
  'ca-key-locked': 'the private key of each CA may be read',
  'ca-key-unreadable': 'the private key of each CA can be read',
  'ca-key-other': 'the private key of each CA is its own',
  'block-unparsable': "each certificate in a CA's file can be read by Kubernetes",
  'block-no-ca': "each certificate in a CA's file is a CA's",
  'block-expired': "no certificate in a CA's file has expired",
} as const satisfies Readonly<Record<CheckId, string>>;

/** Of a file that may not be read nothing is known. */
const locked: ReadonlySet<CheckId> = new Set(['key-locked', 'ca-key-locked']);

function examinationChecks(): Check[] {
  return Object.entries(examined).map(([id, title]) => ({
    id,
    title,
    look: ({ subject: { inventory, keys }, findings }): Look => {
      const { certificates, authorities, etcdClient } = inventory;
      if (keys === undefined && /^(?:ca-)?key-/.test(id)) return nothingHere;
      const isOfAuthorities = id.startsWith('ca-') || id.startsWith('block-');
      return {
        looked: isOfAuthorities
          ? authorities.length
          : certificates.length + (etcdClient === undefined ? 0 : 1),
        troubles: findings
          .filter(({ check, followsFromCa }) => check === id && followsFromCa !== true)
          .map(({ check, severity, name, file, message, hint }) => ({
            grade: locked.has(check) || isLockedOut(name, inventory) ? 'unchecked' : severity,
            name,
            file,
            message,
            hint,
          })),
      };
    },
  }));
}

/** A file that this user may not read says nothing, neither good nor bad. */
function isLockedOut(name: string, { certificates, etcdClient, authorities }: Inventory): boolean {
  const leaves = [...certificates, ...(etcdClient === undefined ? [] : [etcdClient.leaf])];
  const states = [
    ...leaves.flatMap((entry) => (entry.spec.name === name ? [entry.state] : [])),
    ...authorities.flatMap((entry) => (entry.spec.name === name ? [entry.bundle] : [])),
  ];
  return states.some((state) => state.status === 'unreadable' && state.error.code === 'no-permission');
}

/** Everything that `verify` looks at, in the order in which it is shown. */
export const checks: readonly Check[] = [
  ...examinationChecks(),
  {
    id: 'ends-soon',
    title: 'no certificate ends soon',
    look: (observed) => bothLooks(endsLater(observed), endsLaterWhereServed(observed)),
  },
  { id: 'ca-ends', title: 'each CA outlives what it signs', look: lastsLongEnough },
  { id: 'weak-key', title: 'no key is weak', look: hasStrongKeys },
  { id: 'service-account', title: 'sa.pub is the public key of sa.key', look: isAPair },
  { id: 'server-names', title: 'each server has the SANs by which it is called', look: hasItsNames },
  { id: 'other-node', title: "each server's certificate was made for this node", look: isOfThisNode },
  { id: 'kubeconfig-ca', title: "each kubeconfig trusts the API server's CA", look: trustsTheServer },
  { id: 'kubeconfig-old-ca', title: 'no kubeconfig holds an expired CA', look: holdsNoExpiredAuthority },
  { id: 'kubeconfig-user', title: 'each kubeconfig is made out to its component', look: isMadeOutToItsUser },
  { id: 'manifest', title: "each component's manifest can be read", look: manifestsThatCannotBeRead },
  { id: 'manifest-files', title: 'each file that a manifest names is there', look: namesFilesThatAreThere },
  { id: 'manifest-other-file', title: 'each component uses what kubeadm manages', look: usesWhatIsManaged },
  { id: 'manifest-access', title: 'each component may read its files', look: mayReadItsFiles },
  { id: 'manifest-trust', title: 'each component trusts the CA that signs', look: trustsTheSigner },
  {
    id: 'cluster-signing',
    title: 'kube-controller-manager signs with one CA and its key',
    look: signsWithAPair,
  },
  { id: 'token-keys', title: 'the API server knows the key of the tokens', look: knowsTheTokenKey },
  {
    id: 'kubelet-kubeconfig',
    title: 'the kubelet starts with its kubeconfig',
    look: startsWithItsKubeconfig,
  },
  {
    id: 'kubelet-client',
    title: "the kubelet's client certificate is well and rotated",
    look: rotatesItsCertificate,
  },
  {
    id: 'kubelet-serving',
    title: "the kubelet's serving certificate is valid",
    look: servesAValidCertificate,
  },
  { id: 'kubelet-client-ca', title: 'the kubelet accepts the API server', look: knowsItsCallers },
  {
    id: 'admin-copy',
    title: 'no copy of admin.conf is out of date',
    look: areGood,
  },
  { id: 'modes', title: 'no private key may be read by others', look: keepsItsKeys },
  {
    id: 'cis',
    title: 'owners and modes are as CIS 1.1.13 to 1.1.21 and 4.1.5 to 4.1.10 have them',
    flag: '--cis',
    look: meetsTheBenchmark,
  },
  { id: 'live-answers', title: 'each component answers', flag: '--live', look: answers },
  {
    id: 'live-served',
    title: 'each component serves what is on disk',
    flag: '--live',
    look: servesWhatIsOnDisk,
  },
  { id: 'live-valid', title: 'what is served verifies', flag: '--live', look: servesValidCertificates },
  {
    id: 'live-started',
    title: 'each component started after its files changed',
    flag: '--live',
    look: startedAfterItsFiles,
  },
  {
    id: 'cluster-root-ca',
    title: "each namespace has the API server's CA",
    flag: '--cluster',
    look: publishesTheAuthority,
  },
  {
    id: 'cluster-info',
    title: 'new nodes are led to this cluster',
    flag: '--cluster',
    look: leadsNewNodesHere,
  },
  {
    id: 'cluster-authentication',
    title: "extension API servers know this node's CAs",
    flag: '--cluster',
    look: extensionsKnowTheClients,
  },
  {
    id: 'cluster-config',
    title: 'this node is as kubeadm-config has it',
    flag: '--cluster',
    look: hasItsConfiguration,
  },
  {
    id: 'cluster-api-servers',
    title: 'each API server has this CA',
    flag: '--cluster',
    look: shareTheAuthority,
  },
  {
    id: 'cluster-token-keys',
    title: 'each API server knows the key of the tokens',
    flag: '--cluster',
    look: knowTheTokenKey,
  },
  {
    id: 'cluster-kubelets',
    title: 'each kubelet serves a valid certificate',
    flag: '--cluster',
    look: serveValidCertificates,
  },
  {
    id: 'cluster-requests',
    title: "no kubelet's request waits for long",
    flag: '--cluster',
    look: areDecided,
  },
  {
    id: 'cluster-kubelet-rights',
    title: 'the API server may call the kubelets',
    flag: '--cluster',
    look: mayCallTheKubelets,
  },
  { id: 'rotation', title: 'each CA that is being replaced is at one stage', look: isAtOneStage },
  { id: 'waiting', title: 'nothing of an earlier run waits', look: nothingWaits },
];
