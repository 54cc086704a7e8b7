import type {
  AdditionalRow,
  KindRow,
  NamedFacts,
  ToldRows,
} from '../../operations/expiration/expiration-report.ts';

/** A row of our own, so that it can say what kubeadm's has no field for. */
export function additionalInfo(row: AdditionalRow): object {
  const isPresent = row.status === 'present';
  return {
    ...rowInfo(row),
    renewsItself: isPresent && row.marginMs !== undefined,
    faults: isPresent ? row.faults : [],
  };
}

/** All of a node's certificates, each with all that another machine needs to judge it. */
export function toldInfo({ rows, facts }: ToldRows): object[] {
  return rows.map((row) => {
    const isPresent = row.status === 'present';
    return {
      ...rowInfo(row),
      caName: (isPresent ? row.caName : undefined) ?? null,
      externallyManaged: isPresent && row.externallyManaged,
      renewsItself: isPresent && row.marginMs !== undefined,
      faults: isPresent ? row.faults : [],
      refused: isPresent && row.refused,
      certificate: factsInfo(facts.get(row.name)),
    };
  });
}

/** What both begin with. */
function rowInfo(row: KindRow): object {
  const isPresent = row.status === 'present';
  return {
    name: row.name,
    kind: row.kind,
    file: row.file ?? null,
    status: row.status,
    expirationDate: isPresent ? dateOf(row.notAfter) : null,
    residualTime: isPresent ? secondsOf(row.residualMs) : 0,
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
