import { printable } from '../printable.ts';
import type { Monitored } from '../../operations/expiration/monitored.ts';

/** The times of the last runs of `renew`, in whole seconds since 1970, and the last exit code; undefined: not known. */
export interface RenewRuns {
  readonly lastRun: number | undefined;
  readonly lastSuccess: number | undefined;
  readonly lastExitCode: number | undefined;
}

/** The metrics of one node, as small as they can be: all of thousands of nodes are kept until the last one is read. */
export interface NodeMetrics {
  /** The text of the labels, with its braces. */
  readonly labels: string;
  readonly rows: readonly RowMetrics[];
  readonly readErrors: number;
}

interface RowMetrics {
  readonly labels: string;
  /** undefined: it is missing or unreadable. */
  readonly certificate:
    { readonly notBefore: number; readonly notAfter: number; readonly expired: boolean } | undefined;
  /** undefined: it is one of several in a CA's file, and not the one in use. */
  readonly wrong: boolean | undefined;
}

interface Sample {
  readonly labels: string;
  readonly value: number;
}

type Label = readonly [name: string, value: string];

// The order is that of enix/x509-certificate-exporter.
const attributes = ['C', 'ST', 'L', 'O', 'OU', 'CN'];

const runs = [
  [
    'kubepki_renew_last_run_timestamp_seconds',
    'When kubepki certs renew last ran, whatever came of it.',
    'lastRun',
  ],
  [
    'kubepki_renew_last_success_timestamp_seconds',
    'When kubepki certs renew last ended with exit code 0.',
    'lastSuccess',
  ],
  ['kubepki_renew_last_exit_code', 'The exit code of the last kubepki certs renew.', 'lastExitCode'],
] as const;

/** @param node the label of each sample; undefined: there is one node only */
export function nodeMetrics(
  node: string | undefined,
  rows: readonly Monitored[],
  readErrors: number,
): NodeMetrics {
  return {
    labels: labelText(nodeLabel(node)),
    rows: rows.flatMap((row): RowMetrics[] => [
      { labels: labelText(labelsOf(node, row)), certificate: datesOf(row.certificate), wrong: row.wrong },
      ...row.others.map(({ position, certificate }) => ({
        labels: labelText([...labelsOf(node, { ...row, certificate }), ['block', String(position)]]),
        certificate: datesOf(certificate),
        wrong: undefined,
      })),
    ]),
    readErrors,
  };
}

function datesOf(certificate: Monitored['certificate']): RowMetrics['certificate'] {
  if (certificate === undefined) return undefined;
  const { notBefore, notAfter, expired } = certificate;
  return { notBefore: seconds(notBefore), notAfter: seconds(notAfter), expired };
}

/**
 * The text exposition format, with the metrics and labels of enix/x509-certificate-exporter. It comes in pieces, as for a thousand
 * nodes it is long.
 */
export function* prometheusTexts(
  nodes: readonly NodeMetrics[],
  renewRuns: RenewRuns | undefined,
): Generator<string> {
  const rows = nodes.flatMap((node) => node.rows);
  const ofCertificates = (value: (certificate: NonNullable<RowMetrics['certificate']>) => number): Sample[] =>
    rows.flatMap(({ certificate, labels }) =>
      certificate === undefined ? [] : [{ labels, value: value(certificate) }],
    );
  yield* gauge(
    'x509_cert_not_before',
    'Indicates the certificate not before timestamp.',
    ofCertificates(({ notBefore }) => notBefore),
  );
  yield* gauge(
    'x509_cert_not_after',
    'Indicates the certificate not after timestamp.',
    ofCertificates(({ notAfter }) => notAfter),
  );
  yield* gauge(
    'x509_cert_expired',
    'Indicates if the certificate is expired.',
    ofCertificates(({ expired }) => Number(expired)),
  );
  yield* gauge(
    'x509_cert_error',
    'Indicates whether the certificate is missing, cannot be read, does not verify or has no key of its own.',
    rows.flatMap(({ wrong, labels }) => (wrong === undefined ? [] : [{ labels, value: Number(wrong) }])),
  );
  yield* gauge(
    'x509_read_errors',
    'Indicates the number of read failures.',
    nodes.map(({ labels, readErrors }) => ({ labels, value: readErrors })),
  );
  for (const [name, help, key] of runs) {
    const value = renewRuns?.[key];
    yield* gauge(name, help, value === undefined ? [] : [{ labels: '', value }]);
  }
}

/** Reads back our own lines, and nothing that is not exactly one of them. */
export function parseRenewRuns(text: string): RenewRuns {
  const valueOf = (name: string): number | undefined => {
    const values = [...text.matchAll(new RegExp(`^${name} (0|[1-9]\\d{0,10})$`, 'gm'))];
    return values.length === 1 ? Number(values[0]?.[1]) : undefined;
  };
  return Object.fromEntries(runs.map(([name, , key]) => [key, valueOf(name)])) as unknown as RenewRuns;
}

// A piece has some 25 kB: memory is soon free again, and there are not a thousand writes.
const samplesAtOnce = 100;

function* gauge(name: string, help: string, samples: readonly Sample[]): Generator<string> {
  if (samples.length === 0) return;
  yield `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
  for (let first = 0; first < samples.length; first += samplesAtOnce) {
    yield samples
      .slice(first, first + samplesAtOnce)
      .map(({ labels, value }) => `${name}${labels} ${String(value)}\n`)
      .join('');
  }
}

function labelText(labels: readonly Label[]): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([label, text]) => `${label}="${escapeLabelValue(text)}"`).join(',')}}`;
}

function nodeLabel(node: string | undefined): readonly Label[] {
  return node === undefined ? [] : [['node', node]];
}

function labelsOf(
  node: string | undefined,
  { name, filename, filepath, user, certificate }: Monitored,
): readonly Label[] {
  const named = (
    side: 'subject' | 'issuer',
    values: ReadonlyMap<string, string>,
  ): (readonly [string, string])[] =>
    attributes.flatMap((attribute) => {
      const value = values.get(attribute);
      return value === undefined ? [] : [[`${side}_${attribute}`, value] as const];
    });
  return [
    ...nodeLabel(node),
    ['name', name],
    ...(filename === undefined ? [] : [['filename', filename] as const]),
    ...(filepath === undefined ? [] : [['filepath', filepath] as const]),
    ...(user === undefined
      ? []
      : ([
          ['embedded_kind', 'user'],
          ['embedded_key', user],
        ] as const)),
    ...(certificate === undefined
      ? []
      : [
          ['serial_number', certificate.serialNumber] as const,
          ...named('subject', certificate.subject),
          ...named('issuer', certificate.issuer),
        ]),
  ];
}

/** Backslash, quote and newline; other control characters, which would draw on a terminal, are taken out. */
export function escapeLabelValue(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line).replaceAll('\\', '\\\\').replaceAll('"', '\\"'))
    .join('\\n');
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
