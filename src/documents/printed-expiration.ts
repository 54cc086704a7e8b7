import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import type { PrintedExpiration } from '../operations/gathered/gathered-expiration.ts';
import {
  isTelling,
  kubeadmCertificate,
  kubeadmRows,
  label,
  line,
  lines,
  moment,
  mostEntries,
  otherRows,
  printedCertificate,
} from './printed-certificates.ts';
import type { Format, Said } from './printed.ts';

const findings = z
  .array(
    z.object({
      name: label,
      check: label,
      severity: z.enum(['error', 'warning']),
      file: label,
      message: line,
      hint: line.nullish().transform((given) => given ?? undefined),
    }),
  )
  .max(mostEntries);

const rows = {
  certificates: kubeadmRows,
  certificateAuthorities: kubeadmRows,
  otherCertificates: otherRows.optional(),
};

const ofNode = {
  node: label.nullish(),
  time: moment.nullish(),
  problems: lines.default([]),
  findings: findings.default([]),
};

const one = z.object({ ...rows, ...ofNode }).transform((given) => [said(given, given)]);

const list = z
  .object({
    items: z.array(z.object({ ...ofNode, expiration: z.object(rows).optional() })).max(mostEntries * 2),
  })
  .transform(({ items }) => items.map((item) => said(item, item.expiration)));

type Rows = z.infer<z.ZodObject<typeof rows>>;

function said(
  { node, time, problems, findings: found }: z.infer<z.ZodObject<typeof ofNode>>,
  given: Rows | undefined,
): Said<PrintedExpiration> {
  const certificates = given && [
    ...given.certificates.map((row) => kubeadmCertificate(row, 'certificate')),
    ...given.certificateAuthorities.map((row) => kubeadmCertificate(row, 'authority')),
    ...(given.otherCertificates ?? []).map((row) => printedCertificate(row, row.kind, row)),
  ];
  const isLess = given !== undefined && given.otherCertificates === undefined;
  return {
    node: node ?? undefined,
    time: time ?? undefined,
    lack:
      isLess || certificates?.every(isTelling) === false
        ? new KubepkiError(
            'bad-document',
            'was printed without --all, and so tells neither its node and time nor all that is wrong',
          )
        : undefined,
    body: { certificates, problems, findings: found },
  };
}

export const expirationFormat: Format<PrintedExpiration> = {
  command: 'kubepki certs check-expiration',
  printedBy: 'kubepki certs check-expiration --all -o json',
  kinds: {
    CertificateExpirationInfo: { apiVersion: 'output.kubeadm.k8s.io/v1alpha3', schema: one },
    CertificateExpirationInfoList: { apiVersion: 'kubepki/v1', schema: list },
  },
};
