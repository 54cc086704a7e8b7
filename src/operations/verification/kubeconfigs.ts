import { catalogText, identityOf, identityText, isOfCatalog } from '../owners/identity.ts';
import { inUseOf } from '../examination/examination.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import type { KubeconfigContent, KubeconfigFile } from '../../inventory/verified-files.ts';
import type { Observed } from './observed.ts';
import { troubleOf } from './trouble.ts';

interface ReadKubeconfig extends KubeconfigContent {
  readonly name: string;
  readonly path: string;
}

/** What could be read; of what could not, the examination tells, and for the kubelet's file the check of the kubelet. */
export function readKubeconfigs(observed: readonly KubeconfigFile[]): ReadKubeconfig[] {
  return observed.flatMap(({ spec, path, content }) =>
    content.status === 'present' ? [{ ...content.value, name: spec?.name ?? path, path }] : [],
  );
}

/**
 * A kubeconfig must trust what the API server shows. The leaf that is served leads to one of the CAs on disk: that is the one that
 * the kubeconfig has to hold; any other CA in it does no harm.
 */
export function trustsTheServer({ kubeconfigs, subject }: Observed): Look {
  const authority = subject.inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const needed = authority && servingAuthority(subject, authority);
  if (authority === undefined || needed === undefined) return nothingHere;
  return lookAtEach(readKubeconfigs(kubeconfigs), ({ name, path, authorities, kubeconfig }): Trouble[] => {
    if (authorities.status === 'unreadable') return [troubleOf(name, path, authorities.error)];
    if (authorities.status === 'missing') {
      return [
        kubeconfig.clusterCa.kind === 'file'
          ? lacks(name, path, `names the CA file ${kubeconfig.clusterCa.path}, which is not there`)
          : lacks(name, path, 'holds no CA, so that its user trusts what this machine trusts'),
      ];
    }
    return authorities.value.some((one) => isSameAuthority(one, needed))
      ? []
      : [lacks(name, path, `does not hold the CA of ${authority.certificatePath}`)];
  });

  function lacks(name: string, file: string, message: string): Trouble {
    const hint =
      name === 'kubelet.conf'
        ? `put the certificates of ${authority?.certificatePath ?? 'ca.crt'} into its certificate-authority-data, and restart the kubelet`
        : `renewing it puts the CA of this node in: ${subject.command(`renew ${name}`)}`;
    return { grade: 'error', name, file, message, hint };
  }
}

/** The CA that the API server's certificate is from; where that cannot be told, the one that signs. */
export function servingAuthority(
  subject: Observed['subject'],
  authority: Observed['subject']['inventory']['authorities'][number],
): Certificate | undefined {
  const server = subject.inventory.certificates.find(({ spec }) => spec.name === 'apiserver');
  const [leaf] = server?.state.status === 'present' ? server.state.value.chain : [];
  const signer =
    leaf && authority.bundle.status === 'present'
      ? authority.bundle.value.find((one) => isIssuedBy(leaf, one))
      : undefined;
  return signer ?? inUseOf(authority, subject);
}

/** The same CA, whichever of its certificates: a verifier goes by name and key (RFC 5280, 6.1.1 d). */
export function isSameAuthority(one: Certificate, other: Certificate): boolean {
  return one.subject.equals(other.subject) && isSameKey(one.publicKey, other.publicKey);
}

/** Go, OpenSSL and node refuse a root that has expired; beside one that has not it does no harm. */
export function holdsNoExpiredAuthority({ kubeconfigs, subject: { now, command } }: Observed): Look {
  return lookAtEach(readKubeconfigs(kubeconfigs), ({ name, path, authorities }): Trouble[] => {
    if (authorities.status !== 'present') return [];
    const expired = authorities.value.filter(({ notAfter }) => notAfter.getTime() < now.getTime());
    const [first] = expired;
    if (first === undefined) return [];
    const isAll = expired.length === authorities.value.length;
    return [
      {
        grade: isAll ? 'error' : 'warning',
        name,
        file: path,
        message: `holds a CA that expired on ${isoSeconds(first.notAfter)}${isAll ? ', and no other' : ''}`,
        hint:
          name === 'kubelet.conf'
            ? 'put the CAs of this node into its certificate-authority-data'
            : `renewing it puts the CA of this node in: ${command(`renew ${name}`)}`,
      },
    ];
  });
}

/** RBAC knows these by name: with another one the component is refused everything. */
const knownByName: ReadonlySet<string> = new Set([
  'controller-manager.conf',
  'scheduler.conf',
  'kubelet.conf',
]);

export function isMadeOutToItsUser({ kubeconfigs }: Observed): Look {
  const judged = kubeconfigs.filter(({ spec }) => spec !== undefined && knownByName.has(spec.name));
  return lookAtEach(judged, ({ spec, path, content }): Trouble[] => {
    if (spec === undefined || content.status !== 'present') return [];
    const { certificate } = content.value;
    if (certificate.status !== 'present') return [];
    const identity = identityOf(certificate.value[0]);
    if (isOfCatalog(spec, identity)) return [];
    return [
      {
        grade: 'error',
        name: spec.name,
        file: path,
        message: `is made out to ${identityText(identity)}, and Kubernetes gives its rights to ${catalogText(spec)}`,
        hint: 'bring back the file from a backup (kubepki certs rollback), or move it away and have it made: kubepki certs generate --help',
      },
    ];
  });
}
