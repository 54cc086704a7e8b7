import {
  Controllers,
  apiserverClient,
  type ControllersWishes,
  type SignerConduct,
} from './csr-controllers.ts';
import { asKept, conditionOf, type CsrObject, type CsrSpec, type CsrStatus } from './csr-object.ts';
import { CsrStore, withCondition } from './csr-store.ts';
import { notFound } from './objects-api.ts';
import { forbidden, isAdmin, isNode } from './rbac.ts';
import type { Answer, Api, Asked, Identity } from './server.ts';
import { subjectOf } from './signer.ts';
import { recorded } from './transcript.ts';

export const csrPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const group = 'certificates.k8s.io';
const plural = 'certificatesigningrequests';

export interface CsrApi {
  readonly api: Api;
  /** What is kept now. */
  readonly kept: () => readonly CsrObject[];
  /** As if somebody else had done it. */
  readonly decide: (name: string, condition: Decision) => void;
  readonly remove: (name: string) => void;
  readonly put: (name: string, spec: CsrSpec) => void;
  /** The signer of that name behaves otherwise from now on. */
  readonly signer: (name: string, conduct: SignerConduct) => void;
}

export interface Decision {
  readonly type: 'Approved' | 'Denied' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

/**
 * The certificates API of a kube-apiserver, with its approver and its signers. Answers are the recorded ones with other
 * names, uids, versions, times and certificates; the comment of an answer that was not recorded says where it is from.
 *
 * The controllers act between two requests: at the beginning of each, every object goes one step further (approved by
 * the approver, then issued or failed by its signer). What a client sees depends on what it asks, never on time.
 */
export function csrApi(wishes: ControllersWishes): CsrApi {
  const store = new CsrStore();
  const controllers = new Controllers(wishes);
  return {
    api: (asked) => {
      if (asked.path !== csrPath && !asked.path.startsWith(`${csrPath}/`)) return undefined;
      for (const object of store.all()) {
        const status = controllers.step(object);
        if (status !== undefined) store.update(object, status);
      }
      return answer(asked, store, wishes.openssl);
    },
    kept: () => store.all(),
    decide: (name, condition) => {
      const object = store.get(name);
      if (object === undefined) throw new Error(`there is no ${name}`);
      store.update(object, withCondition(object.status, { ...condition, status: 'True' }));
    },
    remove: (name) => {
      store.delete(name);
    },
    put: (name, spec) => {
      store.create(name, spec);
    },
    signer: (name, conduct) => {
      controllers.conduct(name, conduct);
    },
  };
}

function answer(asked: Asked, store: CsrStore, openssl: string): Answer {
  const { method, path, identity } = asked;
  const [name, subresource] = path
    .slice(csrPath.length + 1)
    .split('/')
    .map(decodeURIComponent);
  const object = name === undefined || name === '' ? undefined : store.get(name);
  if (!mayDo(identity, method, name, object)) {
    const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
    return forbidden(asked, { group, resource, name: name === '' ? undefined : name });
  }
  if (name === undefined || name === '') {
    if (method === 'GET') return asked.accept.includes('as=Table') ? table(asked, store) : list(asked, store);
    return method === 'POST' ? create(asked, store, openssl) : methodNotAllowed();
  }
  if (object === undefined) return notFound(group, plural, name);
  if (method === 'GET' && subresource === undefined) return { status: 200, body: asKept(object) };
  if (method === 'DELETE' && subresource === undefined) return remove(object, store);
  if (method === 'PUT' && subresource === 'approval') return decide(asked, object, store);
  return methodNotAllowed();
}

/**
 * What `kubectl get csr` asks for, without its objects. It was not recorded: pkg/printers/internalversion/printers.go and
 * apiserver/pkg/endpoints/handlers/response.go of Kubernetes 1.34, and the Table of its API reference.
 */
function table({ query }: Asked, store: CsrStore): Answer {
  if (query.get('includeObject') !== 'None') throw new Error('the objects are wanted, however large');
  const after = query.get('continue') ?? '';
  const rest = store.all().filter(({ metadata: { name } }) => name > after);
  const page = rest.slice(0, Number(query.get('limit') ?? 'Infinity'));
  const last = page.at(-1)?.metadata.name;
  const goesOn =
    page.length < rest.length ? { continue: last, remainingItemCount: rest.length - page.length } : {};
  return {
    status: 200,
    body: {
      kind: 'Table',
      apiVersion: 'meta.k8s.io/v1',
      metadata: { resourceVersion: store.version, ...goesOn },
      columnDefinitions: ['Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'].map(
        (name) => ({
          name,
          type: 'string',
          format: name === 'Name' ? 'name' : '',
          description: '',
          priority: 0,
        }),
      ),
      rows: page.map((object) => ({
        cells: [
          object.metadata.name,
          '1s',
          object.spec.signerName,
          object.spec.username,
          '<none>',
          (object.status.conditions ?? []).map(({ type }) => type).join() || 'Pending',
        ],
        object: null,
      })),
    },
  };
}

/** The selector was not recorded: pkg/apis/certificates/v1/conversion.go of Kubernetes. */
function list({ query }: Asked, store: CsrStore): Answer {
  const { status, body } = recorded('list all').response;
  const metadata = { resourceVersion: store.version };
  const [, signer] = /^spec\.signerName=(.*)$/.exec(query.get('fieldSelector') ?? '') ?? [];
  const items = store.all().filter(({ spec }) => signer === undefined || spec.signerName === signer);
  return { status, body: { ...(body as object), metadata, items } };
}

/** A kubelet creates requests, and reads those that it has made. */
function mayDo(identity: Identity, method: string, name: string | undefined, object?: CsrObject): boolean {
  if (isAdmin(identity)) return true;
  if (!isNode(identity)) return false;
  if (name === undefined || name === '') return method === 'POST';
  return method === 'GET' && object?.spec.username === identity.username;
}

/** The order of a real one: what is malformed, what no admission lets pass, what is there already. */
function create({ body, identity }: Asked, store: CsrStore, openssl: string): Answer {
  const { metadata, spec } = body as {
    readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
    readonly spec: Pick<CsrSpec, 'request' | 'signerName' | 'usages' | 'expirationSeconds'>;
  };
  const { name, labels } = metadata;
  const request = Buffer.from(spec.request, 'base64');
  if (!request.toString('latin1').includes('-----BEGIN CERTIFICATE REQUEST-----')) {
    const bytes = [...request].map((byte) => `0x${byte.toString(16)}`).join(', ');
    const problem = `Invalid value: []byte{${bytes}}: PEM block type must be CERTIFICATE REQUEST`;
    return invalid(name, 'spec.request', 'FieldValueInvalid', problem);
  }
  const { expirationSeconds: seconds, usages, signerName } = spec;
  // These two are not recorded: pkg/apis/certificates/validation of Kubernetes.
  if (usages.length === 0) return invalid(name, 'spec.usages', 'FieldValueRequired', 'Required value');
  if (seconds !== undefined && seconds < 600) {
    const problem = `Invalid value: ${String(seconds)}: may not specify a duration less than 600 seconds (10 minutes)`;
    return invalid(name, 'spec.expirationSeconds', 'FieldValueInvalid', problem);
  }
  const masters = subjectOf(openssl, request).some(
    ([type, value]) => type === 'O' && value === 'system:masters',
  );
  if (signerName === apiserverClient && masters) {
    return about(name, recorded('system:masters is refused for the kube-apiserver-client signer').response);
  }
  if (store.get(name) !== undefined) {
    return about(name, recorded('create again with the same name: conflict').response);
  }
  const { username, groups } = identity;
  const asked: CsrSpec = {
    request: spec.request,
    signerName,
    ...(seconds === undefined ? {} : { expirationSeconds: seconds }),
    usages,
    username,
    groups,
  };
  return { status: 201, body: asKept(store.create(name, asked, labels)) };
}

/** What is written is the conditions, and nothing else of the body. */
function decide({ body }: Asked, object: CsrObject, store: CsrStore): Answer {
  const { name, resourceVersion } = object.metadata;
  const { metadata, status } = body as Partial<CsrObject>;
  const version = metadata?.resourceVersion;
  if (version !== undefined && version !== '' && version !== resourceVersion) {
    // Not recorded: apimachinery's words.
    const { body: status409 } = recorded('create again with the same name: conflict').response;
    const sentence =
      'the object has been modified; please apply your changes to the latest version and try again';
    const message = `Operation cannot be fulfilled on ${plural}.${group} "${name}": ${sentence}`;
    const details = { name, group, kind: plural };
    return { status: 409, body: { ...(status409 as object), message, reason: 'Conflict', details } };
  }
  const wanted = status?.conditions ?? [];
  const has = (type: string): boolean => wanted.some((condition) => condition.type === type);
  const lost = (object.status.conditions ?? []).find(({ type }) => !has(type));
  // These two are not recorded: pkg/apis/certificates/validation of Kubernetes.
  if (lost !== undefined) {
    const problem = `Forbidden: updates may not remove a condition of type "${lost.type}"`;
    return invalid(name, 'status.conditions', 'FieldValueForbidden', problem);
  }
  if (has('Approved') && has('Denied')) {
    const at = `status.conditions[${String(wanted.length - 1)}].type`;
    const problem = `Invalid value: "${wanted.at(-1)?.type ?? ''}": Approved and Denied conditions are mutually exclusive`;
    return invalid(name, at, 'FieldValueInvalid', problem);
  }
  const fresh = wanted.filter(({ type }) => conditionOf(object, type) === undefined);
  const decided = fresh.reduce<CsrStatus>(withCondition, object.status);
  return { status: 200, body: asKept(fresh.length === 0 ? object : store.update(object, decided)) };
}

/** Not recorded: apimachinery's Status of something that is deleted. */
function remove({ metadata: { name, uid } }: CsrObject, store: CsrStore): Answer {
  store.delete(name);
  const details = { name, group, kind: plural, uid };
  return {
    status: 200,
    body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
  };
}

/** Not recorded: apimachinery's words. */
function methodNotAllowed(): Answer {
  const { body } = recorded('a ConfigMap that does not exist').response;
  const message = 'the server does not allow this method on the requested resource';
  return {
    status: 405,
    body: { ...(body as object), message, reason: 'MethodNotAllowed', details: {}, code: 405 },
  };
}

/** A recorded refusal, said of another name. */
function about(name: string, { status, body }: Answer): Answer {
  const { details, message } = body as {
    readonly details: { readonly name: string };
    readonly message: string;
  };
  return {
    status,
    body: {
      ...(body as object),
      message: message.replace(JSON.stringify(details.name), JSON.stringify(name)),
      details: { ...details, name },
    },
  };
}

/** The recorded refusal of something malformed, said of another field. */
function invalid(name: string, field: string, reason: string, problem: string): Answer {
  const { status, body } = recorded('malformed request').response;
  const { details } = body as { readonly details: object };
  return {
    status,
    body: {
      ...(body as object),
      message: `CertificateSigningRequest.${group} "${name}" is invalid: ${field}: ${problem}`,
      details: { ...details, name, causes: [{ reason, message: problem, field }] },
    },
  };
}
