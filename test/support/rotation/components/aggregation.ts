import { readFileSync } from 'node:fs';
import type { Answer, Identity } from './answer.ts';
import { failure } from './answer.ts';
import type { EtcdStore, Kept } from './etcd-store.ts';
import { askObjects } from './objects.ts';
import { certificatesIn } from './pem.ts';
import { reasonOf, send, type Reply } from './request.ts';
import { placeOf } from './resources.ts';

export interface AggregationFiles {
  /** What the API server trusts now, PEM. */
  readonly clientCa: () => string;
  readonly requestHeaderCa: () => string;
  readonly proxyCertificate: string;
  readonly proxyKey: string;
}

interface ApiService {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly version: string;
    readonly service?: { readonly namespace: string; readonly name: string; readonly port?: number };
  };
  readonly status?: {
    readonly conditions?: readonly { readonly status: string; readonly message: string }[];
  };
}

const authentication = '/registry/core/configmaps/kube-system/extension-apiserver-authentication';
const service = '/registry/apiregistration.k8s.io/apiservices/';
const aggregator: Identity = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/** What the API server does for extension API servers: says whom they may trust, passes requests on, tells whether they can be had. */
export class Aggregation {
  readonly #store: EtcdStore;
  readonly #files: AggregationFiles;

  constructor(store: EtcdStore, files: AggregationFiles) {
    this.#store = store;
    this.#files = files;
  }

  async look(): Promise<void> {
    await this.#publish();
    for (const kept of await this.#store.list(service)) await this.#judge(kept);
  }

  /** @returns undefined: no APIService has that path */
  async ask(path: string, identity: Identity): Promise<Answer | undefined> {
    const [, group, version] = /^\/apis\/([^/]+)\/([^/]+)/.exec(path) ?? [];
    if (group === undefined || version === undefined) return undefined;
    const kept = await this.#store.get(`${service}${version}.${group}`);
    if (kept === undefined) return undefined;
    try {
      const { status, text } = await this.#pass(JSON.parse(kept.value) as ApiService, path, identity);
      return { status, body: text };
    } catch (error) {
      return failure(503, 'ServiceUnavailable', `error trying to reach service: ${reasonOf(error)}`);
    }
  }

  /**
   * Like kube-apiserver's clusterauthenticationtrust controller, it adds what it trusts itself, and takes away only what has
   * expired: another API server may trust more.
   */
  async #publish(): Promise<void> {
    const kept = await this.#store.get(authentication);
    const before = (kept === undefined ? {} : JSON.parse(kept.value)) as { data?: Record<string, string> };
    const own = {
      'client-ca-file': this.#files.clientCa(),
      'requestheader-client-ca-file': this.#files.requestHeaderCa(),
    };
    const data = {
      ...before.data,
      'requestheader-allowed-names': '["front-proxy-client"]',
      ...Object.fromEntries(
        Object.entries(own).map(([name, pem]) => [name, union(before.data?.[name] ?? '', pem)]),
      ),
    };
    if (JSON.stringify(data) === JSON.stringify(before.data)) return;
    const place = placeOf('/api/v1/namespaces/kube-system/configmaps');
    if (place === undefined) return;
    const metadata = { name: 'extension-apiserver-authentication' };
    const common = { query: new URLSearchParams(), contentType: 'merge-patch', identity: aggregator };
    await askObjects(
      this.#store,
      kept === undefined
        ? { ...common, method: 'POST', place, body: { metadata, data } }
        : {
            ...{ ...common, method: 'PATCH', place: { ...place, name: metadata.name } },
            body: { metadata: { resourceVersion: kept.revision }, data },
          },
    );
  }

  async #judge({ key, value, revision }: Kept): Promise<void> {
    const object = JSON.parse(value) as ApiService;
    const { group, version } = object.spec;
    const verdict = await this.#pass(object, `/apis/${group}/${version}`, aggregator).then(
      ({ status, text }) => (status < 300 ? 'all checks passed' : `bad status ${String(status)}: ${text}`),
      reasonOf,
    );
    const status = verdict === 'all checks passed' ? 'True' : 'False';
    const [known] = object.status?.conditions ?? [];
    if (known?.status === status && known.message === verdict) return;
    const reason = status === 'True' ? 'Passed' : 'FailedDiscoveryCheck';
    const condition = { type: 'Available', status, reason, message: verdict };
    // Another API server may have said the same in the meantime.
    await this.#store.put(key, JSON.stringify({ ...object, status: { conditions: [condition] } }), revision);
  }

  async #pass({ spec }: ApiService, path: string, { username, groups }: Identity): Promise<Reply> {
    if (spec.service === undefined) return { status: 200, text: '' };
    const { namespace, name, port = 443 } = spec.service;
    const kept = await this.#store.get(`/registry/core/services/${namespace}/${name}`);
    if (kept === undefined) throw new Error(`service/${name} in "${namespace}" is not present`);
    const { spec: found } = JSON.parse(kept.value) as { readonly spec: { readonly externalName: string } };
    return send(`https://${found.externalName}:${String(port)}${path}`, {
      agent: false,
      rejectUnauthorized: false,
      cert: readFileSync(this.#files.proxyCertificate),
      key: readFileSync(this.#files.proxyKey),
      headers: { 'x-remote-user': username, 'x-remote-group': [...groups] },
    });
  }
}

function union(before: string, own: string): string {
  const known = certificatesIn(before).filter(({ validTo }) => Date.parse(validTo) > Date.now());
  const added = certificatesIn(own).filter((one) => !known.some(({ raw }) => raw.equals(one.raw)));
  return [...known, ...added].map(String).join('');
}
