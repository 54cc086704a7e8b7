import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { algorithmOf } from '../../pki/key/private-key.ts';
import { ForeignKey } from '../../pki/key/public-key.ts';
import { remedyFor } from '../examination/authority-remedy.ts';
import { inUseOf } from '../examination/examination.ts';
import { lookAtEach, type Look, type Trouble } from './check.ts';
import type { Observed } from './observed.ts';

const dayMs = 24 * 3600 * 1000;
/** A CA that ends within two years ends soon. */
export const caHorizonMs = 2 * 365 * dayMs;

/**
 * A CA that ends soon shortens what it signs, and a new one takes months to bring about. "Soon" is two years, or before its leaves
 * have been renewed twice.
 */
export function lastsLongEnough({ subject, withinMs }: Observed): Look {
  const { inventory, now } = subject;
  return lookAtEach(inventory.authorities, (entry): Trouble[] => {
    const authority = inUseOf(entry, subject);
    if (authority === undefined || authority.notAfter.getTime() < now.getTime()) return [];
    const end = authority.notAfter.getTime();
    const leaves = inventory.certificates.flatMap(({ spec, state }) =>
      spec.caName === entry.spec.name && state.status === 'present' ? [state.value.chain[0]] : [],
    );
    // A leaf is renewed some time before its end, and its successor lasts as long.
    const secondEnd = Math.max(0, ...leaves.map((leaf) => leaf.notAfter.getTime() + lifeMs(leaf) - withinMs));
    const isSoon = end - now.getTime() < caHorizonMs;
    if (!isSoon && end >= secondEnd) return [];
    return [
      {
        grade: 'warning',
        name: entry.spec.name,
        file: entry.certificatePath,
        message: isSoon
          ? `the CA ends on ${isoSeconds(authority.notAfter)}, and nothing that it signs lasts longer`
          : `the CA ends on ${isoSeconds(authority.notAfter)}, before its certificates have been renewed twice`,
        hint: remedyFor(entry, authority, subject.command),
      },
    ];
  });
}

function lifeMs({ notBefore, notAfter }: Certificate): number {
  return notAfter.getTime() - notBefore.getTime();
}

// NIST SP 800-57: 2048 bits are the least for new keys. Go still takes 1024.
const leastRsaBits = 2048;

export function hasStrongKeys({ subject }: Observed): Look {
  const { certificates, authorities } = subject.inventory;
  const leaves = certificates.flatMap(({ spec: { name }, state, certificatePath }) =>
    state.status === 'present' ? [{ name, file: certificatePath, certificate: state.value.chain[0] }] : [],
  );
  const signers = authorities.flatMap((entry) => {
    const certificate = inUseOf(entry, subject);
    return certificate === undefined
      ? []
      : [{ name: entry.spec.name, file: entry.certificatePath, certificate }];
  });
  return lookAtEach([...leaves, ...signers], ({ name, file, certificate: { publicKey } }): Trouble[] => {
    if (publicKey instanceof ForeignKey) return [];
    const algorithm = algorithmOf(publicKey);
    if (algorithm.type !== 'rsa' || algorithm.bits >= leastRsaBits) return [];
    return [
      {
        grade: 'warning',
        name,
        file,
        message: `has an RSA key of ${String(algorithm.bits)} bits, and ${String(leastRsaBits)} are the least that is safe`,
        hint: 'name a stronger one with encryptionAlgorithm in the kubeadm configuration, and renew it with --config',
      },
    ];
  });
}
