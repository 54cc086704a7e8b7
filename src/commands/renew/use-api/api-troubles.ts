import { KubepkiError } from '../../../errors/error.ts';
import { isBuiltIn } from '../../../operations/use-api/signer-name.ts';
import type { Standing } from '../../../cluster/signing.ts';
import type { Conversation, ConversationEnd, Trouble, Wish } from './conversation.ts';

export function refusalOf({ signerName }: Conversation, wish: Wish, standing: Standing): Trouble[] {
  if (standing.kind !== 'denied' && standing.kind !== 'failed') return [];
  const { name, certificate } = wish;
  const because = [standing.message, ...(standing.reason === '' ? [] : [`(${standing.reason})`])]
    .join(' ')
    .trim();
  const said = because === '' ? '' : `: ${because}`;
  const error =
    standing.kind === 'denied'
      ? new KubepkiError('cluster', `the request ${name} for ${certificate} was denied${said}`, {
          hint: 'ask whoever approves requests in this cluster',
        })
      : new KubepkiError('cluster', `${signerName} failed the request ${name} for ${certificate}${said}`, {
          hint: isBuiltIn(signerName)
            ? "kube-controller-manager's log may say more"
            : 'the log of that signer may say more',
        });
  return [{ error, certificates: [certificate] }];
}

export function deleted({ resume }: Conversation, gone: readonly Wish[]): ConversationEnd {
  return {
    kind: 'waiting',
    errors: gone.map(({ name, certificate }) => ({
      certificates: [certificate],
      error: new KubepkiError('cluster', `somebody has deleted the request ${name} for ${certificate}`, {
        hint: `its key is kept; to ask for it again: ${resume}`,
      }),
    })),
  };
}

/** The API is gone, or does not want to know us any more. */
export function lost({ wishes, resume }: Conversation, error: KubepkiError): ConversationEnd {
  const hint = [error.hint, `the requests and their keys are kept; to go on: ${resume}`]
    .filter((one) => one !== undefined)
    .join('; ');
  return {
    kind: 'waiting',
    errors: [
      {
        certificates: wishes.map(({ certificate }) => certificate),
        error: new KubepkiError(error.code, error.message, { file: error.file, hint, cause: error }),
      },
    ],
  };
}

export function timedOut(talk: Conversation, standings: ReadonlyMap<Wish, Standing>): ConversationEnd {
  const { signerName, timeout, resume } = talk;
  const certificatesOf = (kind: Standing['kind']): string[] =>
    [...standings].flatMap(([{ certificate }, standing]) => (standing.kind === kind ? [certificate] : []));
  const [pending, approved] = [namesOf(standings, 'pending'), namesOf(standings, 'approved')];
  const errors: Trouble[] = [];
  if (approved.length > 0) {
    const look = isBuiltIn(signerName)
      ? "see whether kube-controller-manager runs, and whether its --cluster-signing-cert-file and --cluster-signing-key-file name the cluster's CA"
      : `see whether the signer ${signerName} runs, and what it says`;
    errors.push({
      certificates: certificatesOf('approved'),
      error: new KubepkiError(
        'cluster',
        `approved, but not issued by ${signerName} within ${timeout.text}: ${approved.join(', ')}`,
        { hint: `${look}; then go on: ${resume}` },
      ),
    });
  }
  if (pending.length > 0) {
    errors.push({
      certificates: certificatesOf('pending'),
      error: new KubepkiError('cluster', `not approved within ${timeout.text}: ${pending.join(', ')}`, {
        hint: `approve it: kubectl certificate approve ${pending.join(' ')}; then go on (or approve it too, with --approve): ${resume}`,
      }),
    });
  }
  return { kind: 'waiting', errors };
}

export function namesOf(standings: ReadonlyMap<Wish, Standing>, kind: Standing['kind']): string[] {
  return [...standings].flatMap(([{ name }, standing]) => (standing.kind === kind ? [name] : []));
}

export function waitingFor(talk: Conversation, standings: ReadonlyMap<Wish, Standing>): string {
  const pending = namesOf(standings, 'pending');
  if (pending.length > 0) return `waiting for approval of ${pending.join(', ')}`;
  return `waiting for ${talk.signerName} to issue ${namesOf(standings, 'approved').join(', ')}`;
}
