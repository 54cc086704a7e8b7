import { isoSeconds } from '../../pki/der/time.ts';
import { ofExternalEtcd } from '../examination/finding.ts';
import type { Grade, Trouble } from '../verification/check.ts';
import { checks } from '../verification/checks.ts';
import { endsText } from '../verification/ending.ts';
import { caHorizonMs } from '../verification/horizon.ts';
import { rotationMarginMs } from '../verification/kubelet.ts';
import { statusOf, type CheckResult, type CheckStatus } from '../verification/verification.ts';
import type { RowKind } from '../expiration/expiration-report.ts';
import type { PrintedCertificate } from './printed-certificate.ts';

/** What `verify` has printed of one node. */
export interface PrintedVerification {
  readonly checks: readonly PrintedCheck[];
  readonly certificates: readonly PrintedCertificate[];
  /** Why nothing of the node could be looked at, in its own words. */
  readonly error: string | undefined;
}

export interface PrintedCheck extends Omit<CheckResult, 'flag' | 'isJudged' | 'status'> {
  readonly status: CheckStatus;
}

interface Moment {
  readonly now: Date;
  /** When that node looked. */
  readonly then: Date;
  readonly withinMs: number;
}

/** Something that a check finds now and could not find then. */
interface Since {
  readonly check: string;
  readonly trouble: Trouble;
}

type Dated = PrintedCertificate & { readonly held: { readonly status: 'present' } };

/**
 * What became of each check, as of now: what has ended, begun or come near since is told by the dates, and everything else is as that
 * node has measured it.
 */
export function judgedAnew(
  { checks: printed, certificates }: PrintedVerification,
  moment: Moment,
): CheckResult[] {
  const dated = certificates.filter((one): one is Dated => one.held.status === 'present');
  const since = dated.flatMap((one) => happened(one, moment));
  const known = new Set(printed.map(({ id }) => id));
  const unknown = since.filter(({ check }) => !known.has(check));
  return [
    ...printed.map((check) =>
      resultOf(check, [
        ...check.troubles.flatMap((trouble) => stillSo(check.id, trouble, dated, moment)),
        ...since.flatMap(({ check: id, trouble }) =>
          id === check.id && !isTold(trouble, check) ? [trouble] : [],
        ),
      ]),
    ),
    ...checks.flatMap(({ id, title }) => {
      const troubles = unknown.flatMap(({ check, trouble }) => (check === id ? [trouble] : []));
      return troubles.length === 0 ? [] : [resultOf({ id, title, looked: troubles.length }, troubles)];
    }),
  ];
}

function resultOf(
  { id, title, looked, status }: Pick<PrintedCheck, 'id' | 'title' | 'looked'> & Partial<PrintedCheck>,
  troubles: readonly Trouble[],
): CheckResult {
  const isJudged = looked > 0 || troubles.length > 0;
  const flag = checks.find((check) => check.id === id)?.flag;
  return {
    id,
    title,
    flag,
    isJudged,
    looked,
    troubles,
    status: isJudged ? statusOf(troubles) : status === 'not-asked' ? 'not-asked' : 'none',
  };
}

/** That node has said as much already. */
function isTold({ name, file, grade }: Trouble, { troubles }: PrintedCheck): boolean {
  return troubles.some(
    (one) => one.name === name && one.file === file && (one.grade === grade || one.grade === 'error'),
  );
}

// As the examination has it: both ends belong to the period.
function left({ held }: Dated, at: Date): number {
  return held.notAfter.getTime() - at.getTime();
}

function hasEndedSince(one: Dated, { then, now }: Moment): boolean {
  return left(one, then) >= 0 && left(one, now) < 0;
}

/** The checks that its end fails, by what it is. */
const atItsEnd: Readonly<Record<RowKind, { readonly check: string; readonly says: string }>> = {
  certificate: { check: 'expired', says: 'expired on' },
  'etcd-client': { check: 'expired', says: 'expired on' },
  authority: { check: 'ca-expired', says: 'the CA expired on' },
  ca: { check: 'block-expired', says: 'holds a certificate that expired on' },
  'kubelet-conf': { check: 'kubelet-kubeconfig', says: "the kubelet's client certificate expired on" },
  'kubelet-client': { check: 'kubelet-kubeconfig', says: "the kubelet's client certificate expired on" },
  'kubelet-serving': { check: 'kubelet-serving', says: "the kubelet's serving certificate expired on" },
  kubeconfig: { check: 'admin-copy', says: 'holds a certificate that expired on' },
  endpoint: { check: 'live-valid', says: 'serves a certificate that expired on' },
};

