import { kubeletKubeconfig, type CaName } from '../../catalog/catalog.ts';
import { changeNode, type PlannedRun } from '../../change/change-node.ts';
import { underLock } from '../../change/session.ts';
import { noteKubelet } from '../../change/notes.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { parseAccepted } from '../../flags/names/accepted.ts';
import { readCertificateFile } from '../../inventory/certificate-files.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { readKubeletConfig } from '../../inventory/kubelet/kubelet-config.ts';
import { kubeletServingCertificate } from '../../inventory/kubelet/kubelet-entry.ts';
import { readNodeSigns } from '../../inventory/node-signs.ts';
import type { Node } from '../../node/node-options.ts';
import { readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { rotationTarget } from '../../node/rotation/rotation.ts';
import { readReceivingNode } from '../../node/rotation/transfer.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import type { ChangeReport } from '../../operations/change/change-report.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import { nodeKind } from '../../operations/node/node-kind.ts';
import { rotationHere } from '../../operations/worker-rotation/succession.ts';
import {
  putKubelet,
  verifyKubelet,
  type KubeletCredentials,
} from '../../operations/worker-rotation/kubelet-certificate.ts';
import {
  acceptable,
  planWorker,
  requireRenewed,
  type Acceptable,
  type WorkerPlan,
} from '../../operations/worker-rotation/plan-worker.ts';
import { workerReport } from '../../operations/worker-rotation/worker-report.ts';
import type { RotationFiles } from '../../operations/rotation/state.ts';
import {
  keepRotation,
  requireTrustworthy,
  type RotationTargets,
} from '../../operations/rotation/transfer.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { rotatedLines } from '../../render/rotation/rotated.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { askKubeletCertificate } from './ask-kubelet-certificate.ts';
import type { GivenRotation } from './given-authorities.ts';
import type { TrustOptions } from './trust-options.ts';

/** Brings a node that is not a control plane to the stage of a rotation's file, in one change. */
export async function followRotation(
  given: GivenRotation,
  node: Node,
  options: TrustOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  terminal.note(`${given.path}: SHA-256 ${given.sha256}`);
  const accepted = parseAccepted(options.accept ?? [], acceptable);
  // What a run that was killed has left is brought to an end first: half of a plan cannot be read.
  if (options.dryRun !== true) await underLock(node, options, terminal, () => Promise.resolve());
  const first = planHere(given, node, accepted);
  const isAsked = options.offline !== true && options.dryRun !== true && first.plan.errors.length === 0;
  const { renewed, authority } = first.plan;
  const credentials =
    isAsked && renewed !== undefined
      ? await askKubeletCertificate(renewed, authority, node, terminal)
      : undefined;
  return changeNode(
    node,
    ({ dryRun }) =>
      decided(planHere(given, node, accepted), credentials, { dryRun, node, options, terminal }),
    options,
    terminal,
    { inUse: true },
  );
}

interface Here {
  readonly given: GivenRotation;
  readonly files: RotationFiles;
  readonly plan: WorkerPlan;
  /** What is kept of the rotation, as far as it is not there yet. */
  readonly kept: ReturnType<typeof keepRotation>;
}

/** What is left to do, by the files as they are now. @throws KubepkiError bad-transfer, conflict */
function planHere(given: GivenRotation, node: Node, accepted: readonly Acceptable[]): Here {
  const { transfer, path } = given;
  requireWorker(node, path);
  return naming(path, () => {
    const receiving = readReceivingNode(node);
    const rotation = rotationHere(transfer, receiving);
    requireTrustworthy(transfer, { files: receiving.files, rotation });
    const files = readRotatedFiles(node);
    const plan = planWorker(transfer, files, {
      accepted,
      time: isoSeconds(new Date()),
      command: commandLine(node.flags),
    });
    const before = (rotation?.plan.accepted ?? []).filter(
      ({ condition, stage }) =>
        !plan.accepted.some((one) => one.condition === condition && one.stage === stage),
    );
    const targets: RotationTargets = {
      plan: rotationTarget(node, 'plan.json'),
      of: (name: CaName, part) => rotationTarget(node, `${name}.${part}`),
    };
    return { given, files, plan, kept: keepRotation(transfer, [...before, ...plan.accepted], targets) };
  });
}

/** A control plane has keys and leaves, which follow in the stages of its own. */
function requireWorker(node: Node, file: string): void {
  const kind = nodeKind(readInventory(node.layout, node.config?.etcd), readNodeSigns(node.layout));
  if (kind === 'worker') return;
  const command = commandLine(node.flags);
  throw new KubepkiError(
    'bad-transfer',
    kind === 'control-plane'
      ? 'is of a rotation, and this node is a control plane, which goes through the stages itself'
      : 'is of a rotation, and this node is no worker',
    {
      file,
      hint: `on a control plane: ${command(`ca rotate prepare --import ${asGiven(node, file)}`)}; then, stage by stage: ${command('ca rotate')}`,
    },
  );
}

/** The file as a command line names it. */
function asGiven({ layout: { root } }: Node, path: string): string {
  return shellWord(root.display(path));
}

interface Context {
  readonly dryRun: boolean;
  readonly node: Node;
  readonly options: TrustOptions;
  readonly terminal: Terminal;
}

function decided(
  { given: { path }, files, plan, kept }: Here,
  fresh: KubeletCredentials | undefined,
  { dryRun, node, options, terminal }: Context,
): PlannedRun {
  const command = commandLine(node.flags);
  const errors = [...plan.errors];
  // The kubelet may have rotated it by itself while it was asked for here.
  const credentials = plan.renewed === undefined ? undefined : fresh;
  const isToCome = dryRun && options.offline !== true && plan.renewed !== undefined;
  const put = credentials && putKubelet(credentials, plan, files);
  if (credentials === undefined && !isToCome)
    collect(errors, () => {
      requireRenewed(plan, command);
    });
  const edits = put?.changes ?? plan.edits;
  const changes = [...edits, ...kept];
  const kubelet =
    put !== undefined || isToCome
      ? {
          credentials,
          files:
            put?.place.changing.map(({ path }) => path) ??
            [plan.renewed?.certificateFile?.path ?? plan.renewed?.file.path].filter(
              (one) => one !== undefined,
            ),
        }
      : undefined;
  return {
    now: new Date(),
    errors,
    names: [],
    make: () =>
      Promise.resolve({
        changes,
        // The plan names the CA, which is held against its old one.
        signedBy: [],
        certificates:
          credentials === undefined || plan.renewed === undefined
            ? []
            : [
                {
                  name: kubeletKubeconfig.name,
                  old: factsOf(plan.renewed.chain[0]),
                  new: factsOf(credentials.certificate),
                },
              ],
        verify: (read) => {
          requireWritten(changes, read);
          if (credentials !== undefined && put !== undefined) verifyKubelet(credentials, put, read);
        },
        unlinked: put?.place.unlinked === undefined ? [] : [put.place.unlinked],
        stage: plan.stage,
      }),
    report: (step) => workerReport(plan, kubelet, step),
    text: (report) =>
      changes.length === 0 && kubelet === undefined
        ? `this node is at ${plan.stage} already\n`
        : rotatedLines(plan.stage, [plan.authority], report),
    remarks: (report) => {
      if (!report.failed && servesOld(node, plan)) {
        terminal.warning(
          `${kubeletServingCertificate} is of the old CA: who trusts the new one alone does not take the kubelet for itself`,
        );
        terminal.hint(
          `have the kubelet ask for another: rm ${kubeletServingCertificate} && systemctl restart kubelet; then, with an admin's kubeconfig: kubepki csr approve`,
        );
      }
      remark(
        report,
        plan,
        {
          isKubeletLeft: plan.renewed !== undefined && kubelet === undefined,
          again: command(`ca trust ${asGiven(node, path)}`),
        },
        terminal,
      );
    },
  };
}

/** The kubelet has asked for it, and rotates it when it is about to end. */
function servesOld({ layout: { root } }: Node, { authority, stage }: WorkerPlan): boolean {
  if (stage !== 'switch' && stage !== 'distrust') return false;
  const { content } = readCertificateFile(root, root.locate(kubeletServingCertificate));
  if (content.status !== 'present' || !isIssuedBy(content.value[0], authority.old)) return false;
  // It may be there from before serverTLSBootstrap was turned off.
  const config = readKubeletConfig(root);
  return config.status !== 'present' || config.value.serverTLSBootstrap.isOn;
}

function collect(errors: KubepkiError[], require: () => void): void {
  try {
    require();
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    errors.push(error);
  }
}

function remark(
  { dryRun, failed, backup, certificates }: ChangeReport,
  { stage }: WorkerPlan,
  { isKubeletLeft, again }: { readonly isKubeletLeft: boolean; readonly again: string },
  terminal: Terminal,
): void {
  if (failed || dryRun) return;
  if (isKubeletLeft) {
    terminal.warning(`the kubelet's certificate is of the old CA still, and must be anew before distrust`);
    terminal.hint(`without --offline: ${again}`);
  }
  if (backup === undefined) return;
  const isChanged = certificates.some((one) => 'files' in one && one.files.length > 0);
  if (isChanged) noteKubelet(`what it has at ${stage}`, terminal);
  terminal.hint('then send "kubepki ca status -o json" of this node to the control planes');
}
