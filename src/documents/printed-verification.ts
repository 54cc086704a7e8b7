import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import type { PrintedVerification } from '../operations/gathered/judged-anew.ts';
import { label, line, moment, mostEntries, toldRows } from './printed-certificates.ts';
import { mostDocuments, type Format, type Said } from './printed.ts';

const grades = ['error', 'unchecked', 'warning', 'note'] as const;

const trouble = z
  .object({
    severity: z.enum(grades),
    name: label,
    file: label,
    message: line,
    hint: line.nullable().transform((given) => given ?? undefined),
  })
  .transform(({ severity: grade, ...told }) => ({ grade, ...told }));

const check = z
  .object({
    id: label,
    title: line,
    status: z.enum([...grades, 'passed', 'none', 'not-asked']),
    looked: z.number().int().min(0),
    findings: z.array(trouble).max(mostEntries),
  })
  .transform(({ findings: troubles, ...rest }) => ({ ...rest, troubles }))
  // What a check has found is its status: where the two differ, neither is believed.
  .refine(
    ({ status, troubles }) =>
      (grades.find((grade) => troubles.some((one) => one.grade === grade)) ?? '') ===
      (isGrade(status) ? status : ''),
  );

function isGrade(status: string): boolean {
  return (grades as readonly string[]).includes(status);
}

const ofNode = {
  node: label.nullish(),
  time: moment.nullish(),
  error: line.optional(),
  checks: z.array(check).max(1000),
  certificates: toldRows.optional(),
};

// Without a check, and without a reason for that, nothing was looked at, and nothing would be wrong.
const item = z.object(ofNode).refine(({ error, checks }) => error !== undefined || checks.length > 0);

const one = item.transform((given) => [said(given, given.time)]);

const list = z
  .object({ time: moment.nullish(), items: z.array(item).max(mostDocuments) })
  .transform(({ time, items }) =>
    items.map((given) => said(given, given.time === undefined ? time : given.time)),
  );

function said(
  { node, error, checks, certificates }: z.infer<typeof item>,
  time: Date | null | undefined,
): Said<PrintedVerification> {
  return {
    node: node ?? undefined,
    time: time ?? undefined,
    lack:
      certificates !== undefined || error !== undefined
        ? undefined
        : new KubepkiError(
            'bad-document',
            "has no dates of the node's certificates: an older kubepki has printed it",
          ),
    body: { checks, certificates: certificates ?? [], error },
  };
}

export const verificationFormat: Format<PrintedVerification> = {
  printedBy: 'kubepki verify -o json',
  kinds: {
    NodeVerification: { apiVersion: 'kubepki/v1', schema: one },
    NodeVerificationList: { apiVersion: 'kubepki/v1', schema: list },
  },
};
