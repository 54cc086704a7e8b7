import type { ExpirationRow, KindRow, NamedFacts } from '../../operations/expiration/expiration-report.ts';

type Facts = ReadonlyMap<string, NamedFacts>;

/** What kubeadm's row has no field for. */
export function ownInfo(row: ExpirationRow, facts: Facts): object {
  return {
    file: row.file ?? null,
    faults: row.status === 'present' ? row.faults : [],
    refused: row.status === 'present' && row.refused,
    certificate: factsInfo(facts.get(row.name)),
  };
}

/** A row of our own, so that it can say all of it. */
export function additionalInfo(row: KindRow, facts: Facts): object {
  const isPresent = row.status === 'present';
  return {
    name: row.name,
    kind: row.kind,
    file: row.file ?? null,
    status: row.status,
    expirationDate: isPresent ? dateOf(row.notAfter) : null,
    residualTime: isPresent ? secondsOf(row.residualMs) : 0,
    renewsItself: isPresent && row.marginMs !== undefined,
    faults: isPresent ? row.faults : [],
    caName: (isPresent ? row.caName : undefined) ?? null,
    externallyManaged: isPresent && row.externallyManaged,
    certificate: factsInfo(facts.get(row.name)),
  };
}

function factsInfo(facts: NamedFacts | undefined): object | null {
  if (facts === undefined) return null;
  const { notBefore, serialNumber, subject, issuer, user } = facts;
  return {
    notBefore: dateOf(notBefore),
    serialNumber,
    subject: Object.fromEntries(subject),
    issuer: Object.fromEntries(issuer),
    user: user ?? null,
  };
}

export function dateOf(moment: Date): string {
  return moment.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

export function secondsOf(milliseconds: number): number {
  // `+ 0` turns the negative zero of Math.trunc(-0.5) into 0.
  return Math.trunc(milliseconds / 1000) + 0;
}
