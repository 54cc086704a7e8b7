import type { FoundRequest, KubeletRequestsApi, UnreadableRequest } from '../../cluster/kubelet-requests.ts';
import type { RequestDecision } from '../../cluster/request-object.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { SigningRequest } from '../../operations/kubelet-serving/signing-request.ts';
import type { Failing, Settled, Verdict } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { printable } from '../../render/printable.ts';
import { isRetryable, isWorthAnother } from './csr-connection.ts';
import type { Interruptions } from '../../terminal/interruptions.ts';

/** How requests are judged. */
export interface Judge {
  readonly judge: (request: SigningRequest) => Verdict;
  /** Looks at the cluster again, for a request that has changed. */
  readonly lookAgain: () => Promise<void>;
}

/** And whether anything comes of it. */
interface Court extends Judge {
  readonly api: KubeletRequestsApi;
  readonly dryRun: boolean;
  /** A command that shows how requests stand. */
  readonly look: string;
  readonly interruptions: Interruptions;
}

/** undefined: there is none */
export type Read = FoundRequest | UnreadableRequest | undefined;

/** How often another writer may come in between. */
const attempts = 5;

/**
 * Judges a request and does what comes of it. What is decided is what was judged: a request that has changed meanwhile is
 * read and judged again.
 * @throws KubepkiError cluster
 */
export async function settle(name: string, first: Read, court: Court): Promise<Settled> {
  let found = first;
  let sent: { readonly uid: string; readonly verdict: Deciding } | undefined;
  for (let failures = 0; failures < attempts; failures += 1) {
    if (found === undefined) return { name, outcome: 'not-found' };
    if ('error' in found) return { name, outcome: 'unreadable', reason: found.error.message };
    const { request, uid } = found;
    // The answer to an earlier attempt was lost, and the attempt was not.
    if (sent?.uid === uid && request.conditions.includes(typeOf(sent.verdict))) {
      court.interruptions.noteDecision(name, words(name, sent.verdict));
      return decided(request, sent.verdict);
    }
    court.interruptions.noteDecision(name, undefined);
    const verdict = court.judge(request);
    if (verdict.kind === 'leave') return { name, outcome: 'refused', request, because: verdict.because };
    if (court.dryRun) return wouldBe(request, verdict);
    sent = { uid, verdict };
    if ((await send(found, verdict, { court, failures })) === 'decided') return decided(request, verdict);
    found = await court.api.read(name);
  }
  throw new KubepkiError('cluster', `the request ${name} is changed again and again, and was not decided`);
}

type Deciding = Exclude<Verdict, { kind: 'leave' }>;

async function send(
  found: FoundRequest,
  verdict: Deciding,
  { court, failures }: { readonly court: Court; readonly failures: number },
): Promise<'decided' | 'again'> {
  const { name } = found.request;
  const startedAt = performance.now();
  // Until it is known: on its way it cannot be called back.
  court.interruptions.noteDecision(name, `perhaps ${words(name, verdict)}`);
  try {
    const outcome = await court.api.decide(found, decisionOf(verdict));
    court.interruptions.noteDecision(name, outcome === 'decided' ? words(name, verdict) : undefined);
    if (outcome === 'decided') return outcome;
    await court.lookAgain();
    return 'again';
  } catch (error) {
    if (!isRetryable(error)) {
      court.interruptions.noteDecision(name, undefined);
      throw error;
    }
    // Whether it has arrived is seen when the request is read again.
    if (failures < attempts - 1 && (await isWorthAnother(error, { failures: failures + 1, startedAt }))) {
      return 'again';
    }
    const hint = `whether ${name} is ${typeOf(verdict).toLowerCase()} is not known: ${court.look}`;
    throw new KubepkiError('cluster', error.message, { hint, cause: error });
  }
}

function words(name: string, verdict: Deciding): string {
  return `${name} ${typeOf(verdict).toLowerCase()}`;
}

function typeOf({ kind }: Deciding): RequestDecision['type'] {
  return kind === 'approve' ? 'Approved' : 'Denied';
}

function decisionOf(verdict: Deciding): RequestDecision {
  const type = typeOf(verdict);
  if (verdict.kind === 'approve') {
    return { type, reason: 'KubepkiApprove', message: 'passed every check of kubepki csr approve' };
  }
  const { because } = verdict;
  if (because === undefined) return { type, reason: 'KubepkiDeny', message: 'denied with kubepki csr deny' };
  // It quotes the requestor, and others show it on their terminals.
  const message = printable(`check ${because.check}: ${because.reason}`);
  return { type, reason: 'KubepkiDenyInvalid', message };
}

function decided(request: SigningRequest, verdict: Deciding): Settled {
  const outcome = verdict.kind === 'approve' ? 'approved' : 'denied';
  return { name: request.name, outcome, request, because: becauseOf(verdict) };
}

function wouldBe(request: SigningRequest, verdict: Deciding): Settled {
  const outcome = verdict.kind === 'approve' ? 'would-approve' : 'would-deny';
  return { name: request.name, outcome, request, because: becauseOf(verdict) };
}

function becauseOf(verdict: Deciding): Failing | undefined {
  return verdict.kind === 'approve' ? undefined : verdict.because;
}
