import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { certificateAuthorities, type CaName } from '../../../src/catalog/catalog.ts';
import type { RotatedAuthority, RotationPlan } from '../../../src/operations/rotation/plan.ts';
import { fingerprintOf, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { issueAuthority, issueCrossCertificate, randomSerialNumber } from '../../../src/pki/issue/issue.ts';
import type { LocalIssuer } from '../../../src/pki/issue/issuer.ts';

/** A CA that is being replaced, with both keys. */
export interface MadeAuthority extends RotatedAuthority {
  readonly keys: { readonly old: KeyObject; readonly next: KeyObject };
}

export const madeAt = new Date('2026-11-29T12:00:00Z');

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

/** As `kubepki ca rotate prepare` makes it. */
export function madeAuthority(name: CaName): MadeAuthority {
  const commonName = certificateAuthorities.find((spec) => spec.name === name)?.commonName ?? name;
  const keys = { old: newKey(), next: newKey() };
  const old = selfSigned(commonName, keys.old);
  const next = selfSigned(`${commonName}-20261129`, keys.next);
  return { name, old, next, cross: crossOf(old, keys.old, next), keys };
}

export function selfSigned(commonName: string, privateKey: KeyObject): Certificate {
  return issueAuthority({ commonName, privateKey, ...issuance() });
}

export function crossOf(old: Certificate, key: KeyObject, next: Certificate): Certificate {
  const issuer: LocalIssuer = { kind: 'local', certificate: old, privateKey: key, bundle: [old] };
  return issueCrossCertificate(issuer, next, issuance());
}

export function planOf(authorities: readonly RotatedAuthority[]): RotationPlan {
  return {
    id: '0123456789abcdef',
    createdAt: '2026-11-29T12:00:00Z',
    authorities: authorities.map(({ name, old, next, cross }) => ({
      name,
      old: fingerprintOf(old),
      next: fingerprintOf(next),
      cross: fingerprintOf(cross),
    })),
    accepted: [],
  };
}

function issuance(): { serialNumber: Buffer; notBefore: Date; notAfter: Date } {
  return {
    serialNumber: randomSerialNumber(),
    notBefore: madeAt,
    notAfter: new Date('2036-11-29T12:00:00Z'),
  };
}
