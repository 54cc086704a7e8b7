import { recorded } from './transcript.ts';

export interface CsrCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastUpdateTime?: string;
  readonly lastTransitionTime?: string;
}

export interface CsrSpec {
  /** Base64 of PEM. */
  readonly request: string;
  readonly signerName: string;
  readonly usages: readonly string[];
  readonly expirationSeconds?: number;
  readonly username: string;
  readonly groups: readonly string[];
}

export interface CsrStatus {
  readonly conditions?: readonly CsrCondition[];
  readonly certificate?: string;
}

/** A CertificateSigningRequest, as the API server keeps it; `kind` and `apiVersion` are not in the items of a list. */
export interface CsrObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly creationTimestamp: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly managedFields: readonly unknown[];
  };
  readonly spec: CsrSpec;
  readonly status: CsrStatus;
}

interface ManagedFields {
  readonly manager: string;
  readonly time: string;
  readonly fieldsV1: Readonly<Record<string, object>>;
}

/** The recorded object; what is of this request put in its place. */
export function asKept(object: CsrObject): object {
  const body = recorded('create: pending').response.body as CsrObject;
  const { metadata, spec, status } = object;
  return { ...body, metadata, spec, status };
}

export function conditionOf({ status }: CsrObject, type: string): CsrCondition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** Who has written what: of the requestor, and of whoever has written the status. As it was recorded, so is it told. */
export function managedFieldsOf({ metadata, spec, status }: CsrObject, signer: Signed): unknown[] {
  const [template] = (recorded('create: pending').response.body as CsrObject).metadata
    .managedFields as readonly ManagedFields[];
  if (template === undefined) throw new Error('nobody has written it');
  const { creationTimestamp: time, labels } = metadata;
  const asked = { request: {}, signerName: {}, usages: {} };
  const more = spec.expirationSeconds === undefined ? {} : { expirationSeconds: {} };
  const decided = (status.conditions ?? []).filter(({ type }) => type !== 'Failed');
  const entry = (manager: string, fieldsV1: object): object => ({ ...template, manager, time, fieldsV1 });
  const byRequestor = entry(template.manager, {
    ...(labels === undefined ? {} : { 'f:metadata': { 'f:labels': { '.': {}, ...fields(labels) } } }),
    'f:spec': fields({ ...more, ...asked }),
    ...(decided.length === 0
      ? {}
      : { 'f:status': { 'f:conditions': { '.': {}, ...conditionFields(decided) } } }),
  });
  if (signer === 'nobody') return [byRequestor];
  const failed = (status.conditions ?? []).filter(({ type }) => type === 'Failed');
  const bySigner =
    failed.length === 0 ? { 'f:certificate': {} } : { 'f:conditions': conditionFields(failed) };
  return [entry('kube-controller-manager', { 'f:status': bySigner }), byRequestor];
}

/** Whether a signer has had its say. */
export type Signed = 'nobody' | 'signer';

function fields(of: object): object {
  return Object.fromEntries(Object.keys(of).map((key) => [`f:${key}`, {}]));
}

function conditionFields(conditions: readonly CsrCondition[]): object {
  const all = ['lastTransitionTime', 'lastUpdateTime', 'message', 'reason', 'status', 'type'];
  const each = { '.': {}, ...fields(Object.fromEntries(all.map((name) => [name, true]))) };
  return Object.fromEntries(conditions.map(({ type }) => [`k:{"type":"${type}"}`, each]));
}
