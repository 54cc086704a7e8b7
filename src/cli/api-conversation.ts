import type { SigningApi, SigningWish, Standing } from '../cluster/signing.ts';
import type { Clock } from '../controlplane/clock.ts';
import { KubepkiError } from '../errors/error.ts';
import { deleted, lost, namesOf, refusalOf, timedOut, waitingFor } from './api-troubles.ts';

export interface Wish extends SigningWish {
  /** Name in the catalog. */
  readonly certificate: string;
}

export interface Conversation {
  readonly api: SigningApi;
  readonly signerName: string;
  readonly wishes: readonly Wish[];
  readonly approve: boolean;
  /** They were asked for by an earlier run. */
  readonly resumed: boolean;
  readonly clock: Clock;
  readonly timeout: { readonly milliseconds: number; readonly text: string };
  /** The command that goes on with what waits. */
  readonly resume: string;
  readonly said: {
    /** A line that is shown while it is waited. */
    readonly progress: (text: string) => void;
    readonly note: (text: string, hint?: string) => void;
  };
}

/**
 * - `issued`: PEM, by the name of the request
 * - `refused`: nothing will come of it; `created` may be in the cluster. `decided`: by the approver or the
 *   signer
 * - `waiting`: it may yet be issued, so the requests and their keys stay
 */
export type Settled =
  | { readonly kind: 'issued'; readonly certificates: ReadonlyMap<string, string> }
  | {
      readonly kind: 'refused';
      readonly errors: readonly Trouble[];
      readonly created: readonly string[];
      readonly decided: boolean;
    }
  | { readonly kind: 'waiting'; readonly errors: readonly Trouble[] };

export interface Trouble {
  readonly error: KubepkiError;
  /** Names in the catalog. */
  readonly certificates: readonly string[];
}

const firstPauseMs = 1000;
const longestPauseMs = 5000;

/** Asks for all, has them approved if that is wanted, and waits for all of them. */
export async function converse(talk: Conversation): Promise<Settled> {
  const deadline = talk.clock.elapsed() + talk.timeout.milliseconds;
  const created: string[] = [];
  const all = talk.wishes.map(({ certificate }) => certificate);
  try {
    for (const wish of talk.wishes) {
      await submit(talk, wish, deadline);
      created.push(wish.name);
    }
    if (talk.approve) await approveAll(talk, deadline);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    // Whether it has arrived is not known where the API was lost.
    if (talk.resumed || isRetryable(error)) return lost(talk, error);
    return { kind: 'refused', errors: [{ error, certificates: all }], created, decided: false };
  }
  try {
    return await waitForAll(talk, deadline);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return lost(talk, error);
  }
}

async function submit(talk: Conversation, wish: Wish, deadline: number): Promise<void> {
  talk.said.progress(`asking for the certificate for ${wish.certificate}`);
  const submitted = await ridingOut(talk, deadline, () => talk.api.submit(wish));
  if (submitted.kind === 'created') {
    // Of a run that was killed before it could ask; or it has been deleted meanwhile.
    if (talk.resumed) talk.said.note(`${wish.name} was not in the cluster, and has been asked for again`);
    return;
  }
  if (submitted.same) return;
  throw new KubepkiError(
    'conflict',
    `there is a CertificateSigningRequest ${wish.name} already, and it asks for something else`,
    { hint: talk.resumed ? undefined : 'run the command again: the name will be another one' },
  );
}

async function approveAll(talk: Conversation, deadline: number): Promise<void> {
  for (const { name, certificate } of talk.wishes) {
    talk.said.progress(`approving the request for ${certificate}`);
    const standing = await ridingOut(talk, deadline, () => talk.api.standing(name));
    if (standing.kind !== 'pending') continue;
    await ridingOut(talk, deadline, () =>
      talk.api.approve(name, {
        reason: 'KubepkiApprove',
        message: 'approved by kubepki certs renew --use-api --approve',
      }),
    );
  }
}

async function waitForAll(talk: Conversation, deadline: number): Promise<Settled> {
  const standings = new Map<Wish, Standing>();
  const isOpen = (wish: Wish): boolean => standings.get(wish)?.kind !== 'issued';
  let pauseMs = firstPauseMs;
  let told = false;
  for (;;) {
    for (const wish of talk.wishes.filter(isOpen)) {
      const standing = await ridingOut(talk, deadline, () => talk.api.standing(wish.name));
      standings.set(wish, standing);
      talk.said.progress(waitingFor(talk, standings));
    }
    const refused = [...standings].flatMap(([wish, standing]) => refusalOf(talk, wish, standing));
    if (refused.length > 0) {
      return {
        kind: 'refused',
        errors: refused,
        created: talk.wishes.map(({ name }) => name),
        decided: true,
      };
    }
    const gone = [...standings].flatMap(([wish, { kind }]) => (kind === 'gone' ? [wish] : []));
    if (gone.length > 0) return deleted(talk, gone);
    if (!talk.wishes.some(isOpen)) return { kind: 'issued', certificates: issuedIn(standings) };
    const leftMs = deadline - talk.clock.elapsed();
    if (leftMs <= 0) return timedOut(talk, standings);
    const pending = namesOf(standings, 'pending');
    if (!told && pending.length > 0) {
      talk.said.note(
        `waiting for approval of ${pending.join(', ')}, ${talk.timeout.text} at most`,
        `kubectl certificate approve ${pending.join(' ')}`,
      );
      told = true;
    }
    await talk.clock.sleep(Math.min(pauseMs, leftMs));
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
  }
}

/**
 * Tries again what failed and need not have: an API server that is restarted is gone for a while.
 * @throws what it failed with last, when the time is over
 */
async function ridingOut<T>(
  { clock, said }: Conversation,
  deadline: number,
  ask: () => Promise<T>,
): Promise<T> {
  let pauseMs = firstPauseMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const leftMs = deadline - clock.elapsed();
      if (!(error instanceof KubepkiError) || !isRetryable(error) || leftMs <= 0) throw error;
      if (pauseMs === firstPauseMs) said.note(`${error.message}; trying again`);
      said.progress(`trying again: ${error.message}`);
      await clock.sleep(Math.min(leftMs, Math.max(pauseMs, retryAfterMs(error))));
      pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
    }
  }
}

function isRetryable(error: KubepkiError): boolean {
  return 'retryable' in error && error.retryable === true;
}

function retryAfterMs(error: KubepkiError): number {
  return 'retryAfterMs' in error && typeof error.retryAfterMs === 'number' ? error.retryAfterMs : 0;
}

function issuedIn(standings: ReadonlyMap<Wish, Standing>): ReadonlyMap<string, string> {
  return new Map(
    [...standings].flatMap(([{ name }, standing]) =>
      standing.kind === 'issued' ? [[name, standing.certificate] as const] : [],
    ),
  );
}
