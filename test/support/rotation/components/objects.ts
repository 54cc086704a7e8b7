import { randomBytes, randomUUID } from 'node:crypto';
import { failure, type Answer, type Identity } from './answer.ts';
import type { EtcdStore, Kept } from './etcd-store.ts';
import { apiVersionOf, keyOf, type Place } from './resources.ts';

export interface ObjectQuestion {
  readonly method: string;
  readonly place: Place;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: unknown;
  readonly identity: Identity;
}

type Fields = Readonly<Record<string, unknown>>;

interface KeptObject {
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  } & Fields;
  readonly spec?: Fields;
  readonly status?: Fields;
}

/** Reads and writes of objects, as apimachinery has them: versions, subresources, selectors, pages. */
export function askObjects(store: EtcdStore, question: ObjectQuestion): Promise<Answer> | Answer {
  const { method, place } = question;
  if (place.name === undefined) {
    if (method === 'GET') return list(store, question);
    return method === 'POST' ? create(store, question) : methodNotAllowed();
  }
  switch (method) {
    case 'GET':
      return read(store, place);
    case 'PUT':
    case 'PATCH':
      return change(store, question);
    case 'DELETE':
      return remove(store, place);
    default:
      return methodNotAllowed();
  }
}

async function list(store: EtcdStore, { place, query }: ObjectQuestion): Promise<Answer> {
  const all = (await store.list(keyOf(place))).map(objectOf);
  const items = all.filter((object) => isSelected(object, query));
  const from = Number(query.get('continue') ?? '0');
  const to = from + Number(query.get('limit') ?? 'Infinity');
  const metadata = { resourceVersion: '1', ...(to < items.length ? { continue: String(to) } : {}) };
  const { resource } = place;
  return {
    status: 200,
    body: {
      kind: `${resource.kind}List`,
      apiVersion: apiVersionOf(resource),
      metadata,
      items: items.slice(from, to),
    },
  };
}

/** `metadata.name=a,spec.nodeName=b`, `label=value,other`. */
function isSelected(object: KeptObject, query: URLSearchParams): boolean {
  const parts = (name: string): string[] => (query.get(name) ?? '').split(',').filter((part) => part !== '');
  const byField = parts('fieldSelector').every((part) => {
    const [, path = '', not, value] = /^([\w.]+)(!)?=+(.*)$/.exec(part) ?? [];
    const found = fieldOf(object, path.split('.'));
    return (found === value) === (not === undefined);
  });
  return (
    byField &&
    parts('labelSelector').every((part) => {
      const [name = '', value] = part.split(/=+/);
      const label = object.metadata.labels?.[name];
      return value === undefined ? label !== undefined : label === value;
    })
  );
}

/** @returns '' where it is not there */
function fieldOf(object: unknown, [name, ...below]: readonly string[]): string {
  if (name === undefined) return typeof object === 'string' ? object : '';
  return fieldOf((object as Fields | undefined)?.[name], below);
}

async function read(store: EtcdStore, place: Place): Promise<Answer> {
  const kept = await store.get(keyOf(place));
  return kept === undefined ? notFound(place) : { status: 200, body: shown(place, objectOf(kept)) };
}

async function create(store: EtcdStore, question: ObjectQuestion): Promise<Answer> {
  const { place, body } = question;
  if (!isObject(body)) return failure(400, 'BadRequest', 'it is no object');
  const { metadata, ...fields } = body;
  const name = metadata.name ?? `${metadata.generateName ?? ''}${randomBytes(3).toString('hex')}`;
  const at = { ...place, name };
  const added = {
    ...{ name, uid: randomUUID(), creationTimestamp: timestamp() },
    ...(place.namespace === undefined ? {} : { namespace: place.namespace }),
  };
  const object = admitted(question, { ...fields, metadata: { ...metadata, ...added } });
  const revision = await store.put(keyOf(at), JSON.stringify(object), '0');
  if (revision === undefined) return failure(409, 'AlreadyExists', `${described(at)} already exists`);
  return { status: 201, body: shown(at, withVersion(object, revision)) };
}

