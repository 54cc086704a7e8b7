import type { SettledRow } from '../../operations/kubelet-serving/kubelet-serving.ts';
import type { Asked, SigningRequest } from '../../operations/kubelet-serving/signing-request.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { printableLines } from '../printable.ts';
import { kubectlTable } from '../tab-writer.ts';
import { humanDuration } from '../times.ts';

export type ListedRequest =
  | {
      readonly object: Omit<SigningRequest, 'request'>;
      /** undefined: the object holds no well-formed request. */
      readonly asked: Asked | undefined;
    }
  /** An object that cannot be read. */
  | { readonly name: string };

// The first six are those of `kubectl get csr`, byte for byte.
export const requestTitles = [
  'NAME',
  'AGE',
  'SIGNERNAME',
  'REQUESTOR',
  'REQUESTEDDURATION',
  'CONDITION',
  'KEY',
  'REQUESTED NAMES',
] as const;
const mostNames = 10;

/** @param now what the ages are counted from */
export function signingRequestTable(requests: readonly ListedRequest[], now: Date): string {
  return kubectlTable([requestTitles, ...requests.map((request) => requestCells(request, now))]);
}

/**
 * The cells below the titles, as the requestor wrote them: not made printable.
 * @param separator between the requested names
 */
export function requestCells(listed: ListedRequest, now: Date, separator = ','): string[] {
  if (!('object' in listed))
    return [listed.name, '<unknown>', ...requestTitles.slice(2).map(() => '<invalid>')];
  const { object, asked } = listed;
  const { name, createdAt, signerName, username, expirationSeconds } = object;
  return [
    name,
    createdAt === undefined ? '<unknown>' : humanDuration(now.getTime() - createdAt.getTime()),
    signerName === '' ? '<none>' : signerName,
    username,
    expirationSeconds === undefined ? '<none>' : humanDuration(expirationSeconds * 1000),
    condition(object),
    asked?.key ?? '<invalid>',
    asked === undefined ? '<invalid>' : nameList(asked.names, separator),
  ];
}

// The requestor decides how many names a request has, and how long they are.
function nameList(names: readonly string[] | undefined, separator: string): string {
  if (names === undefined) return '<too many>';
  if (names.length === 0) return '<none>';
  const first = names
    .slice(0, mostNames)
    .map((name) => (name.length > 260 ? `${name.slice(0, 259)}…` : name));
  return `${first.join(separator)}${names.length > mostNames ? ` + ${String(names.length - mostNames)} more...` : ''}`;
}

// kubectl shows a denial before an approval.
function condition({ conditions, issued }: Pick<SigningRequest, 'conditions' | 'issued'>): string {
  const decided = ['Denied', 'Approved'].find((one) => conditions.includes(one)) ?? 'Pending';
  return `${decided}${conditions.includes('Failed') ? ',Failed' : ''}${issued ? ',Issued' : ''}`;
}

/** Every field is there always, null where the request does not say. */
export function signingRequestDocument(requests: readonly ListedRequest[], format: DocumentFormat): string {
  const entries = requests.map((listed) => ('object' in listed ? entry(listed) : unreadable(listed.name)));
  return renderDocument('SigningRequestList', { requests: entries }, format);
}

function entry({
  object,
  asked,
}: Extract<ListedRequest, { readonly object: unknown }>): Readonly<Record<string, unknown>> {
  return {
    name: object.name,
    created: object.createdAt?.toISOString().replace(/\.\d{3}Z$/, 'Z') ?? null,
    signerName: object.signerName,
    requestor: object.username,
    groups: object.groups,
    usages: object.usages,
    expirationSeconds: object.expirationSeconds ?? null,
    condition: condition(object),
    key: asked?.key ?? null,
    names: asked?.names ?? null,
  };
}

const fields = [
  'created',
  'signerName',
  'requestor',
  'groups',
  'usages',
  'expirationSeconds',
  'condition',
  'key',
  'names',
];

function unreadable(name: string): Readonly<Record<string, unknown>> {
  return { name, ...Object.fromEntries(fields.map((field) => [field, null])) };
}

/** A line for each request that was decided, or would be. The others are errors or warnings. */
export function decisionLines(rows: readonly SettledRow[]): string {
  return printableLines(rows.flatMap(line));
}

function line({ settled, asked }: SettledRow): string[] {
  const { name, outcome } = settled;
  if (outcome === 'refused' || outcome === 'unreadable' || outcome === 'not-found') return [];
  const { request, because } = settled;
  const names = (asked?.names ?? []).slice(0, 20);
  const what =
    because === undefined
      ? [request.username, ...names].join(', ')
      : `check ${because.check}: ${because.reason}`;
  return [`${name} ${done[outcome]} (${what})`];
}

const done = {
  approved: 'approved',
  'would-approve': 'would be approved',
  denied: 'denied',
  'would-deny': 'would be denied',
} as const;

export function decisionDocument(
  { command, dryRun, rows }: { command: 'approve' | 'deny'; dryRun: boolean; rows: readonly SettledRow[] },
  format: DocumentFormat,
): string {
  return renderDocument(
    'SigningRequestDecision',
    { command, dryRun, requests: rows.map(decisionEntry) },
    format,
  );
}

function decisionEntry({ settled, asked }: SettledRow): Readonly<Record<string, unknown>> {
  const { name, outcome } = settled;
  const found = outcome === 'not-found' || outcome === 'unreadable' ? undefined : settled;
  return {
    name,
    outcome,
    check: found?.because?.check ?? null,
    reason: (outcome === 'unreadable' ? settled.reason : found?.because?.reason) ?? null,
    signerName: found?.request.signerName ?? null,
    requestor: found?.request.username ?? null,
    key: asked?.key ?? null,
    names: asked?.names ?? null,
  };
}
