import { certificates } from '../../../catalog/catalog.ts';
import { commandLine } from '../../../errors/command-line.ts';
import { KubepkiError, naming } from '../../../errors/error.ts';
import type { Inventory } from '../../../inventory/inventory.ts';
import { readSlot } from '../../../inventory/reading.ts';
import { install } from '../../../operations/install/install.ts';
import { planInstall, type Installable } from '../../../operations/install/plan-install.ts';
import {
  answerFiles,
  answerSource,
  requireUnchanged,
  type AnswerFiles,
} from '../../../operations/use-api/answers.ts';
import { parsePrivateKey } from '../../../pki/key/private-key.ts';
import {
  pendingKeyPath,
  type PendingRequest,
  type PendingRequests,
} from '../../../storage/pending-requests.ts';
import type { Node } from '../../../node/node-options.ts';
import { crossesHere } from '../../../node/rotation/rotation.ts';
import { readToFill, type Snapshot } from '../../../node/snapshot.ts';
import type { Change } from '../../../change/session.ts';
import { stateOf } from '../../../node/waiting.ts';
import { discardCommand } from './use-api-pending.ts';
import type { Trouble } from './conversation.ts';

/**
 * - `worthless`: what was signed is not what was asked for, so nothing will come of these requests
 * - `blocked`: what was signed may be good, and something here is in its way
 */
type AnswerPlan =
  | {
      readonly kind: 'installable';
      readonly inventory: Inventory;
      readonly installables: readonly Installable[];
      readonly change: Change;
    }
  | {
      readonly kind: 'worthless' | 'blocked';
      readonly troubles: readonly Trouble[];
      readonly warnings: readonly string[];
    };

/** Checks what the signer has given as `install` does, against the files as they are now. */
export function planAnswers(
  node: Node,
  pending: PendingRequests,
  answers: ReadonlyMap<string, string>,
  now: Date,
): AnswerPlan {
  const snapshot = readToFill(node);
  const { inventory, keysInUse } = snapshot;
  const read = pending.requests.map((request) => checkOne(node, snapshot, request, answers, now));
  const troubles = read.flatMap((one) => ('troubles' in one ? one.troubles : []));
  const installables = read.flatMap((one) => ('installable' in one ? [one.installable] : []));
  if (troubles.length > 0) {
    const sources = new Set(pending.requests.map(({ name }) => answerSource(name)));
    const worthless = troubles.every(({ error }) => error.file !== undefined && sources.has(error.file));
    const warnings = installables.flatMap((one) => one.warnings);
    return { kind: worthless ? 'worthless' : 'blocked', troubles, warnings };
  }
  // Those are no files, and the keys are dropped with their record, once the change is made.
  const notCleared = new Set(
    installables.flatMap(({ source, pending: { keyFile } }) => [source.resolvedPath, keyFile.resolvedPath]),
  );
  return {
    kind: 'installable',
    inventory,
    installables,
    change: install(installables, { inventory, keysInUse, notCleared }),
  };
}

function checkOne(
  node: Node,
  { inventory, keys, keysInUse, places }: Snapshot,
  request: PendingRequest,
  answers: ReadonlyMap<string, string>,
  now: Date,
): { readonly installable: Installable } | { readonly troubles: readonly Trouble[] } {
  const certificate = request.certificate;
  const refused = (errors: readonly KubepkiError[]): { readonly troubles: readonly Trouble[] } => ({
    troubles: errors.map((error) => ({ error, certificates: [certificate] })),
  });
  try {
    const spec = certificates.find(({ name }) => name === certificate);
    const answer = answers.get(request.name);
    if (spec === undefined || answer === undefined) throw unknownCertificate(certificate);
    requireUnchanged(inventory, spec, request.replaces);
    const files = filesOf(node, request, spec, answer);
    const [planned] = planInstall(inventory, [spec], {
      now,
      allowChanges: false,
      keysInUse,
      keys,
      crosses: crossesHere(node),
      requestedKeys: [],
      command: commandLine(node.flags),
      waiting: [files.waiting],
      files: [files.certificate],
      bundle: undefined,
      places,
    });
    switch (planned?.status) {
      case 'installable':
        return { installable: planned.installable };
      case 'refused':
        return refused(planned.errors);
      default:
        // The signer has given a certificate for another key than ours.
        throw new KubepkiError('bad-certificate', `the certificate for ${certificate} is for another key`, {
          file: answerSource(request.name),
          hint: 'the signer must certify the key of the request',
        });
    }
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return refused([error]);
  }
}

function filesOf(
  node: Node,
  { name, request }: PendingRequest,
  spec: (typeof certificates)[number],
  certificate: string,
): AnswerFiles {
  const path = pendingKeyPath(stateOf(node), name);
  const key = readSlot(node.layout.root, path, parsePrivateKey);
  if (key.content.status === 'unreadable') throw key.content.error;
  if (key.content.status === 'missing') {
    throw new KubepkiError('not-found', `no such file: the key of the request for ${spec.name} is gone`, {
      file: path,
      hint: `bring it back, or give the requests up: ${discardCommand(node)}`,
    });
  }
  return naming(answerSource(name), () => answerFiles({ spec, name, request, certificate, key }));
}

function unknownCertificate(name: string): KubepkiError {
  return new KubepkiError(
    'unfinished',
    `what waits is for ${JSON.stringify(name)}, which kubepki does not know`,
  );
}
