import * as z from 'zod';
import type { PrintedCertificate } from '../operations/gathered/printed-certificate.ts';
import { printable } from '../render/printable.ts';

/** What a stranger may send at most. A node has some twenty certificates; a bundle and people's kubeconfigs make more. */
export const mostEntries = 5000;

/** Nothing of it may draw on a terminal, or turn a line around. */
export const line = z.string().max(16_384).transform(printable);
export const label = z.string().min(1).max(4096).transform(printable);

export const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)))
  .transform((text) => new Date(text));

export const lines = z.array(line).max(mostEntries);

const names = z
  .record(z.string().max(64), line)
  .refine((given) => Object.keys(given).length <= 64)
  .transform((given) => new Map(Object.entries(given)));

const facts = z.object({
  notBefore: moment,
  serialNumber: z.string().regex(/^-?\d{1,400}$/),
  subject: names,
  issuer: names,
  user: label.nullable(),
});

const common = {
  name: label,
  expirationDate: moment.nullable(),
  residualTime: z.number(),
  // What kubeadm itself does not print.
  file: label.nullish(),
  caName: label.nullish(),
  faults: lines.optional(),
  certificate: facts.nullish(),
};

/** A row of kubeadm's, with what --all adds to it. */
const kubeadmRow = z.object({
  ...common,
  externallyManaged: z.boolean(),
  missing: z.boolean(),
  refused: z.boolean().optional(),
});

const kinds = [
  ...(['etcd-client', 'kubelet-conf', 'kubelet-client', 'kubelet-serving', 'kubeconfig'] as const),
  ...(['ca', 'endpoint'] as const),
];

const ownFields = {
  ...common,
  status: z.enum(['present', 'missing', 'unreadable']),
  externallyManaged: z.boolean().default(true),
  refused: z.boolean().optional(),
  renewsItself: z.boolean(),
};

const otherRow = z.object({ ...ownFields, kind: z.enum(kinds) });

type Row = z.infer<z.ZodObject<typeof common>> & {
  readonly externallyManaged: boolean;
  readonly refused?: boolean | undefined;
};
type Status = Pick<z.infer<typeof otherRow>, 'status' | 'renewsItself'>;

/** A certificate that is there has a date. */
function isWhole({ status, expirationDate }: Row & Status): boolean {
  return (status === 'present') === (expirationDate !== null);
}

export const kubeadmRows = z
  .array(kubeadmRow.refine(({ missing, expirationDate }) => !missing || expirationDate === null))
  .max(mostEntries);
export const otherRows = z.array(otherRow.refine(isWhole)).max(mostEntries);
/** All of a node's in one list. */
export const ownRows = z
  .array(
    z
      .object({ ...ownFields, kind: z.enum(['certificate', 'authority', ...kinds]) })
      .refine(isWhole)
      .transform((row) => printedCertificate(row, row.kind, row)),
  )
  .max(mostEntries);

export function printedCertificate(
  {
    name,
    file,
    caName,
    expirationDate: notAfter,
    faults = [],
    certificate,
    externallyManaged,
    refused = false,
  }: Row,
  kind: PrintedCertificate['kind'],
  { status, renewsItself }: Status,
): PrintedCertificate {
  return {
    kind,
    name,
    file: file ?? undefined,
    caName: caName ?? undefined,
    user: certificate?.user ?? undefined,
    held:
      notAfter === null
        ? { status: status === 'missing' ? 'missing' : 'unreadable' }
        : {
            status: 'present',
            notAfter,
            facts: certificate ?? undefined,
            externallyManaged,
            faults,
            refused,
            renewsItself,
          },
  };
}

export function kubeadmCertificate(
  row: z.infer<typeof kubeadmRow>,
  kind: 'certificate' | 'authority',
): PrintedCertificate {
  const status = row.expirationDate !== null ? 'present' : row.missing ? 'missing' : 'unreadable';
  return printedCertificate(row, kind, { status, renewsItself: false });
}

/** Whether it can be judged by another machine as that node itself would. */
export function isTelling({ held }: PrintedCertificate): boolean {
  return held.status !== 'present' || held.facts !== undefined;
}
