import type { V1CertificateSigningRequest } from '@kubernetes/client-node';
import { ClusterFailure } from './cluster-failure.ts';

/** A CertificateSigningRequest that the API server has given, looked over: the client believes whatever it is told. */
export interface RequestObject {
  /** As it was read: what is sent back. */
  readonly kept: V1CertificateSigningRequest;
  readonly spec: RequestSpec;
  readonly conditions: readonly RequestCondition[];
  /** PEM, or what the API server takes for it. */
  readonly certificate: string | undefined;
}

export interface RequestSpec {
  readonly request: Buffer;
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
}

export interface RequestCondition {
  readonly type: string;
  /** For programs, and for people; both may be anything. */
  readonly reason: string;
  readonly message: string;
}

/** @throws ClusterFailure, final: it is something else, or not whole */
export function requestObjectIn(answer: unknown, name: string): RequestObject {
  const not = (why: string): never => {
    throw new ClusterFailure(
      `the API server's answer is not the CertificateSigningRequest ${name}: ${why}`,
      { retryable: false },
      { hint: 'something else may answer in its place: check the server of the kubeconfig' },
    );
  };
  const { kind, metadata, spec, status } = partsOf(answer);
  if (kind !== 'CertificateSigningRequest') return not('its kind is another');
  if (partsOf(metadata)['name'] !== name) return not('its name is another');
  const { resourceVersion } = partsOf(metadata);
  // Without its version a change would be made to any object that has that name by then.
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return not('it has no resourceVersion');
  const { request, signerName, usages, expirationSeconds } = partsOf(spec);
  const bytes = typeof request === 'string' ? fromBase64(request) : undefined;
  if (bytes === undefined) return not('spec.request is not base64');
  if (typeof signerName !== 'string') return not('spec.signerName is not a text');
  if (!isTexts(usages)) return not('spec.usages are not a list of texts');
  if (expirationSeconds !== undefined && typeof expirationSeconds !== 'number') {
    return not('spec.expirationSeconds is not a number');
  }
  const { certificate, conditions = [] } = partsOf(status);
  if (!Array.isArray(conditions)) return not('status.conditions are not a list');
  return {
    kept: answer as V1CertificateSigningRequest,
    spec: { request: bytes, signerName, usages, expirationSeconds },
    conditions: conditions.map((one) => conditionIn(one) ?? not('a condition of it is not whole')),
    certificate: certificateIn(certificate, () => not('status.certificate is not base64')),
  };
}

function conditionIn(condition: unknown): RequestCondition | undefined {
  const { type, status, reason = '', message = '' } = partsOf(condition);
  if (typeof type !== 'string' || typeof reason !== 'string' || typeof message !== 'string') return undefined;
  // Approved, Denied and Failed are never anything else in v1.
  return decisions.includes(type) && status !== 'True' ? undefined : { type, reason, message };
}

const decisions = ['Approved', 'Denied', 'Failed'];

/** An API server leaves out what is empty, and so may one that does not. */
function certificateIn(certificate: unknown, not: () => never): string | undefined {
  if (certificate === undefined || certificate === null || certificate === '') return undefined;
  const bytes = typeof certificate === 'string' ? fromBase64(certificate) : undefined;
  return bytes === undefined ? not() : bytes.toString('utf8');
}

/** @returns undefined: it is not base64, which node would read over */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
