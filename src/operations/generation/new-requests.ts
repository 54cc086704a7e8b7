import { certificates, kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import { replaceFile, type FileChange } from '../../changeset/change-set.ts';
import type { NewRequest } from '../../inventory/request-files.ts';
import { createKubeconfig } from '../../kubeconfig/create.ts';
import { distinguishedName } from '../../pki/der/name.ts';
import { subjectAltName } from '../../pki/extension/subject-alt-name.ts';
import { encodePrivateKey, type PrivateKey } from '../../pki/key/private-key.ts';
import { encodeRequest, requestCertificate } from '../../pki/request/certification-request.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { commonNameOf, serverOf, requestedNames, type NodeIdentity } from '../names/node-names.ts';
import { isMadeWith, organizationsOf, type Organizations } from './initial-profile.ts';

const allSpecs: readonly CertificateSpec[] = [
  ...certificates.filter(({ kind }) => kind === 'leaf'),
  ...[...certificates.filter(({ kind }) => kind === 'kubeconfig'), kubeletKubeconfig].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  ),
];

/** The certificates that kubeadm makes requests for. With an external etcd it makes those of a stacked one, too. */
export function requestedSpecs(organizations: Organizations): readonly CertificateSpec[] {
  return allSpecs.filter((spec) => isMadeWith(organizations, spec));
}

/** The files of one request, made out to this node. */
export function generateRequest(
  target: NewRequest,
  { node, organizations }: { readonly node: NodeIdentity; readonly organizations: Organizations },
  privateKey: PrivateKey,
): FileChange[] {
  const { spec } = target;
  const { dnsNames, ipAddresses } = requestedNames(spec.subject.names, node);
  const commonName = commonNameOf(spec, node);
  const request = requestCertificate(
    {
      subject: distinguishedName(organizationsOf(spec, organizations), commonName),
      subjectAltName: subjectAltName(dnsNames, ipAddresses),
    },
    privateKey,
  );
  const keyPem = encodePrivateKey(privateKey);
  const content =
    spec.kind === 'leaf'
      ? keyPem
      : createKubeconfig({
          clusterName: node.clusterName,
          server: serverOf(spec, node),
          userName: commonName,
          clientKeyPem: keyPem,
        });
  return [
    replaceFile(target.key, content, 0o600),
    replaceFile(target.request, encodeRequest(request), 0o600),
  ];
}

/** The report of `generate-csr`, which makes all of the requests or stops. */
export function newRequestReport(places: readonly NewRequest[], stage: ChangeStage): ChangeReport {
  return {
    command: 'generate-csr',
    ...stageOf(stage),
    certificates: places.map(({ spec, key, request }): CertificateReport => ({
      name: spec.name,
      components: spec.components,
      outcome: 'requested',
      old: undefined,
      new: undefined,
      files: [key.path, request.path],
      csr: request.path,
      expected: request.path.replace(/csr$/, 'crt'),
    })),
    otherFiles: [],
  };
}