/** A request for a certificate says who has made it, and nobody can say it for himself. */
function admitted({ place, identity }: ObjectQuestion, object: KeptObject): KeptObject {
  if (place.resource.name !== 'certificatesigningrequests') return object;
  const { username, groups } = identity;
  return { ...object, spec: { ...object.spec, username, groups }, status: {} };
}

async function change(store: EtcdStore, question: ObjectQuestion): Promise<Answer> {
  const { place, body, contentType, method } = question;
  if (!isObject(body) && method === 'PUT') return failure(400, 'BadRequest', 'it is no object');
  if (method === 'PATCH' && !contentType.includes('merge-patch'))
    return failure(415, 'UnsupportedMediaType', `no patch of the type ${contentType} is known here`);
  // A patch without a version is tried again when another change came between.
  for (let attempt = 1; ; attempt += 1) {
    const kept = await store.get(keyOf(place));
    if (kept === undefined) return notFound(place);
    const before = objectOf(kept);
    const wanted = (method === 'PUT' ? body : merged(before, body)) as KeptObject;
    const asked = (body as Partial<KeptObject>).metadata?.resourceVersion;
    if (asked !== undefined && asked !== kept.revision) return conflict(place);
    const after = withSubresource(place.subresource, before, wanted);
    const revision = await store.put(kept.key, JSON.stringify(after), kept.revision);
    if (revision !== undefined) return { status: 200, body: shown(place, withVersion(after, revision)) };
    if (asked !== undefined || attempt === 5) return conflict(place);
  }
}

/** `status` changes nothing else, and nothing else changes the status. */
function withSubresource(
  subresource: string | undefined,
  before: KeptObject,
  wanted: KeptObject,
): KeptObject {
  const status = wanted.status === undefined ? {} : { status: wanted.status };
  if (subresource === 'status' || subresource === 'approval') return { ...before, ...status };
  const { status: kept } = before;
  const own = ['name', 'namespace', 'uid', 'creationTimestamp'];
  const fixed = Object.fromEntries(Object.entries(before.metadata).filter(([field]) => own.includes(field)));
  return {
    ...wanted,
    metadata: { ...wanted.metadata, ...fixed },
    ...(kept === undefined ? status : { status: kept }),
  };
}

async function remove(store: EtcdStore, place: Place): Promise<Answer> {
  const kept = await store.get(keyOf(place));
  if (kept === undefined) return notFound(place);
  await store.delete(kept.key);
  return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
}

/** RFC 7396 */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = new Map<string, unknown>(
    typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [],
  );
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) result.delete(name);
    else result.set(name, merged(result.get(name), value));
  }
  return Object.fromEntries(result);
}

function isObject(body: unknown): body is KeptObject {
  return typeof body === 'object' && body !== null && 'metadata' in body;
}

function objectOf({ value, revision }: Kept): KeptObject {
  return withVersion(JSON.parse(value) as KeptObject, revision);
}

function withVersion(object: KeptObject, resourceVersion: string): KeptObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion } };
}

function shown({ resource }: Place, object: KeptObject): object {
  return { ...object, kind: resource.kind, apiVersion: apiVersionOf(resource) };
}

function described({ resource, name }: Place): string {
  return `${resource.name}${resource.group === '' ? '' : `.${resource.group}`} "${name ?? ''}"`;
}

function notFound(place: Place): Answer {
  return failure(404, 'NotFound', `${described(place)} not found`);
}

function conflict(place: Place): Answer {
  const problem =
    'the object has been modified; please apply your changes to the latest version and try again';
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${described(place)}: ${problem}`);
}

function methodNotAllowed(): Answer {
  const message = 'the server does not allow this method on the requested resource';
  return failure(405, 'MethodNotAllowed', message);
}

/** Of whole seconds. */
function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}
