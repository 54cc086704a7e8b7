import type { CaName } from '../../catalog/catalog.ts';
import { replaceFile, type FileChange } from '../../changeset/change-set.ts';
import { changeNode, type PlannedRun, type Way } from '../../change/change-node.ts';
import { underLock } from '../../change/session.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { parseAccepted } from '../../flags/names/accepted.ts';
import { readCertificateFile } from '../../inventory/certificate-files.ts';
import { namedAlgorithm, type Node } from '../../node/node-options.ts';
import { readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { readRotation, rotationTarget } from '../../node/rotation/rotation.ts';
import { readManaged, type Snapshot } from '../../node/snapshot.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import { stageOf } from '../../operations/change/change-report.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import { defaultAuthorityValidityMs } from '../../operations/issuing/validity.ts';
import {
  acceptedIn,
  conditionNames,
  conditionsOfPrepare,
  isOpen,
  type Condition,
} from '../../operations/rotation/conditions.ts';
import { planText } from '../../operations/rotation/plan-text.ts';
import type { Accepted, RotatedAuthority } from '../../operations/rotation/plan.ts';
import {
  planBrought,
  planOf,
  planReplacement,
  replace,
  type Brought,
  type Replaceable,
} from '../../operations/rotation/prepare.ts';
import { isPrepared } from '../../operations/rotation/prepared.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { rotationReport } from '../../operations/rotation/rotation-report.ts';
import { encodeCertificates } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { randomRotationId } from '../../pki/key/random.ts';
import { encodePrivateKey, type PrivateKey } from '../../pki/key/private-key.ts';
import { rotatedLines } from '../../render/rotation/rotated.ts';
import type { RotationFileName } from '../../storage/rotation-files.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { requireSound } from './faults.ts';
import { whyNoQuorum } from './quorum.ts';
import { refuse } from './refuse.ts';
import type { RotateOptions } from './rotate-options.ts';

/** Makes the new CAs, and changes nothing that is in use. */
export async function prepare(
  names: readonly CaName[] | undefined,
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  // What a run that was killed has left is brought to an end, so that it is known whether there is something left to do.
  if (options.dryRun !== true) await underLock(node, options, terminal, () => Promise.resolve());
  const conditions = readRotation(node) === undefined ? await judge(node, options) : [];
  if (conditions.some(isOpen)) {
    // What accepting would not help against is told first.
    chosen(node, names, options, new Date());
    return refuse('prepare', conditions, { node, options, terminal });
  }
  const plan = (way: Way): PlannedRun => {
    const now = new Date();
    const rotation = readRotation(node);
    if (rotation !== undefined) {
      requireSame(node, rotation, names, options);
      return nothingLeft(node, rotation, now, terminal);
    }
    const { brought, replaceables } = chosen(node, names, options, now);
    const accepted = acceptedIn(conditions, { stage: 'prepare', time: isoSeconds(now) });
    let made: readonly RotatedAuthority[] = [];
    const filesOf = (name: CaName): ReadonlySet<string> =>
      new Set(kept(name).map((file) => rotationTarget(node, file).path));
    return {
      now,
      errors: [],
      names: [],
      make: async () => {
        const generated = await way.generateKeys(
          replaceables,
          ({ keyAlgorithm }) => keyAlgorithm,
          (one, privateKey) => ({ authority: replaced(one, privateKey, node, now), privateKey }),
          terminal,
        );
        const pairs = [
          ...(brought === undefined ? [] : [{ authority: brought, privateKey: undefined }]),
          ...generated,
        ];
        made = pairs.map(({ authority }) => authority);
        const changes = changesOf(node, pairs, accepted, now);
        return {
          changes,
          signedBy: [],
          certificates: [],
          stage: 'prepare',
          newDirectoryMode: 0o700,
          verify: (read) => {
            requireWritten(changes, read);
          },
        };
      },
      report: (stage) =>
        rotationReport({ stage: 'prepare', authorities: made, renewables: [], filesOf }, stage),
      text: (report) => rotatedLines('prepare', made, report),
      remarks: (report) => {
        if (!report.dryRun) terminal.hint(`what is next: ${commandLine(node.flags)('ca rotate')}`);
      },
    };
  };
  return changeNode(node, plan, options, terminal, { inUse: false });
}

async function judge(node: Node, options: RotateOptions): Promise<Condition[]> {
  const accepted = parseAccepted(options.accept ?? [], conditionNames);
  return conditionsOfPrepare(await whyNoQuorum(node, options), accepted);
}

interface Chosen {
  /** The CA whose key is elsewhere, with what was brought from there. */
  readonly brought: RotatedAuthority | undefined;
  readonly replaceables: readonly Replaceable[];
}

/** What is to be replaced. @throws KubepkiError where it cannot be, or something else of the node is wrong */
function chosen(node: Node, names: readonly CaName[] | undefined, options: RotateOptions, now: Date): Chosen {
  const snapshot = readManaged(node);
  const brought = broughtOf(node, snapshot, names, { options, now });
  const replaceables = brought === undefined ? replaceablesOf(node, snapshot, names, now) : [];
  const all = [...(brought === undefined ? [] : [brought]), ...replaceables];
  requireSound(
    node,
    all.map(({ name }) => name),
    now,
  );
  return { brought, replaceables };
}

/** @throws KubepkiError conflict where another rotation is under way, or this one has gone on */
function requireSame(
  node: Node,
  rotation: Rotation,
  names: readonly CaName[] | undefined,
  { caCert, crossCert }: RotateOptions,
): void {
  const brought =
    caCert === undefined || crossCert === undefined
      ? undefined
      : { next: readFirst(node, caCert).certificate, cross: readFirst(node, crossCert).certificate };
  const { inventory } = readManaged(node);
  const request = { names: names ?? inventory.authorities.map(({ spec }) => spec.name), brought };
  if (isPrepared(request, rotation, readRotatedFiles(node))) return;
  const command = commandLine(node.flags);
  throw new KubepkiError('conflict', `a rotation is under way already (${rotation.plan.id})`, {
    file: rotation.planFile.path,
    hint: `to go on with it: ${command('ca rotate')}; to take its last stage back: ${command('ca rollback')}`,
  });
}

/** The same command again, after a run that was killed: its change was brought to an end, and is told of. */
function nothingLeft(node: Node, { plan, authorities }: Rotation, now: Date, terminal: Terminal): PlannedRun {
  return {
    now,
    errors: [],
    names: [],
    make: () => Promise.resolve({ changes: [], signedBy: [], certificates: [], verify: () => undefined }),
    report: (step) => ({
      command: 'ca rotate prepare',
      ...stageOf(step),
      certificates: authorities.map(({ name, old }) => ({
        name,
        components: [],
        old: factsOf(old),
        outcome: 'unchanged',
        reason: `the rotation ${plan.id} is prepared already`,
      })),
      otherFiles: [],
    }),
    text: (report) =>
      `the rotation ${plan.id} is prepared already, since ${plan.createdAt}\n` +
      rotatedLines('prepare', authorities, { ...report, dryRun: false }),
    remarks: () => {
      terminal.hint(`what is next: ${commandLine(node.flags)('ca rotate')}`);
    },
  };
}

function replaceablesOf(
  node: Node,
  { inventory, keys }: Snapshot,
  names: readonly CaName[] | undefined,
  now: Date,
): Replaceable[] {
  const settings = { now, encryptionAlgorithm: namedAlgorithm(node), command: commandLine(node.flags) };
  const chosen = names ?? inventory.authorities.map(({ spec }) => spec.name);
  return chosen.map((name) => planReplacement(inventory, keys, name, settings));
}

/** A CA whose key is elsewhere, as the files of the command line have it; undefined: they name none. */
function broughtOf(
  node: Node,
  { inventory }: Snapshot,
  names: readonly CaName[] | undefined,
  { options: { caCert, crossCert }, now }: { readonly options: RotateOptions; readonly now: Date },
): RotatedAuthority | undefined {
  if (caCert === undefined || crossCert === undefined) return undefined;
  const [name, ...others] = names ?? [];
  if (name === undefined || others.length > 0) {
    throw new KubepkiError('usage', '--ca-cert is of one CA, which has to be named', {
      hint: 'kubepki ca rotate prepare ca --ca-cert FILE --cross-cert FILE',
    });
  }
  const command = commandLine(node.flags);
  const brought = { next: readFirst(node, caCert), cross: readFirst(node, crossCert) };
  return planBrought(inventory, name, brought, { now, command });
}

function readFirst({ layout: { root } }: Node, given: string): Brought['next'] {
  const path = root.locate(given);
  const { content } = readCertificateFile(root, path);
  if (content.status === 'unreadable') throw content.error;
  if (content.status === 'missing') throw new KubepkiError('not-found', 'no such file', { file: path });
  return { path, certificate: content.value[0] };
}

function replaced(one: Replaceable, privateKey: PrivateKey, { config }: Node, now: Date): RotatedAuthority {
  const next = { privateKey, serialNumber: randomSerialNumber() };
  const authorityValidityMs = config?.caCertificateValidityMs ?? defaultAuthorityValidityMs;
  return replace(one, { next, crossSerialNumber: randomSerialNumber() }, { now, authorityValidityMs });
}

function kept(name: CaName): RotationFileName[] {
  return [`${name}.old.crt`, `${name}.next.crt`, `${name}.cross.crt`, `${name}.next.key`];
}

function changesOf(
  node: Node,
  pairs: readonly { readonly authority: RotatedAuthority; readonly privateKey: PrivateKey | undefined }[],
  accepted: readonly Accepted[],
  now: Date,
): FileChange[] {
  const put = (name: RotationFileName, text: string): FileChange =>
    replaceFile(rotationTarget(node, name), text, 0o600);
  const plan = planOf(
    randomRotationId(),
    now,
    pairs.map(({ authority }) => authority),
    accepted,
  );
  return [
    ...pairs.flatMap(({ authority: { name, old, next, cross }, privateKey }) => [
      put(`${name}.old.crt`, encodeCertificates([old])),
      put(`${name}.next.crt`, encodeCertificates([next])),
      put(`${name}.cross.crt`, encodeCertificates([cross])),
      ...(privateKey === undefined ? [] : [put(`${name}.next.key`, encodePrivateKey(privateKey))]),
    ]),
    // Last: what is there without a plan is no rotation.
    put('plan.json', planText(plan)),
  ];
}
