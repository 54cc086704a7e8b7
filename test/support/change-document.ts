import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { z } from 'zod';

// Written down here once more, and on purpose not taken from src: what docs/json.md promises, and nothing else.
const facts = z.strictObject({
  serial: z.string().regex(/^-?[0-9A-F]+$/),
  notAfter: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  fingerprint: z.string().regex(/^[0-9A-F]{64}$/),
});
const plannedFacts = z.strictObject({
  serial: z.null(),
  notAfter: facts.shape.notAfter,
  fingerprint: z.null(),
});
const component = z.enum(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd']);
const path = z.string().startsWith('/');
const changed = [
  'renewed',
  'installed',
  'in-place',
  'generated',
  'rolled-back',
  'requested',
  'rotated',
] as const;
const unchanged = [
  ...([
    'missing',
    'external-ca',
    'not-due',
    'same-sans',
    'ca-ends-first',
    'pending',
    'idle',
    'existing',
  ] as const),
  ...(['keyless', 'left-out', 'unmanaged', 'refused', 'unchanged'] as const),
] as const;
const common = {
  name: z.string().min(1),
  old: facts.nullable(),
  csr: path.nullable(),
  expected: path.nullable(),
  components: z.array(component),
};
const certificate = z.union([
  z.strictObject({
    ...common,
    outcome: z.enum(changed),
    reason: z.null(),
    new: z.union([facts, plannedFacts]).nullable(),
    files: z.array(path),
  }),
  z.strictObject({
    ...common,
    outcome: z.enum(unchanged),
    reason: z.string().regex(/^\S.*[^.\s]$/),
    new: z.null(),
    files: z.tuple([]),
  }),
]);
const schema = z.strictObject({
  kind: z.literal('CertificateChange'),
  apiVersion: z.literal('kubepki/v1'),
  command: z.enum([
    ...(['renew', 'renew --csr-only', 'install', 'generate', 'generate-csr', 'rollback'] as const),
    ...(['ca renew', 'ca trust'] as const),
  ]),
  dryRun: z.boolean(),
  backup: z.string().nullable(),
  restoredBackup: z.string().nullable(),
  certificates: z.array(certificate),
  otherFiles: z.array(path),
  restart: z.array(component),
  // Of `ca renew` alone.
  elsewhere: z.array(z.strictObject({ what: z.string().min(1), command: z.string().min(1) })).optional(),
});

export type ChangeDocument = z.infer<typeof schema>;
export type CertificateDocument = ChangeDocument['certificates'][number];

/** All of stdout is one document of the form that docs/json.md describes, without a secret in it. */
export function changeDocument(stdout: string): ChangeDocument {
  const document = JSON.parse(stdout) as ChangeDocument;
  schema.parse(document);
  // A command that is to be pasted may name the field, and holds nothing of it.
  assert.doesNotMatch(stdout, /PRIVATE KEY|BEGIN|data:\s*[\w+/]/);
  assert.equal(stdout, `${JSON.stringify(document, undefined, 4)}\n`, 'laid out as the history is');
  return document;
}

export function entry({ certificates }: ChangeDocument, name: string): CertificateDocument {
  const found = certificates.find((one) => one.name === name);
  assert.ok(found, `nothing is said of ${name}`);
  return found;
}

/** `apiserver renewed` for each. */
export function outcomes({ certificates }: ChangeDocument): readonly string[] {
  return certificates.map(({ name, outcome }) => `${name} ${outcome}`);
}

/** What openssl says of a certificate file. */
export function factsOf(openssl: string, file: string): z.infer<typeof facts> {
  const field = (...args: readonly string[]): string =>
    execFileSync(openssl, ['x509', '-in', file, '-noout', ...args], { encoding: 'utf8' })
      .trim()
      .replace(/^.*=/, '');
  return {
    serial: field('-serial'),
    notAfter: field('-enddate', '-dateopt', 'iso_8601').replace(' ', 'T'),
    fingerprint: field('-fingerprint', '-sha256').replaceAll(':', ''),
  };
}
