import { printable } from './printable.ts';
import type { Monitored } from '../operations/monitored.ts';

/** When `renew` last ran and what came of it; undefined: not known. Whole seconds since 1970. */
export interface RenewRuns {
  readonly lastRun: number | undefined;
  readonly lastSuccess: number | undefined;
  readonly lastExitCode: number | undefined;
}

/** What there is to say of one node. */
export interface NodeMetrics {
  /** A label of each sample, where several nodes are spoken of; undefined: there is but one. */
  readonly node: string | undefined;
  readonly rows: readonly Monitored[];
  readonly readErrors: number;
}

interface Sample {
  /** As they are written, braces and all: each certificate is in several metrics, and there may be thousands. */
  readonly labels: string;
  readonly value: number;
}

type Label = readonly [name: string, value: string];

// In this order, as in enix/x509-certificate-exporter; what a name does not have is left out.
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

/** The text exposition format, with the metrics and labels of enix/x509-certificate-exporter. */
export function prometheusText(nodes: readonly NodeMetrics[], renewRuns: RenewRuns | undefined): string {
  const rows = nodes.flatMap((node) =>
    node.rows.map((row) => ({ row, labels: labelText(labelsOf(node, row)) })),
  );
  const blocks = nodes.flatMap((node) =>
    node.rows.flatMap((row) =>
      row.others.map(({ position, certificate }) => ({
        certificate,
        labels: labelText([...labelsOf(node, { ...row, certificate }), ['block', String(position)]]),
      })),
    ),
  );
  const certificates = [
    ...rows.map(({ row: { certificate }, labels }) => ({ certificate, labels })),
    ...blocks,
  ];
  const ofCertificates = (value: (certificate: NonNullable<Monitored['certificate']>) => number): Sample[] =>
    certificates.flatMap(({ certificate, labels }) =>
      certificate === undefined ? [] : [{ labels, value: value(certificate) }],
    );
  return [
    gauge(
      'x509_cert_not_before',
      'Indicates the certificate not before timestamp.',
      ofCertificates(({ notBefore }) => seconds(notBefore)),
    ),
    gauge(
      'x509_cert_not_after',
      'Indicates the certificate not after timestamp.',
      ofCertificates(({ notAfter }) => seconds(notAfter)),
    ),
    gauge(
      'x509_cert_expired',
      'Indicates if the certificate is expired.',
      ofCertificates(({ expired }) => Number(expired)),
    ),
    gauge(
      'x509_cert_error',
      'Indicates whether the certificate is missing, cannot be read, does not verify or has no key of its own.',
      rows.map(({ row, labels }) => ({ labels, value: Number(row.wrong) })),
    ),
    gauge(
      'x509_read_errors',
      'Indicates the number of read failures.',
      nodes.map((node) => ({ labels: labelText(nodeLabel(node)), value: node.readErrors })),
    ),
    ...runs.map(([name, help, key]) => {
      const value = renewRuns?.[key];
      return gauge(name, help, value === undefined ? [] : [{ labels: '', value }]);
    }),
  ].join('');
}

/** Reads back our own lines, and nothing that is not exactly one of them. */
export function parseRenewRuns(text: string): RenewRuns {
  const valueOf = (name: string): number | undefined => {
    const values = [...text.matchAll(new RegExp(`^${name} (0|[1-9]\\d{0,10})$`, 'gm'))];
    return values.length === 1 ? Number(values[0]?.[1]) : undefined;
  };
  return Object.fromEntries(runs.map(([name, , key]) => [key, valueOf(name)])) as unknown as RenewRuns;
}

function gauge(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value }) => `${name}${labels} ${String(value)}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join('')}`;
}

function labelText(labels: readonly Label[]): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([label, text]) => `${label}="${escapeLabelValue(text)}"`).join(',')}}`;
}

function nodeLabel({ node }: NodeMetrics): readonly Label[] {
  return node === undefined ? [] : [['node', node]];
}

function labelsOf(
  node: NodeMetrics,
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
    ['filename', filename],
    ['filepath', filepath],
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
