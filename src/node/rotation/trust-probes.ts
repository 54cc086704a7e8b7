import { offeredAuthorities } from '../../controlplane/offered-authorities.ts';
import { connectionTrouble } from '../../controlplane/probe.ts';
import { trustOf, type Probes, type Trust, type TrustingServer } from '../../controlplane/trust.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import { issueProbe, type ProbeCertificate } from '../../operations/rotation/probe-certificate.ts';
import type { Answer, ServerStatus } from '../../operations/rotation/status.ts';
import { encodeCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { localIssuer, type LocalIssuer } from '../../pki/issue/issuer.ts';
import { generatePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { randomProbeName } from '../../pki/key/random.ts';

/** What a client of each of the two CAs is told. */
export type Acceptance = Pick<ServerStatus, 'acceptsOld' | 'acceptsNext' | 'why'>;

/**
 * A client of each of the two CAs, for ten minutes and in memory only; undefined where the CA cannot sign here.
 * @param keys of CAs, as far as they are on this node
 */
export async function makeProbes(
  { old, next }: Pick<RotatedAuthority, 'old' | 'next'>,
  keys: readonly PrivateKey[],
  now: Date,
): Promise<Probes> {
  const of = async (authority: Certificate): Promise<ProbeCertificate | undefined> => {
    const issuer = issuerFor(authority, keys, now);
    if (issuer === undefined) return undefined;
    const privateKey = await generatePrivateKey({ type: 'ec', curve: 'P-256' });
    const name = randomProbeName();
    return issueProbe(issuer, { name, privateKey, serialNumber: randomSerialNumber() }, now);
  };
  const [ofOld, ofNext] = await Promise.all([of(old), of(next)]);
  return { old: ofOld, next: ofNext };
}

function issuerFor(authority: Certificate, keys: readonly PrivateKey[], now: Date): LocalIssuer | undefined {
  const key = keys.find((one) => isSameKey(authority.publicKey, publicKeyOf(one)));
  if (key === undefined) return undefined;
  try {
    return localIssuer([authority], key, now, { certificate: '', key: '' });
  } catch (error) {
    // It has expired, or signs nothing for another reason: there is no probe, and nothing else is at stake.
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

/** @param server without its CAs, which are the two; a kubelet that has signed its own certificate is not verified */
export async function acceptanceOf(
  server: Omit<TrustingServer, 'authorities'>,
  { old, next }: Pick<RotatedAuthority, 'old' | 'next'>,
  probes: Probes,
  isSelfSigned: boolean,
): Promise<Acceptance> {
  const authorities = isSelfSigned ? undefined : Buffer.from(encodeCertificates([old, next]));
  const trust = await trustOf({ ...server, authorities }, probes);
  const unknown = [trust.old, trust.next].find((one) => one.trust === 'unknown');
  return { acceptsOld: answerOf(trust.old), acceptsNext: answerOf(trust.next), why: unknown?.why };
}

function answerOf({ trust }: Trust): Answer {
  return ({ trusted: 'yes', refused: 'no', unknown: 'unknown' } as const)[trust];
}

/** Of the front proxy's CA, by the names that kube-apiserver offers. */
export async function offeredBy(
  server: { readonly host: string; readonly port: number },
  { old, next }: Pick<RotatedAuthority, 'old' | 'next'>,
): Promise<Acceptance> {
  const unknown = (why: string): Acceptance => ({ acceptsOld: 'unknown', acceptsNext: 'unknown', why });
  if (old.subject.equals(next.subject)) return unknown('both CAs have the same name');
  try {
    const { authorities = [] } = await offeredAuthorities(server);
    if (authorities.length === 0) return unknown('it offers the names of no CAs');
    const answer = ({ subject }: Certificate): Answer =>
      authorities.some((name) => name.equals(subject)) ? 'yes' : 'no';
    return { acceptsOld: answer(old), acceptsNext: answer(next), why: undefined };
  } catch (error) {
    return unknown(connectionTrouble(error));
  }
}
