import { setTimeout as sleep } from 'node:timers/promises';
import type { SigningApi } from '../../../cluster/signing.ts';
import { apiReport } from '../../../operations/renewal/renewal-report.ts';
import type { CertificateSpec } from '../../../catalog/catalog.ts';
import {
  dropPendingRequests,
  readPendingRequests,
  type PendingRequests,
} from '../../../storage/pending-requests.ts';
import { converse } from './converse.ts';
import { carryOut, type Conclusion, type PlannedRun } from '../../../change/change-node.ts';
import { KubepkiError } from '../../../errors/error.ts';
import type { StateDirectory } from '../../../storage/state-directory.ts';
import { noteAuthorities } from '../../../change/notes.ts';
import { underLock } from '../../../change/session.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { planAnswers } from './use-api-install.ts';
import { shortDuration } from '../../../flags/values.ts';
import type { ApiOptions } from './api-options.ts';
import { requireStillWaiting, resumeCommand, tellOfPending, withdraw } from './use-api-pending.ts';
import { type Context, finishedWith, unsettled } from './use-api-result.ts';
import { stateOf } from '../../../node/waiting.ts';
import type { ConversationEnd } from './conversation.ts';

const defaultTimeoutMs = 5 * 60_000;

/** Asks, waits, and puts what has come in its place. The lock is not held while it is waited: that may take minutes. */
export async function settle(
  api: SigningApi,
  pending: PendingRequests,
  context: Context & { readonly resumed: boolean },
): Promise<Conclusion> {
  const { node, options, terminal, resumed } = context;
  const resumeWith = resumeCommand(node, options);
  const forget = tellOfPending(pending, resumeWith, terminal);
  try {
    const settled = await talk(api, pending, { resumed, resumeWith, options, terminal });
    if (settled.kind === 'waiting') return unsettled(settled.errors, 'pending', context);
    if (settled.kind === 'refused') return await giveUp(api, pending, settled, context);
    return await putInPlace(api, pending, settled.certificates, { ...context, forget });
  } catch (error) {
    // Such as another run that holds the lock: what was issued must not be lost for it.
    if (hasWaiting(stateOf(node))) noteKept(context);
    throw error;
  } finally {
    forget();
  }
}

async function talk(
  api: SigningApi,
  { signerName, requests }: PendingRequests,
  {
    resumed,
    resumeWith,
    options,
    terminal,
  }: {
    readonly resumed: boolean;
    readonly resumeWith: string;
    readonly options: ApiOptions;
    readonly terminal: Terminal;
  },
): Promise<ConversationEnd> {
  const { timeout = defaultTimeoutMs } = options;
  const progress = terminal.progress('asking the certificates API');
  try {
    return await converse({
      api,
      signerName,
      wishes: requests.map(({ name, certificate, request, usages, expirationSeconds }) => ({
        name,
        certificate,
        signerName,
        request: Buffer.from(request),
        usages,
        expirationSeconds,
        labels: { 'app.kubernetes.io/managed-by': 'kubepki' },
      })),
      approve: options.approve === true,
      resumed,
      clock: {
        elapsed: () => performance.now(),
        sleep: async (milliseconds) => {
          await sleep(milliseconds);
        },
      },
      timeout: { milliseconds: timeout, text: shortDuration(timeout) },
      resume: resumeWith,
      said: {
        progress: (text) => {
          progress.update(text);
        },
        note: (text, hint) => {
          terminal.note(text);
          terminal.hint(hint);
        },
      },
    });
  } finally {
    progress.end();
  }
}

function noteKept({ node, options, terminal }: Context): void {
  terminal.note(`the requests and their keys are kept; to go on: ${resumeCommand(node, options)}`);
}

/** Nothing will come of them: requests and keys go. */
async function giveUp(
  api: SigningApi,
  pending: PendingRequests,
  { errors, created, decided }: Extract<ConversationEnd, { kind: 'refused' }>,
  context: Context,
): Promise<Conclusion> {
  // First: why is what matters, whatever becomes of tidying up.
  const conclusion = unsettled(errors, 'refused', context);
  const left = await withdraw(api, created, context.terminal);
  // A request that could not be taken back may yet be approved.
  if (left.length > 0 && !decided) noteKept(context);
  else await forgetPending(pending, context);
  return conclusion;
}

async function forgetPending(pending: PendingRequests, { node, options, terminal }: Context): Promise<void> {
  await underLock(node, options, terminal, (state) => {
    requireStillWaiting(state, pending);
    dropPendingRequests(state);
    return Promise.resolve();
  });
}

async function putInPlace(
  api: SigningApi,
  pending: PendingRequests,
  answers: ReadonlyMap<string, string>,
  /** `forget`: nothing waits any more, so an interruption need not say so. */
  { forget, ...context }: Context & { readonly forget: () => void },
): Promise<Conclusion> {
  const { node, plan, options, terminal } = context;
  const requests = pending.requests.map(({ name }) => name);
  const outcome = await underLock(node, options, terminal, async (state) => {
    requireStillWaiting(state, pending);
    const now = new Date();
    const run = planAnswers(node, pending, answers, now);
    if (run.kind !== 'installable') {
      for (const text of run.warnings) terminal.warning(text);
      if (run.kind === 'worthless') dropPendingRequests(state);
      return run;
    }
    const { installables, change, inventory } = run;
    const planned: PlannedRun = {
      now,
      errors: [],
      beforehand: () => {
        for (const text of installables.flatMap(({ warnings }) => warnings)) terminal.warning(text);
        noteAuthorities(installables, terminal);
      },
      names: installables.map(({ spec }) => spec.name),
      make: () => Promise.resolve(change),
      report: (stage) => apiReport(plan, inventory, { kind: 'installed', installed: installables, stage }),
      ...finishedWith(context, specsOf(plan)),
    };
    const conclusion = await carryOut(node, { dryRun: false, state }, planned, options, terminal);
    if (conclusion.kind === 'finished') forgetAfterChange(state, terminal);
    return { kind: 'made', conclusion } as const;
  });
  switch (outcome.kind) {
    case 'blocked': {
      const conclusion = unsettled(outcome.troubles, 'pending', context);
      noteKept(context);
      return conclusion;
    }
    case 'worthless': {
      forget();
      const conclusion = unsettled(outcome.troubles, 'refused', context);
      await withdraw(api, requests, terminal);
      return conclusion;
    }
    case 'made': {
      if (outcome.conclusion.kind === 'interrupted') {
        noteKept(context);
        return outcome.conclusion;
      }
      forget();
      await withdraw(api, requests, terminal);
      return outcome.conclusion;
    }
  }
}

function specsOf(plan: Context['plan']): readonly CertificateSpec[] {
  return plan.flatMap((one) => (one.status === 'requestable' ? [one.spec] : []));
}

/** The change stands; where the record stays, `--resume` finds the certificates in place. */
function forgetAfterChange(state: StateDirectory, terminal: Terminal): void {
  try {
    dropPendingRequests(state);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.warning(error.oneLine);
  }
}

function hasWaiting(state: StateDirectory): boolean {
  try {
    return readPendingRequests(state) !== undefined;
  } catch {
    // The error on its way says more.
    return false;
  }
}