function happened(one: Dated, moment: Moment): Since[] {
  const { kind, held } = one;
  const { now, then, withinMs } = moment;
  const about = aboutOf(one);
  const since: Since[] = [];
  const say = (check: string, grade: Grade, message: string, hint?: string): void => {
    since.push({ check, trouble: { ...about, grade, message, hint } });
  };
  if (hasEndedSince(one, moment)) {
    const { check, says } = atItsEnd[kind];
    say(check, gradeAtEnd(one), `${says} ${isoSeconds(held.notAfter)}`, remedyAtEnd(one));
  }
  const remaining = left(one, now);
  if (endsSoon.has(kind) && remaining >= 0 && remaining <= withinMs)
    say('ends-soon', 'warning', endsMessage(one, now), kind === 'endpoint' ? undefined : remedyAtEnd(one));
  if (kind === 'authority' && remaining >= 0 && remaining < caHorizonMs && left(one, then) >= caHorizonMs)
    say('ca-ends', 'warning', caEndsMessage(one), remedyAtEnd(one));
  const marginMs =
    kind === 'kubelet-client' && held.renewsItself && held.facts !== undefined
      ? rotationMarginMs({ ...held.facts, notAfter: held.notAfter })
      : -1;
  if (remaining >= 0 && remaining <= marginMs && left(one, then) > marginMs)
    say(
      'kubelet-client',
      'warning',
      `ends on ${isoSeconds(held.notAfter)}, and the kubelet should have had a new one long ago`,
      'see whether its request waits for approval (kubepki csr list), and what the kubelet says: journalctl -u kubelet',
    );
  return since;
}

const endsSoon: ReadonlySet<RowKind> = new Set(['certificate', 'etcd-client', 'endpoint']);

/** As the checks name what they are about. */
function aboutOf({ kind, name, file }: PrintedCertificate): Pick<Trouble, 'name' | 'file'> {
  switch (kind) {
    case 'endpoint': {
      // The name by which it was asked for stands behind a comma.
      const [address = name] = name.split(',');
      return { name: address, file: address };
    }
    case 'ca':
      return { name: name.replace(/ #\d+$/, ''), file: file ?? name };
    case 'kubelet-client':
    case 'kubelet-serving':
      return { name: 'kubelet', file: file ?? name };
    default:
      return { name, file: file ?? name };
  }
}

function gradeAtEnd({ kind, held }: Dated): Grade {
  // Nobody verifies what the kubelet has made for itself; and beside the CA in use another may be left.
  return kind === 'ca' || (kind === 'kubelet-serving' && !held.renewsItself) ? 'warning' : 'error';
}

/** On that node; which flags it needs there, nobody knows here. */
function remedyAtEnd({ kind, name, held }: Dated): string | undefined {
  switch (kind) {
    case 'certificate':
      return `on that node: kubepki certs renew ${name}${held.externallyManaged ? ' --csr-only' : ''}`;
    case 'etcd-client':
      return ofExternalEtcd;
    case 'authority':
      return 'on that node: kubepki verify, which says whether its CA can be renewed or must be replaced';
    case 'ca':
      return 'take it out of the file';
    case 'kubelet-conf':
    case 'kubelet-client':
    case 'kubelet-serving':
    case 'kubeconfig':
    case 'endpoint':
      return 'on that node: kubepki verify';
  }
}

function endsMessage(one: Dated, now: Date): string {
  const { notAfter } = one.held;
  return one.kind === 'endpoint'
    ? `serves a certificate that ends on ${isoSeconds(notAfter)}`
    : endsText(notAfter, left(one, now));
}

function caEndsMessage({ held: { notAfter } }: Dated): string {
  return `the CA ends on ${isoSeconds(notAfter)}, and nothing that it signs lasts longer`;
}

/** What that node has found, unless its dates say otherwise by now. */
function stillSo(check: string, trouble: Trouble, dated: readonly Dated[], moment: Moment): Trouble[] {
  const { now, withinMs } = moment;
  const one = dated.find((other) => {
    const about = aboutOf(other);
    return about.name === trouble.name && about.file === trouble.file && judgedBy[check]?.has(other.kind);
  });
  if (one === undefined) return [trouble];
  const remaining = left(one, now);
  switch (check) {
    case 'not-yet-valid':
    case 'ca-not-yet-valid':
      return one.held.facts !== undefined && one.held.facts.notBefore <= now ? [] : [trouble];
    case 'ends-soon':
      return remaining < 0 || remaining > withinMs ? [] : [{ ...trouble, message: endsMessage(one, now) }];
    case 'ca-ends':
      if (remaining < 0) return [];
      return remaining < caHorizonMs ? [{ ...trouble, message: caEndsMessage(one) }] : [trouble];
    default:
      return [trouble];
  }
}

/** The checks whose findings a date takes back or words anew. */
const judgedBy: Readonly<Partial<Record<string, ReadonlySet<RowKind>>>> = {
  'not-yet-valid': new Set(['certificate', 'etcd-client']),
  'ca-not-yet-valid': new Set(['authority']),
  'ends-soon': endsSoon,
  'ca-ends': new Set(['authority']),
};
