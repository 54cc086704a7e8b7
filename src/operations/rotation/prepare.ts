import type { CaName } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { findAuthority, present } from '../../inventory/look-ups.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { fingerprintOf, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { issueAuthority, issueCrossCertificate } from '../../pki/issue/issue.ts';
import { localIssuer, type LocalIssuer } from '../../pki/issue/issuer.ts';
import { publicKeyOf, type KeyAlgorithm } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { crossProblem } from '../../pki/path/cross-problem.ts';
import { signerProblem } from '../../pki/path/path.ts';
import { authorityValidity, crossValidity } from '../issuing/validity.ts';
import { chooseKey, type NamedAlgorithm } from '../issuing/key-choice.ts';
import type { Fresh } from '../renewal/renew.ts';
import type { RotatedAuthority, RotationPlan } from './plan.ts';
import { requireSoundCross } from './rotation.ts';

/** A CA that is to be replaced: all that is decided about the new one before there is a key. */
export interface Replaceable {
  readonly name: CaName;
  readonly old: LocalIssuer;
  /** The CN of the new one. */
  readonly commonName: string;
  readonly keyAlgorithm: KeyAlgorithm;
}

interface PrepareSettings {
  readonly now: Date;
  readonly encryptionAlgorithm: NamedAlgorithm | undefined;
  readonly command: CommandLine;
}

/** @throws KubepkiError where the CA cannot be replaced from this node */
export function planReplacement(
  inventory: Inventory,
  keys: PrivateKeys,
  name: CaName,
  { now, encryptionAlgorithm, command }: PrepareSettings,
): Replaceable {
  const { bundle, certificatePath, keyPath } = requireAuthority(inventory, name, command);
  const key = keys.get(name)?.content ?? { status: 'missing' };
  if (key.status === 'missing') {
    const brought = `ca rotate prepare ${name} --ca-cert FILE --cross-cert FILE`;
    throw new KubepkiError('bad-issuer', 'its key is not on this node', {
      file: certificatePath,
      hint: `prepare the rotation where ${shellWord(keyPath)} is; or bring the new CA from where it is kept: ${command(brought)}`,
    });
  }
  const privateKey = present(key);
  const [first] = bundle;
  if (!isSameKey(first.publicKey, publicKeyOf(privateKey))) throw severalAuthorities(certificatePath);
  requireAlone(bundle, certificatePath);
  const old = localIssuer(bundle, privateKey, now, { certificate: certificatePath, key: keyPath });
  return {
    name,
    old,
    commonName: nextCommonName(old.certificate, now),
    keyAlgorithm: chooseKey(old.certificate, encryptionAlgorithm, certificatePath).algorithm,
  };
}

/** What was brought from where the key of a CA is kept. Paths are host paths. */
export interface Brought {
  readonly next: { readonly path: string; readonly certificate: Certificate };
  readonly cross: { readonly path: string; readonly certificate: Certificate };
}

/**
 * A CA that is to be replaced by one whose key is elsewhere.
 * @throws KubepkiError bad-certificate, conflict, not-found
 */
export function planBrought(
  inventory: Inventory,
  name: CaName,
  { next, cross }: Brought,
  { now, command }: Pick<PrepareSettings, 'now' | 'command'>,
): RotatedAuthority {
  const { bundle, certificatePath } = requireAuthority(inventory, name, command);
  requireAlone(bundle, certificatePath);
  const [old] = bundle;
  const problem = crossProblem(old, next.certificate) ?? signerProblem(next.certificate, now);
  if (problem !== undefined) {
    throw new KubepkiError(
      'bad-certificate',
      `cannot replace ${name}: it is a CA ${problem.replace(/^the new CA is one /, '')}`,
      {
        file: next.path,
      },
    );
  }
  const authority = { name, old, next: next.certificate, cross: cross.certificate };
  naming(cross.path, () => {
    requireSoundCross(authority);
    const invalid = signerProblem(cross.certificate, now);
    if (invalid !== undefined) throw new KubepkiError('bad-certificate', `is of a CA ${invalid}`);
  });
  return authority;
}

