import { request } from 'node:https';
import type { Clock } from './clock.ts';
import type { TlsIdentity } from './served.ts';

/** How to speak to this node's etcd and to the other members. */
export interface EtcdAccess {
  /** https, of the member on this node. */
  readonly url: URL;
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

interface Member {
  readonly id: string;
  readonly name: string;
  readonly clientUrls: readonly string[];
}

const timeoutMs = 5000;
// An election takes one or two seconds by default; while there is no leader, every member says that it is unhealthy.
const electionMs = 10_000;
const pollMs = 500;
const maxAnswerBytes = 1024 * 1024;

/**
 * Asks this node's member, then all others, over etcd's HTTP gateway (https://etcd.io/docs/v3.5/dev-guide/api_grpc_gateway).
 * Never rejects.
 */
export async function quorumWithout(access: EtcdAccess, clock: Clock): Promise<QuorumAnswer> {
  let membership: Membership;
  try {
    // A member that is down, or sees no leader for good, is not what holds the quorum.
    if (!(await takesPart(access, clock))) return { answer: 'safe' };
    membership = await memberList(access);
  } catch (error) {
    return { answer: 'unknown', reason: reasonOf(error) };
  }
  const { self, voters } = membership;
  const others = voters.filter(({ id }) => id !== self);
  // A learner has no vote; and without others it is the restart itself that was asked for.
  if (others.length === voters.length || others.length === 0) return { answer: 'safe' };
  const healthy = await Promise.all(others.map(async (member) => isHealthy(member, access)));
  const left = healthy.filter(Boolean).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (left >= needed) return { answer: 'safe' };
  const unhealthy = others.filter((_, index) => healthy[index] !== true).map(({ name, id }) => name || id);
  const without = unhealthy.length === 0 ? '' : ` (not healthy: ${unhealthy.join(', ')})`;
  return {
    answer: 'lost',
    reason: `of ${String(voters.length)} members, ${String(left)} would be left, and ${String(needed)} are needed${without}`,
  };
}

type Health = 'healthy' | 'unhealthy' | 'down';

async function takesPart(access: EtcdAccess, clock: Clock): Promise<boolean> {
  const deadline = clock.elapsed() + electionMs;
  for (;;) {
    const own = await health(access.url, access);
    if (own !== 'unhealthy') return own === 'healthy';
    // An alarm makes it unhealthy too, with a leader and a vote that counts.
    if (clock.elapsed() >= deadline) return seesLeader(access);
    await clock.sleep(pollMs);
  }
}

async function seesLeader(access: EtcdAccess): Promise<boolean> {
  const { status, body } = await call(new URL('/v3/maintenance/status', access.url), access, '{}');
  if (status !== 200) throw new Error(`its status cannot be read (HTTP status ${String(status)})`);
  // A number of 64 bits, as a string; 0 is left out, or said.
  return ![undefined, '0', 0].some((none) => field(parse(body), 'leader') === none);
}

/** @throws Error when it cannot be told */
async function health(url: URL, access: EtcdAccess): Promise<Health> {
  try {
    const { status, body } = await call(new URL('/health?exclude=NOSPACE', url), access, undefined);
    // etcd 3.4 says `"true"`, with 503 for `"false"`.
    const said = field(parse(body), 'health');
    if (status === 200 && String(said) === 'true') return 'healthy';
    if (said !== undefined) return 'unhealthy';
    throw new Error(`/health answers ${String(status)}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return 'down';
    throw error;
  }
}

async function isHealthy({ clientUrls }: Member, access: EtcdAccess): Promise<boolean> {
  const answers = await Promise.all(
    clientUrls
      .filter((url) => URL.canParse(url) && url.startsWith('https://'))
      .map(async (url) => {
        try {
          return (await health(new URL(url), access)) === 'healthy';
        } catch {
          // Whatever keeps us from hearing it: it is not a member to count on.
          return false;
        }
      }),
  );
  return answers.includes(true);
}

interface Membership {
  readonly self: string;
  readonly voters: readonly Member[];
}

async function memberList(access: EtcdAccess): Promise<Membership> {
  // From this member's own memory; etcd 3.5 would otherwise ask the leader.
  const { status, body } = await call(
    new URL('/v3/cluster/member/list', access.url),
    access,
    JSON.stringify({ linearizable: false }),
  );
  const document = parse(body);
  const self = field(field(document, 'header'), 'member_id');
  const members = field(document, 'members');
  if (status !== 200 || typeof self !== 'string' || !isList(members)) {
    throw new Error(`its member list cannot be read (HTTP status ${String(status)})`);
  }
  return {
    self,
    voters: members
      .filter((member) => field(member, 'isLearner') !== true)
      .map((member) => ({
        id: text(field(member, 'ID')),
        name: text(field(member, 'name')),
        clientUrls: strings(field(member, 'clientURLs')),
      })),
  };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function call(url: URL, { identity, ca }: EtcdAccess, body: string | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method: body === undefined ? 'GET' : 'POST',
        agent: false,
        cert: identity.certificate,
        key: identity.key,
        ca,
        // Also where the environment says otherwise (NODE_TLS_REJECT_UNAUTHORIZED).
        rejectUnauthorized: true,
        signal: AbortSignal.timeout(timeoutMs),
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          length += chunk.length;
          if (length > maxAnswerBytes) response.destroy(new Error('its answer has no end'));
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
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

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no answer';
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'no answer' : error.message;
}
