import { forbidden, isAdmin } from './rbac.ts';
import type { Api } from './server.ts';
import { recorded } from './transcript.ts';

/** Objects by their list's path, such as `/api/v1/nodes`; each with a `metadata.name`. */
export type ObjectsByPath = Readonly<Record<string, ListOfObjects>>;

export interface ListOfObjects {
  /** Such as `Node`. */
  readonly kind: string;
  readonly items: readonly NamedObject[];
  /** How many are given at once at most, whatever is asked for. */
  readonly pageSize?: number;
}

export interface NamedObject {
  readonly metadata: { readonly name: string };
}

/**
 * Lists that can be read, and their objects by name: nodes, services, endpoints. For admins only. Only a Node was
 * recorded; the envelopes are those of the recorded list and of the recorded object.
 */
export function objectsApi(lists: ObjectsByPath): Api {
  return (asked) => {
    const { method, path, query, identity } = asked;
    for (const [at, { kind, items: all, pageSize = Infinity }] of Object.entries(lists)) {
      const name = path.startsWith(`${at}/`) ? path.slice(at.length + 1) : undefined;
      if (method !== 'GET' || (path !== at && name === undefined)) continue;
      const where = placeOf(at);
      if (!isAdmin(identity)) return forbidden(asked, { ...where, name });
      const apiVersion = where.group === '' ? 'v1' : `${where.group}/v1`;
      if (name === undefined) {
        const [, only] = /^metadata\.name=(.*)$/.exec(query.get('fieldSelector') ?? '') ?? [];
        const items = all.filter(({ metadata }) => only === undefined || metadata.name === only);
        // Where it goes on is the API server's own affair; a real one has a key and a version in it.
        const from = Number(query.get('continue') ?? '0');
        const to = from + Math.min(Number(query.get('limit') ?? 'Infinity'), pageSize);
        const goesOn = to < items.length ? { continue: String(to) } : {};
        const metadata = { resourceVersion: '301', ...goesOn };
        return {
          status: 200,
          body: { kind: `${kind}List`, apiVersion, metadata, items: items.slice(from, to) },
        };
      }
      const found = all.find(({ metadata }) => metadata.name === name);
      if (found !== undefined) return { status: 200, body: { kind, apiVersion, ...found } };
      return notFound(where.group, where.resource, name);
    }
    return undefined;
  };
}

/** The recorded one, with another name, and other addresses. */
export function node(
  name: string,
  addresses: readonly { readonly type: string; readonly address: string }[],
): NamedObject {
  const { kind, apiVersion, ...object } = recorded('node object lookup').response.body as {
    readonly kind: string;
    readonly apiVersion: string;
    readonly metadata: object;
    readonly status: object;
  };
  if (kind !== 'Node' || apiVersion !== 'v1') throw new Error('it is no Node');
  return {
    ...object,
    metadata: { ...object.metadata, name },
    ...{ status: { ...object.status, addresses } },
  };
}

/** The recorded answer for what does not exist. */
export function notFound(group: string, resource: string, name: string): ReturnType<typeof forbidden> {
  const { status, body } = recorded('a ConfigMap that does not exist').response;
  const qualified = group === '' ? resource : `${resource}.${group}`;
  const details = { name, ...(group === '' ? {} : { group }), kind: resource };
  return { status, body: { ...(body as object), message: `${qualified} "${name}" not found`, details } };
}

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/RESOURCE`, `/api/v1/RESOURCE` */
function placeOf(path: string): { group: string; resource: string; namespace?: string } {
  const [, , group = '', namespace, resource = ''] =
    /^\/(api|apis\/([^/]+))\/v1\/(?:namespaces\/([^/]+)\/)?([^/]+)$/.exec(path) ?? [];
  return { group, resource, ...(namespace === undefined ? {} : { namespace }) };
}
