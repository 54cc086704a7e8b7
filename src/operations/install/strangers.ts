import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { isCa, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { InstallSettings } from './install-settings.ts';

/**
 * Certificates that were put there for us and that nothing was asked for. One that belongs to a key in use, or to a CA on
 * disk, is none: those lie in the cert dir anyway.
 */
export function strangers(
  inventory: Inventory,
  { waiting, files, keysInUse }: InstallSettings,
): KubepkiError[] {
  const keys = waiting.flatMap(({ keys: slots }) =>
    slots.flatMap(({ content }) => (content.status === 'present' ? [publicKeyOf(content.value)] : [])),
  );
  const authorities = inventory.authorities.flatMap(({ bundle }) =>
    bundle.status === 'present' ? bundle.value : [],
  );
  const known = ({ publicKey }: Certificate): boolean =>
    keysInUse.holds(publicKey) ||
    [...keys, ...authorities.map((authority) => authority.publicKey)].some((key) =>
      isSameKey(key, publicKey),
    );
  return files.flatMap(({ target, content }) => {
    if (content.status === 'unreadable') return [content.error];
    return content.status === 'missing'
      ? []
      : unknownIn(content.value, known).map((one) => stranger(one, target));
  });
}

/** CA certificates beside one of ours are its chain. */
function unknownIn(chain: Chain, known: (certificate: Certificate) => boolean): Certificate[] {
  const leaves = chain.filter((certificate) => !known(certificate) && !isCa(certificate));
  return leaves.length > 0 || chain.some(known) ? leaves : [chain[0]];
}

function stranger(certificate: Certificate, { path }: FileTarget): KubepkiError {
  const subject = attributesOf(certificate.subject).join(', ');
  return new KubepkiError(
    'bad-certificate',
    `the certificate of "${subject}" belongs to no key that a certificate was asked for with`,
    {
      file: path,
      hint: isCa(certificate)
        ? 'put the certificate of an intermediate CA behind the leaf in the same file; move away what is not needed'
        : 'the CA must sign the CSR that is here now; if this certificate has nothing to do with it, move it away',
    },
  );
}
