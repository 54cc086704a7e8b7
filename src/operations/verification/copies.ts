import { shellWord } from '../../errors/shell-word.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { identityOf } from '../owners/identity.ts';
import { bothLooks, lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import type { KubeconfigFile } from '../../inventory/verified-files.ts';
import type { Observed } from './observed.ts';
import { troubleOf } from './trouble.ts';

/** The copies of admin.conf, and the kubeconfigs that the command line names; of each one thing is said. */
export function areGood(observed: Observed): Look {
  const copies = isNoStaleCopy(observed);
  return bothLooks(copies, areThere(observed, new Set(copies.troubles.map(({ file }) => file))));
}

/**
 * kubeadm tells people to copy admin.conf into their homes, and renews only its own. A kubeconfig of another cluster, or of another
 * user, is nobody's business here.
 */
function isNoStaleCopy({ copies, subject }: Observed): Look {
  const { inventory, now, command } = subject;
  const { root, kubeconfigDir } = inventory.layout;
  const authority = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  if (authority?.bundle.status !== 'present') return nothingHere;
  const bundle = authority.bundle.value;
  const kept = inventory.certificates.flatMap(({ kind, spec, state }) =>
    kind === 'kubeconfig' && state.status === 'present'
      ? [{ name: spec.name, leaf: state.value.chain[0] }]
      : [],
  );
  const judged = copies.flatMap((copy) => {
    const leaf = leafIn(copy);
    const original = leaf && kept.find((one) => isSameUser(one.leaf, leaf));
    return leaf === undefined || original === undefined || !bundle.some((one) => isIssuedBy(leaf, one))
      ? []
      : [{ path: copy.path, leaf, original, holdsItsKey: holdsKey(copy) }];
  });
  return lookAtEach(judged, ({ path, leaf, original, holdsItsKey }): Trouble[] => {
    if (leaf.der.equals(original.leaf.der) || leaf.notAfter.getTime() >= original.leaf.notAfter.getTime())
      return [];
    const hasEnded = leaf.notAfter.getTime() < now.getTime();
    return [
      {
        grade: hasEnded ? 'error' : 'warning',
        name: path,
        file: path,
        message: `is an older copy of ${original.name}, whose certificate ${hasEnded ? 'expired' : 'ends'} on ${isoSeconds(leaf.notAfter)}`,
        // What is not due stays as it is, and is what the copy gets.
        hint: holdsItsKey
          ? command(`renew ${original.name} --within 1d --update-kubeconfig ${shellWord(root.display(path))}`)
          : `copy ${root.display(kubeconfigDir)}/${original.name} there again`,
      },
    ];
  });
}

/**
 * Of a file in a home nothing is asked, and it may be anything; one that the command line names must be a kubeconfig with a
 * certificate that is good still, whose ever it is.
 */
function areThere({ copies, subject: { now } }: Observed, told: ReadonlySet<string>): Look {
  const named = copies.filter(({ isNamed, path }) => isNamed === true && !told.has(path));
  return lookAtEach(named, ({ path, content }): Trouble[] => {
    const wrong = (message: string): Trouble[] => [{ grade: 'error', name: path, file: path, message }];
    if (content.status === 'unreadable') return [troubleOf(path, path, content.error)];
    if (content.status === 'missing') return wrong('no such file');
    const { certificate, kubeconfig } = content.value;
    const held = kubeconfig.clientCertificate;
    switch (certificate.status) {
      case 'unreadable':
        return [troubleOf(path, path, certificate.error)];
      case 'missing':
        return held.kind === 'file' ? wrong(`names ${held.path}, which is not there`) : [];
      case 'present': {
        const { notAfter } = certificate.value[0];
        return notAfter.getTime() < now.getTime()
          ? wrong(`holds a certificate that expired on ${isoSeconds(notAfter)}`)
          : [];
      }
    }
  });
}

function leafIn({ content }: KubeconfigFile): Certificate | undefined {
  return content.status === 'present' && content.value.certificate.status === 'present'
    ? content.value.certificate.value[0]
    : undefined;
}

function holdsKey({ content }: KubeconfigFile): boolean {
  return content.status === 'present' && content.value.kubeconfig.clientKey.kind === 'data';
}

function isSameUser(one: Certificate, other: Certificate): boolean {
  const [a, b] = [identityOf(one), identityOf(other)];
  return a.commonNames.join() === b.commonNames.join();
}
