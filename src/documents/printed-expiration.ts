import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import type { PrintedExpiration } from '../operations/gathered/gathered-expiration.ts';
import type { PrintedCertificate } from '../operations/gathered/printed-certificate.ts';
import { kubeadmRows, label, line, lines, moment, mostEntries, toldRows } from './printed-certificates.ts';
import { mostDocuments, type Format, type Said } from './printed.ts';

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

/** kubeadm's own fields. */
const rows = {
  certificates: kubeadmRows('certificate'),
  certificateAuthorities: kubeadmRows('authority'),
};

/** What this program adds to them. */
const told = {
  node: label.nullish(),
  time: moment.nullish(),
  problems: lines,
  findings,
};

const one = z
  .object({ ...rows, report: z.object({ ...told, certificates: toldRows }).optional() })
  .transform(({ report, ...given }) => [said(report, given)]);

const list = z
  .object({
    items: z
      .array(z.object({ ...told, certificates: toldRows.optional(), expiration: z.object(rows).optional() }))
      .max(mostDocuments),
  })
  .transform(({ items }) => items.map((item) => said(item, item.expiration)));

type Told = Partial<z.infer<z.ZodObject<typeof told>>> & {
  readonly certificates?: readonly PrintedCertificate[] | undefined;
};

/** @param given undefined: nothing of the node could be looked at */
function said(
  { node, time, problems = [], findings: found = [], certificates }: Told = {},
  given: z.infer<z.ZodObject<typeof rows>> | undefined,
): Said<PrintedExpiration> {
  const lack =
    given === undefined || certificates !== undefined
      ? undefined
      : new KubepkiError(
          'bad-document',
          'was printed without --all, and so tells neither its node and time nor all that is wrong',
        );
  return {
    ...{ node: node ?? undefined, time: time ?? undefined, lack },
    body: {
      certificates: given && (certificates ?? [...given.certificates, ...given.certificateAuthorities]),
      ...{ problems, findings: found },
    },
  };
}

export const expirationFormat: Format<PrintedExpiration> = {
  printedBy: 'kubepki certs check-expiration --all -o json',
  kinds: {
    CertificateExpirationInfo: { apiVersion: 'output.kubeadm.k8s.io/v1alpha3', schema: one },
    CertificateExpirationInfoList: { apiVersion: 'kubepki/v1', schema: list },
  },
};
