import { urlToHttpOptions } from 'node:url';
import { ask } from '../http/ask.ts';
import type { Clock } from './clock.ts';
import { connectionTrouble, isPassing, type TlsIdentity } from './probe.ts';

/** How to speak to this node's etcd, as a client, and to the other members. */
export interface EtcdAccess extends EtcdEndpoint {
  /** How other members speak to it. */
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

/**
 * Whether the cluster goes on without this node's member.
 *
 * - `safe`: enough others are healthy, or the member is the only one, or there is no quorum that could be lost
 * - `lost`: it would be without quorum
 * - `unknown`: it cannot be told
 */
export type QuorumAnswer =
  | { readonly answer: 'safe' }
  | { readonly answer: 'lost'; readonly reason: string }
  | { readonly answer: 'unknown'; readonly reason: string };

export interface Patience {
  readonly clock: Clock;
  /** How long what may pass is tried again. */
  readonly patienceMs: number;
  /** Why it is tried again. */
  readonly waiting: (reason: string) => void;
}

interface Round {
  readonly answer: QuorumAnswer;
  /** The same question may have another answer soon, by itself. */
  readonly mayPass: boolean;
}

interface Member {
  readonly name: string;
  readonly clientUrls: readonly string[];
}

const timeoutMs = 5000;
// An election takes one or two seconds by default; while there is no leader, every member says that it is unhealthy.
const electionMs = 10_000;
const pollMs = 500;
const maxAnswerBytes = 1024 * 1024;

/** Asks this node's member, then all others. Never rejects. */
export async function quorumWithout(
  access: EtcdAccess,
  { clock, patienceMs, waiting }: Patience,
): Promise<QuorumAnswer> {
  const since = clock.elapsed();
  for (;;) {
    const elapsedMs = clock.elapsed() - since;
    const { answer, mayPass } = await askOnce(access, elapsedMs);
    if (answer.answer === 'safe' || !mayPass || elapsedMs >= patienceMs) return answer;
    waiting(answer.reason);
    await clock.sleep(pollMs);
  }
}

const safe: Round = { answer: { answer: 'safe' }, mayPass: false };

/** @param elapsedMs since it was asked first */
async function askOnce(access: EtcdAccess, elapsedMs: number): Promise<Round> {
  try {
    const others = await otherVoters(access);
    // Without others it is the restart itself that was asked for.
    if (others.length === 0) return safe;
    const own = await health(access.url, access);
    if (own !== 'healthy') {
      if (elapsedMs < electionMs) return unknown(own.unhealthy, { mayPass: true });
      // A member that sees no leader for good is not what holds the quorum. But an alarm makes it unhealthy too, with a
      // leader and a vote that counts.
      if (!(await seesLeader(access))) return safe;
    }
    return await judge(others, access);
  } catch (error) {
    // Nor is one that is down.
    if (isRefused(error)) return safe;
    return error instanceof Unanswered
      ? unknown(error.message, error)
      : unknown(connectionTrouble(error), { mayPass: false });
  }
}

function unknown(reason: string, { mayPass }: { readonly mayPass: boolean }): Round {
  return { answer: { answer: 'unknown', reason }, mayPass };
}

async function judge(others: readonly Member[], access: EtcdAccess): Promise<Round> {
  const size = others.length + 1;
  const troubles = await Promise.all(others.map(async (member) => troubleOf(member, access)));
  const unhealthy = troubles.flatMap((trouble, index) => {
    return trouble === undefined ? [] : [`${others[index]?.name ?? ''}: ${trouble}`];
  });
  const left = others.length - unhealthy.length;
  const needed = Math.floor(size / 2) + 1;
  if (left >= needed) return safe;
  const without = unhealthy.length === 0 ? '' : ` (not healthy: ${unhealthy.join('; ')})`;
  const counted = `of ${String(size)} members, ${String(left)} would be left, and ${String(needed)} are needed`;
  return {
    answer: { answer: 'lost', reason: counted + without },
    // Of two members neither can ever be spared.
    mayPass: others.length >= needed,
  };
}

/** An answer that is none to the question, or no answer. */
class Unanswered extends Error {
  readonly mayPass: boolean;

  constructor(url: URL, said: string, details: { readonly mayPass: boolean; readonly cause?: unknown }) {
    super(`${said} at ${placeOf(url)}`, { cause: details.cause });
    this.mayPass = details.mayPass;
  }
}

function isRefused(error: unknown): boolean {
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

// The metrics, like /health, are not the gateway's: see otherVoters.
async function seesLeader(access: EtcdAccess): Promise<boolean> {
  const url = new URL('/metrics', access.url);
  const answer = await call(url, access, undefined);
  const [, value] = /^etcd_server_has_leader (\d+)$/m.exec(answer.body) ?? [];
  if (answer.status !== 200 || value === undefined) throw unexpected(url, answer);
  return value !== '0';
}

/** @throws Unanswered when it cannot be told */
async function health(member: URL, access: EtcdAccess): Promise<'healthy' | { readonly unhealthy: string }> {
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

/** @returns undefined: it is healthy */
async function troubleOf({ clientUrls }: Member, access: EtcdAccess): Promise<string | undefined> {
  const urls = clientUrls
    .flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []))
    .filter(({ protocol }) => protocol === 'https:' || protocol === 'http:');
  if (urls.length === 0) return 'it has no URL for clients';
  const troubles = await Promise.all(
    urls.map(async (url) => {
      try {
        const own = await health(url, access);
        return own === 'healthy' ? undefined : own.unhealthy;
      } catch (error) {
        // A member that does not answer, for any reason, does not count for the quorum.
        return error instanceof Error ? error.message : connectionTrouble(error);
      }
    }),
  );
  return troubles.includes(undefined) ? undefined : troubles.join(', ');
}

/**
 * The members with a vote besides this one; none where it has no vote itself.
 *
 * They are known to etcd's HTTP gateway (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway). But that is a client of its
 * own member, with the same certificate: when this had expired and is renewed, the gateway answers 503 until it tries to
 * connect again, which may be in two minutes. What the members tell each other needs no gateway.
 * @throws Unanswered
 */
async function otherVoters(access: EtcdAccess): Promise<readonly Member[]> {
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
  // From this member's own memory; etcd 3.5 would otherwise ask the leader.
  const url = new URL('/v3/cluster/member/list', access.url);
  const answer = await call(url, access, JSON.stringify({ linearizable: false }));
  const document = parse(answer.body);
  const self = field(field(document, 'header'), 'member_id');
  const members = field(document, 'members');
  if (answer.status !== 200 || typeof self !== 'string' || !isList(members)) throw unexpected(url, answer);
  return votersBeside(members, (member) => field(member, 'ID') === self);
}

/** As a member that joins asks the others (etcd, server/etcdserver/api/etcdhttp/peer.go). Its ids are no safe numbers. */
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
      // Also where the environment says otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
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