function requireAuthority(
  inventory: Inventory,
  name: CaName,
  command: CommandLine,
): { readonly bundle: Chain; readonly certificatePath: string; readonly keyPath: string } {
  const entry = findAuthority(inventory, name);
  if (entry === undefined || entry.bundle.status === 'missing') {
    throw new KubepkiError('not-found', `there is no ${name} on this node`, {
      file: entry?.certificatePath,
      hint: `name the CAs that are to be replaced: ${command('ca rotate prepare ca front-proxy-ca')}`,
    });
  }
  const { certificatePath, keyPath } = entry;
  return { bundle: present(entry.bundle), certificatePath, keyPath };
}

/** kubeadm signs with the first, and what the others are for nobody can tell: another rotation may be half done. */
function requireAlone([first, ...others]: Chain, file: string): void {
  if (others.some(({ subject }) => subject.equals(first.subject))) throw severalAuthorities(file);
}

function severalAuthorities(file: string): KubepkiError {
  return new KubepkiError(
    'conflict',
    'holds several CAs of this cluster: another rotation may be half done',
    {
      file,
      hint: 'leave the CA in it whose key is beside it, first, and try again',
    },
  );
}

/**
 * The new CA has another name: in the handshakes of TLS and in logs the two are then told apart. The key alone would do
 * (RFC 5280, 4.2.1.1).
 */
function nextCommonName({ subject }: Certificate, now: Date): string {
  const old = commonNameOf(subject);
  const base = old.replace(/-\d{8}(?:-\d+)?$/, '');
  const dated = `${base}-${isoSeconds(now).slice(0, 10).replaceAll('-', '')}`;
  if (dated !== old && !old.startsWith(`${dated}-`)) return dated;
  // A second rotation on one day.
  const [, count = '1'] = /-\d{8}-(\d+)$/.exec(old) ?? [];
  return `${dated}-${String(Number(count) + 1)}`;
}

function commonNameOf(subject: Buffer): string {
  const found = attributesOf(subject).find((attribute) => attribute.startsWith('CN='));
  return found?.slice('CN='.length) ?? 'kubernetes';
}

interface Chance {
  readonly next: Fresh;
  /** Content bytes of the INTEGER. */
  readonly crossSerialNumber: Buffer;
}

/**
 * Makes the new CA, and the cross-certificate by which those accept its leaves who know the old one alone. The cross-certificate ends
 * with the old CA: a path is no longer than each of its certificates (RFC 5280, 6.1.3).
 * @throws KubepkiError bad-issuer where such a path would not be trusted
 */
export function replace(
  { name, old, commonName }: Replaceable,
  { next: { privateKey, serialNumber }, crossSerialNumber }: Chance,
  { now, authorityValidityMs }: { readonly now: Date; readonly authorityValidityMs: number },
): RotatedAuthority {
  const next = issueAuthority({
    commonName,
    privateKey,
    serialNumber,
    ...authorityValidity(now, authorityValidityMs),
  });
  const problem = crossProblem(old.certificate, next);
  if (problem !== undefined) {
    throw new KubepkiError('bad-issuer', `${name} cannot be replaced in stages: ${problem}`, {
      hint: 'no certificate of a new CA would be trusted where only the old one is known yet: see "Manual rotation of CA certificates" in the Kubernetes documentation',
    });
  }
  const validity = crossValidity(old.certificate, next, now);
  const cross = issueCrossCertificate(old, next, { serialNumber: crossSerialNumber, ...validity });
  return { name, old: old.certificate, next, cross };
}

/** @param id 16 lower-case hex digits of chance */
export function planOf(
  id: string,
  now: Date,
  authorities: readonly RotatedAuthority[],
  accepted: RotationPlan['accepted'],
): RotationPlan {
  return {
    id,
    createdAt: isoSeconds(now),
    authorities: authorities.map(({ name, old, next, cross }) => ({
      name,
      old: fingerprintOf(old),
      next: fingerprintOf(next),
      cross: fingerprintOf(cross),
    })),
    accepted,
  };
}
