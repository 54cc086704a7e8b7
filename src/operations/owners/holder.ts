import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory, KubeconfigState, LeafState } from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { Reading, Slot } from '../../inventory/reading.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { chainsTo } from '../../pki/path/path.ts';
import { distinguishedName } from '../../pki/der/name.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { catalogIdentity, catalogText, identityOf, identityText, isOfCatalog } from './identity.ts';
import { findAuthority } from '../../inventory/look-ups.ts';

/** A certificate with its key, and the CA that should have signed it. */
interface Held {
  readonly spec: CertificateSpec;
  readonly state: LeafState | KubeconfigState;
  /** undefined: no file says where its key is. */
  readonly key: Slot<PrivateKey> | undefined;
  /** The certificates in the CA's file. */
  readonly authorities: Reading<Chain>;
  readonly caFile: string;
}

/** The subject of the next certificate. */
interface Holder {
  /** DER of the Name. */
  readonly subject: Buffer;
  /** Whether a CA of the CA's file has signed the certificate. Dates do not count. */
  readonly verifies: boolean;
  readonly warnings: readonly string[];
}

/** As {@link heldIn}, of a certificate that was read. */
export function requireHeld(inventory: Inventory, spec: CertificateSpec, keys: PrivateKeys): Held {
  const held = heldIn(inventory, spec, keys);
  if (held === undefined) throw new TypeError('planned with something that was not read');
  return held;
}

/** @returns undefined where no certificate could be read */
export function heldIn(inventory: Inventory, spec: CertificateSpec, keys: PrivateKeys): Held | undefined {
  const state = inventory.certificates.find((entry) => entry.spec === spec)?.state;
  if (state?.status !== 'present') return undefined;
  const authority = findAuthority(inventory, spec.caName);
  return {
    spec,
    state: state.value,
    key: keys.get(spec.name),
    authorities: authority?.bundle ?? { status: 'missing' },
    caFile: authority?.certificatePath ?? '',
  };
}

/**
 * Whether a certificate may be signed anew for the holder that it names. A foreign owner must gain nothing that he could not do
 * himself: so the CA has to have signed his certificate, for an identity of the catalog, and the key must be his already. In a
 * file of root's or the caller's, the certificate says what they want.
 * @throws KubepkiError no-permission
 */
export function holderOf(held: Held, command: CommandLine): Holder {
  const { spec, state, authorities } = held;
  const [leaf] = state.chain;
  const file = certificateFileOf(state);
  const verifies = authorities.status === 'present' && chainsTo(state.chain, authorities.value);
  const identity = identityOf(leaf);
  const isKnown = isOfCatalog(spec, identity);
  const foreign = foreignFile(held);
  if (foreign !== undefined) {
    const reason = !verifies
      ? `is not signed by the CA of ${held.caFile}`
      : !isKnown
        ? `is made out to ${identityText(identity)}, not to ${catalogText(spec)}`
        : keyProblem(held);
    if (reason !== undefined) {
      const anew = `to have it made anew, move it away with its key, then: ${command(`generate ${spec.name}`)}`;
      throw refusal(foreign, `the certificate ${spec.name} ${reason}`, `look at ${file.path}; ${anew}`);
    }
  }
  return {
    subject: leaf.subject,
    verifies,
    warnings: isKnown
      ? []
      : [`${file.path}: is made out to ${identityText(identity)}, where kubeadm has ${catalogText(spec)}`],
  };
}

/**
 * The holder of a certificate that this CA does not verify, in a file of root's or the caller's. Such a certificate proves
 * nothing, so the catalog says to whom the next one is made out.
 * @param insisted the command line names the certificate, with `--force`
 * @throws KubepkiError foreign-issuer
 */
export function holderByCatalog(
  held: Held,
  { insisted, command }: { readonly insisted: boolean; readonly command: CommandLine },
): Pick<Holder, 'subject' | 'warnings'> {
  const { spec, state, caFile } = held;
  const [leaf] = state.chain;
  const { path: file } = certificateFileOf(state);
  const foreign = `is not signed by the CA of ${caFile}`;
  if (!insisted) {
    throw new KubepkiError('foreign-issuer', foreign, {
      file,
      hint: `put the CA certificate in place that signed it; or, if this CA is to sign it: ${command(`renew ${spec.name} --force`)}`,
    });
  }
  const identity = identityOf(leaf);
  const known = `${file}: ${foreign}`;
  if (isOfCatalog(spec, identity)) return { subject: leaf.subject, warnings: [known] };
  const next = catalogIdentity(spec, identity);
  if (next === undefined) {
    throw new KubepkiError(
      'foreign-issuer',
      `${foreign}, and is made out to ${identityText(identity)}, which is no name of a node`,
      { file, hint: `move it away with its key, and have it made anew: ${command(`generate ${spec.name}`)}` },
    );
  }
  const [commonName = ''] = next.commonNames;
  return {
    subject: distinguishedName(next.organizations, commonName),
    warnings: [
      `${known}; the next one is made out to ${identityText(next)}, not to ${identityText(identity)}`,
    ],
  };
}

/** The first file of the certificate whose owner is neither root nor the caller. */
function foreignFile({ state, key }: Held): FileTarget | undefined {
  return [state.file, certificateFileOf(state), key?.target].find((file) => file?.before?.foreign === true);
}

function certificateFileOf(state: Held['state']): FileTarget {
  return 'certificateFile' in state ? (state.certificateFile ?? state.file) : state.file;
}

function keyProblem({ state, key }: Held): string | undefined {
  switch (key?.content.status) {
    case 'present':
      return isSameKey(state.chain[0].publicKey, publicKeyOf(key.content.value))
        ? undefined
        : 'belongs to another private key than the one beside it';
    case 'unreadable':
      return 'has a private key that cannot be read';
    case 'missing':
    case undefined:
      return 'has no private key beside it';
  }
}

function refusal({ path, before }: FileTarget, reason: string, hint: string): KubepkiError {
  return new KubepkiError(
    'no-permission',
    `${reason}, so nothing is made for uid ${String(before?.uid)}, whose file this is`,
    { file: path, hint },
  );
}
