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

const given = {
  name: label,
  expirationDate: moment.nullable(),
  residualTime: z.number(),
  externallyManaged: z.boolean(),
};

const statuses = ['present', 'missing', 'unreadable'] as const;
const kinds = [
  ...(['certificate', 'authority', 'etcd-client', 'kubelet-conf', 'kubelet-client'] as const),
  ...(['kubelet-serving', 'kubeconfig', 'ca', 'endpoint'] as const),
];

/** All of a node's certificates in one list. */
export const toldRows = z
  .array(
    z
      .object({
        ...given,
        kind: z.enum(kinds),
        file: label.nullable(),
        status: z.enum(statuses),
        caName: label.nullable(),
        renewsItself: z.boolean(),
        faults: lines,
        refused: z.boolean(),
        certificate: facts.nullable(),
      })
      // One that is there has dates.
      .refine((row) => (row.status === 'present') === (row.expirationDate !== null))
      .transform(
        ({
          kind,
          name,
          file,
          caName,
          status,
          expirationDate: notAfter,
          certificate,
          ...held
        }): PrintedCertificate => ({
          ...{ kind, name },
          file: file ?? undefined,
          caName: caName ?? undefined,
          user: certificate?.user ?? undefined,
          held:
            status === 'present' && notAfter !== null
              ? { ...held, status, notAfter, facts: certificate ?? undefined }
              : { status: status === 'missing' ? 'missing' : 'unreadable' },
        }),
      ),
  )
  .max(mostEntries);

/** kubeadm's own rows, which tell nothing but the date. */
export function kubeadmRows(kind: 'certificate' | 'authority'): z.ZodType<PrintedCertificate[]> {
  return z
    .array(
      z
        .object({ ...given, caName: label.optional(), missing: z.boolean() })
        .refine(({ missing, expirationDate }) => !missing || expirationDate === null)
        .transform(
          ({ name, caName, expirationDate: notAfter, missing, externallyManaged }): PrintedCertificate => ({
            ...{ kind, name, caName, file: undefined, user: undefined },
            held:
              notAfter === null
                ? { status: missing ? 'missing' : 'unreadable' }
                : {
                    status: 'present',
                    ...{ notAfter, externallyManaged, facts: undefined },
                    ...{ faults: [], refused: false, renewsItself: false },
                  },
          }),
        ),
    )
    .max(mostEntries);
}
