import * as z from 'zod';
import type { Ask } from './api.ts';
import { arrayOf, text, type Expected, listOf } from './expected.ts';
import { isNotFound, ClusterFailure } from './failure.ts';
import { goesOn, listAll, type Page } from './list-all.ts';

/** A CertificateSigningRequest of the API server, looked over. */
export interface RequestObject {
  /** The object as it was read, unknown fields too: it is sent back. */
  readonly kept: z.output<typeof keptObject>;
  readonly name: string;
  readonly uid: string;
  /** undefined: the API server did not say. */
  readonly createdAt: Date | undefined;
  readonly spec: RequestSpec;
  readonly conditions: readonly RequestCondition[];
  /** PEM, if the API server is right. */
  readonly certificate: string | undefined;
}

export interface RequestSpec {
  readonly request: Buffer;
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
  readonly username: string;
  readonly groups: readonly string[];
}

export interface RequestCondition {
  readonly type: string;
  /** For programs. Like the message, for people, it may be anything. */
  readonly reason: string;
  readonly message: string;
}

export interface RequestDecision {
  readonly type: 'Approved' | 'Denied';
  /** For programs: a word in CamelCase. The message is for people. */
  readonly reason: string;
  readonly message: string;
}

export const requestsPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

export function requestPath(name: string): string {
  return `${requestsPath}/${encodeURIComponent(name)}`;
}

const decisions = ['Approved', 'Denied', 'Failed'];

const condition = z
  .looseObject({ type: z.string(), reason: z.string().optional(), message: z.string().optional() })
  .refine(({ type, status }) => !decisions.includes(type) || status === 'True', {
    // In v1 a decision is never anything else.
    error: 'is not True',
    path: ['status'],
  });

/** Whether all of the text is base64: node passes over characters that are not. */
function isBase64(given: string): boolean {
  return Buffer.from(given, 'base64').toString('base64') === given;
}

const base64 = z.string('is not base64').refine(isBase64, 'is not base64');

const keptObject = z.looseObject({
  kind: z.literal('CertificateSigningRequest'),
  metadata: z.looseObject({
    name: text,
    uid: text,
    // Without the version a decision would be made about whatever object is there by then.
    resourceVersion: text,
  }),
  spec: z.looseObject({
    request: base64.min(1, 'is not base64'),
    signerName: z.string(),
    usages: arrayOf(z.string()),
    expirationSeconds: z.number().optional(),
    username: z.string().optional(),
    groups: arrayOf(z.string()).nullish(),
  }),
  // An API server leaves an empty status out.
  status: z
    .looseObject({ certificate: base64.nullish(), conditions: arrayOf(condition).optional() })
    .nullish(),
});

/** The answer where the request of this name is asked for, or sent. */
export function requestObject(name: string): Expected<RequestObject> {
  return {
    what: `the CertificateSigningRequest ${name}`,
    schema: keptObject.transform((kept, context): RequestObject => {
      const { metadata, spec, status } = kept;
      if (metadata.name !== name) {
        context.addIssue({ code: 'custom', path: ['metadata', 'name'], message: 'is another' });
        return z.NEVER;
      }
      const { request, signerName, usages, expirationSeconds, username = '', groups } = spec;
      const { certificate, conditions = [] } = status ?? {};
      const hasCertificate = certificate !== undefined && certificate !== null && certificate !== '';
      return {
        kept,
        name,
        uid: metadata.uid,
        createdAt: dateIn(metadata['creationTimestamp']),
        spec: {
          request: Buffer.from(request, 'base64'),
          signerName,
          usages,
          expirationSeconds,
          username,
          groups: groups ?? [],
        },
        conditions: conditions.map(({ type, reason = '', message = '' }) => ({ type, reason, message })),
        certificate: hasCertificate ? Buffer.from(certificate, 'base64').toString('utf8') : undefined,
      };
    }),
  };
}

function dateIn(timestamp: unknown): Date | undefined {
  const date = typeof timestamp === 'string' ? new Date(timestamp) : undefined;
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}

/**
 * @returns undefined where there is no such request
 * @throws ClusterFailure
 */
export async function readRequest(
  ask: Ask,
  name: string,
  bounds: { readonly mostBytes?: number } = {},
): Promise<RequestObject | undefined> {
  try {
    return await ask({ path: requestPath(name), answer: requestObject(name), ...bounds });
  } catch (error) {
    if (isNotFound(error, name)) return undefined;
    throw error;
  }
}

/**
 * Decides about exactly what was read: the object is sent with its uid and its resourceVersion, so the API server refuses the
 * decision (409) if anything has changed.
 * @throws ClusterFailure
 */
export async function putDecision(
  ask: Ask,
  { kept, name, uid }: RequestObject,
  { type, reason, message }: RequestDecision,
): Promise<void> {
  const conditions = [...(kept.status?.conditions ?? []), { type, status: 'True', reason, message }];
  const there = await ask({
    method: 'PUT',
    path: `${requestPath(name)}/approval`,
    body: { ...kept, status: { ...kept.status, conditions } },
    answer: requestObject(name),
  });
  if (there.uid === uid && there.conditions.some((one) => one.type === type)) return;
  throw new ClusterFailure(
    `the API server took the decision about ${name}, and it is not ${type.toLowerCase()}`,
    { retryable: false },
  );
}

const table = z
  .object({
    kind: z.literal('Table'),
    metadata: goesOn,
    columnDefinitions: listOf(z.object({ name: z.string() })),
    rows: listOf(z.object({ cells: z.array(z.unknown()) })),
  })
  .transform(({ metadata: next, columnDefinitions, rows }, context): Page<string> => {
    const column = columnDefinitions.findIndex(({ name }) => name === 'Name');
    const items = rows.map(({ cells }) => text.safeParse(cells[column]).data);
    if (items.every((name) => name !== undefined)) return { items, next };
    context.addIssue({ code: 'custom', path: ['rows', items.indexOf(undefined)], message: 'has no name' });
    return z.NEVER;
  });

/**
 * Reads the names of all CertificateSigningRequests from the table that kubectl prints. A requestor decides how large an object
 * is, up to a megabyte and a half, labels included, but next to nothing of its row in that table. So the list has a size that can
 * be relied on, and each object can be asked for by itself, with a bound of its own.
 * @throws ClusterFailure
 */
export function readRequestNames(ask: Ask): Promise<readonly string[]> {
  return listAll(ask, {
    path: requestsPath,
    query: { includeObject: 'None' },
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    answer: { what: 'the Table that was asked for', schema: table },
  });
}
