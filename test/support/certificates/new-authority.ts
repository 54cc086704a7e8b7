import { generateKeyPairSync } from 'node:crypto';
import { crossValidity } from '../../../src/operations/issuing/validity.ts';
import type { Certificate } from '../../../src/pki/certificate/certificate.ts';
import {
  issueAuthority,
  issueCertificate,
  issueCrossCertificate,
  randomSerialNumber,
} from '../../../src/pki/issue/issue.ts';
import { localIssuer, type LocalIssuer } from '../../../src/pki/issue/issuer.ts';
import { newProfile } from '../../../src/pki/issue/profile.ts';
import { publicKeyOf, type PrivateKey } from '../../../src/pki/key/private-key.ts';
import type { KeyWord, Pair } from './old-authority.ts';

/** The moment at which the test began. */
export const now = new Date(Math.floor(Date.now() / 1000) * 1000);
export const fiveMinutesAgo = new Date(now.getTime() - 300_000);
const daysFromNow = (days: number): Date => new Date(now.getTime() + days * 24 * 3600 * 1000);

export function newKey(word: KeyWord = 'P-256'): PrivateKey {
  const [kind, bits] = word.split(':');
  return kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: Number(bits) }).privateKey
    : generateKeyPairSync('ec', { namedCurve: word }).privateKey;
}

/** A CA as we make it. */
export function newAuthority(
  commonName: string,
  {
    key = newKey(),
    notAfter = daysFromNow(3650),
  }: { readonly key?: PrivateKey; readonly notAfter?: Date } = {},
): Pair {
  const certificate = issueAuthority({
    commonName,
    privateKey: key,
    serialNumber: randomSerialNumber(),
    notBefore: fiveMinutesAgo,
    notAfter,
  });
  return { certificate, key };
}

export function issuerOf({ certificate, key }: Pair): LocalIssuer {
  return localIssuer([certificate], key, now, { certificate: 'ca.crt', key: 'ca.key' });
}

/** A leaf as we make it, for both ends of a connection, at this machine. */
export function leafOf(authority: Pair, key: PrivateKey = newKey(), commonName = 'node.test'): Pair {
  const certificate = issueCertificate(issuerOf(authority), {
    profile: newProfile({
      commonName,
      organizations: [],
      usages: ['serverAuth', 'clientAuth'],
      dnsNames: ['node.test'],
      ipAddresses: ['127.0.0.1'],
    }),
    publicKey: publicKeyOf(key),
    serialNumber: randomSerialNumber(),
    notBefore: fiveMinutesAgo,
    notAfter: daysFromNow(365),
  });
  return { certificate, key };
}

export function crossOf(old: Pair, next: Pair): Certificate {
  return issueCrossCertificate(issuerOf(old), next.certificate, {
    serialNumber: randomSerialNumber(),
    ...crossValidity(old.certificate, next.certificate, now),
  });
}
