import { urlToHttpOptions } from 'node:url';
import { ask } from '../http/ask.ts';
import { connectionTrouble, isPassing, type TlsIdentity } from './probe.ts';

/** The way to this node's etcd, for a client. */
export interface EtcdAccess extends EtcdEndpoint {
  /** The way that other members take to it. */
  readonly peers: EtcdEndpoint | undefined;
  /** The name of this member among the others. */
  readonly name: string;
}

export interface EtcdEndpoint {
  /** https or http. */
  readonly url: URL;
  /** undefined: no member is asked over https. */
  readonly tls: EtcdTls | undefined;
}

export interface EtcdTls {
  readonly identity: TlsIdentity;
  /** PEM: the CA of the members. */
  readonly ca: Buffer;
}

export interface Member {
  readonly name: string;
  readonly clientUrls: readonly string[];
}

const timeoutMs = 5000;
const maxAnswerBytes = 1024 * 1024;

/** The error where a member gives no answer, or none to the question. */
export class Unanswered extends Error {
  readonly mayPass: boolean;

  constructor(url: URL, said: string, details: { readonly mayPass: boolean; readonly cause?: unknown }) {
    super(`${said} at ${placeOf(url)}`, { cause: details.cause });
    this.mayPass = details.mayPass;
  }
}

export function isRefused(error: unknown): boolean {
  const cause = error instanceof Unanswered ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function unexpected(url: URL, { status }: Answer): Unanswered {
  const said = status === 200 ? 'an answer that cannot be read' : `HTTP ${String(status)}`;
  return new Unanswered(url, said, { mayPass: status >= 500 || status === 429 });
}

// etcd itself answers for /metrics and /health, and not its gateway: see otherVoters.
export async function seesLeader(access: EtcdAccess): Promise<boolean> {
  const url = new URL('/metrics', access.url);
  const answer = await call(url, access, undefined);
  const [, value] = /^etcd_server_has_leader (\d+)$/m.exec(answer.body) ?? [];
  if (answer.status !== 200 || value === undefined) throw unexpected(url, answer);
  return value !== '0';
}

/** @throws Unanswered */
export async function health(
  member: URL,
  access: EtcdAccess,
): Promise<'healthy' | { readonly unhealthy: string }> {
  const url = new URL('/health?exclude=NOSPACE', member);
  const answer = await call(url, access, undefined);
  const document = parse(answer.body);
  // etcd 3.4 says `"true"`, with 503 for `"false"`.
  const said = field(document, 'health');
  if (answer.status === 200 && String(said) === 'true') return 'healthy';
  if (said === undefined) throw unexpected(url, answer);
  const why = text(field(document, 'reason'));
  const because = why === '' ? '' : ` (${why})`;
  return { unhealthy: `HTTP ${String(answer.status)}${because} at ${placeOf(url)}` };
}

/**
 * The other members with a vote; none where this one has no vote itself.
 *
 * etcd's HTTP gateway knows them (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway). But the gateway is a client of its own
 * member, with the same certificate: when this had expired and is renewed, the gateway answers 503 until it tries to connect
 * again, which may be in two minutes. The members tell each other without a gateway.
 * @throws Unanswered
 */
export async function otherVoters(access: EtcdAccess): Promise<readonly Member[]> {
  try {
    return await votersByGateway(access);
  } catch (error) {
    if (access.peers === undefined || isRefused(error)) throw error;
    const voters = await votersByPeers(access.peers, access.name).catch(() => undefined);
    if (voters === undefined) throw error;
    return voters;
  }
}

async function votersByGateway(access: EtcdEndpoint): Promise<readonly Member[]> {
  // Not linearizable, the answer is from this member's own memory; etcd 3.5 would otherwise ask the leader.
  const url = new URL('/v3/cluster/member/list', access.url);
  const answer = await call(url, access, JSON.stringify({ linearizable: false }));
  const document = parse(answer.body);
  const self = field(field(document, 'header'), 'member_id');
  const members = field(document, 'members');
  if (answer.status !== 200 || typeof self !== 'string' || !isList(members)) throw unexpected(url, answer);
  return votersBeside(members, (member) => field(member, 'ID') === self);
}

/** Asks as a joining member does (etcd, server/etcdserver/api/etcdhttp/peer.go). The ids are too large for JavaScript's numbers. */
async function votersByPeers(peers: EtcdEndpoint, name: string): Promise<readonly Member[]> {
  const url = new URL('/members', peers.url);
  const answer = await call(url, peers, undefined);
  const members = parse(answer.body);
  if (answer.status !== 200 || !isList(members)) throw unexpected(url, answer);
  const isSelf = (member: unknown): boolean => members.length === 1 || field(member, 'name') === name;
  if (members.filter(isSelf).length !== 1) throw unexpected(url, answer);
  return votersBeside(members, isSelf);
}

function votersBeside(members: readonly unknown[], isSelf: (member: unknown) => boolean): readonly Member[] {
  const voters = members.filter((member) => field(member, 'isLearner') !== true);
  // A learner has no vote.
  if (!voters.some(isSelf)) return [];
  return voters
    .filter((member) => !isSelf(member))
    .map((member) => ({
      name: text(field(member, 'name')) || text(field(member, 'ID')),
      clientUrls: strings(field(member, 'clientURLs')),
    }));
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** @throws Unanswered */
async function call(url: URL, access: EtcdEndpoint, body: string | undefined): Promise<Answer> {
  try {
    return await send(url, access, body);
  } catch (cause) {
    if (cause instanceof Unanswered) throw cause;
    throw new Unanswered(url, connectionTrouble(cause), { mayPass: isPassing(cause), cause });
  }
}

async function send(url: URL, { tls }: EtcdEndpoint, body: string | undefined): Promise<Answer> {
  if (url.protocol === 'https:' && tls === undefined) {
    throw new Unanswered(url, 'no CA is known', { mayPass: false });
  }
  const { status, body: bytes } = await ask(
    {
      ...urlToHttpOptions(url),
      protocol: url.protocol,
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      ...(tls === undefined ? {} : { cert: tls.identity.certificate, key: tls.identity.key, ca: tls.ca }),
      // NODE_TLS_REJECT_UNAUTHORIZED in the environment has no say.
      rejectUnauthorized: true,
    },
    { body, mostMs: timeoutMs, mostBytes: maxAnswerBytes },
  );
  return { status, body: bytes.toString('utf8') };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function strings(value: unknown): string[] {
  return isList(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
