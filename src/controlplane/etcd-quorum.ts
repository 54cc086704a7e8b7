import type { Clock } from './clock.ts';
import {
  health,
  isRefused,
  otherVoters,
  seesLeader,
  Unanswered,
  type EtcdAccess,
  type Member,
} from './etcd-members.ts';
import { connectionTrouble } from './probe.ts';

/**
 * Whether the cluster goes on without this node's member.
 *
 * - `safe`: enough others are healthy, or the member is the only one, or there is no quorum that could be lost
 * - `lost`: the cluster would be without quorum
 * - `unknown`: the members do not say enough
 */
export type QuorumAnswer =
  | { readonly answer: 'safe' }
  | { readonly answer: 'lost'; readonly reason: string }
  | { readonly answer: 'unknown'; readonly reason: string };

export interface Patience {
  readonly clock: Clock;
  /** For this time a question is repeated whose answer may change by itself. */
  readonly patienceMs: number;
  /** Is called before each other try, with the reason for it. */
  readonly waiting: (reason: string) => void;
}

interface Round {
  readonly answer: QuorumAnswer;
  /** The answer may soon be another, by itself. */
  readonly mayPass: boolean;
}

// An election takes one or two seconds by default; while there is no leader, every member says that it is unhealthy.
const electionMs = 10_000;
const pollMs = 500;

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

/**
 * Whether the cluster has its quorum now, and goes on while this node's member is restarted. A member that does not answer tells nothing of
 * the others. Asked once. Never rejects.
 */
export async function quorumNow(access: EtcdAccess): Promise<QuorumAnswer> {
  try {
    // It is healthy when a read went through the quorum.
    const own = await health(access.url, access);
    if (own !== 'healthy') return { answer: 'lost', reason: own.unhealthy };
  } catch (error) {
    return {
      answer: 'unknown',
      reason: error instanceof Unanswered ? error.message : connectionTrouble(error),
    };
  }
  return (await askOnce(access, 0)).answer;
}

const safe: Round = { answer: { answer: 'safe' }, mayPass: false };

/** @param elapsedMs the time since the first try */
async function askOnce(access: EtcdAccess, elapsedMs: number): Promise<Round> {
  try {
    const others = await otherVoters(access);
    // The operator who restarts the only member wants just that.
    if (others.length === 0) return safe;
    const own = await health(access.url, access);
    if (own !== 'healthy') {
      if (elapsedMs < electionMs) return unknown(own.unhealthy, { mayPass: true });
      // A member that sees no leader for good is no part of the quorum. But an alarm makes a member unhealthy, too, whose vote
      // counts.
      if (!(await seesLeader(access))) return safe;
    }
    return await judge(others, access);
  } catch (error) {
    // A member that is down is no part of the quorum, either.
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
    // A cluster of two can never spare a member.
    mayPass: others.length >= needed,
  };
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
