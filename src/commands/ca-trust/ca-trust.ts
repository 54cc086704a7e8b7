import { basename } from 'node:path';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { changeNode, type PlannedRun, type Way } from '../../change/change-node.ts';
import { noteKubelet } from '../../change/notes.ts';
import { readAuthorityCopies } from '../../inventory/authority-copies.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { readNodeSigns } from '../../inventory/node-signs.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { trustReport } from '../../operations/authority-renewal/authority-report.ts';
import { planTrust, type TrustedAuthority } from '../../operations/authority-renewal/plan-trust.ts';
import { verifyReplaced } from '../../operations/authority-renewal/replace-authority.ts';
import type { ChangeReport } from '../../operations/change/change-report.ts';
import { nodeKind } from '../../operations/node/node-kind.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { authorityLines, type ShownAuthority } from '../../render/change/authorities.ts';
import type { PlannedChange } from '../../render/change/dry-run.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { readGivenAuthorities, type GivenCertificates } from './given-authorities.ts';
import type { TrustOptions } from './trust-options.ts';

/** `ca trust` */
export async function trustAuthorities(
  file: string,
  options: TrustOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const given = readGivenAuthorities(node.layout.root, file);
  if (given.kind === 'rotation') {
    const { followRotation } = await import('./follow-rotation.ts');
    return followRotation(given, node, options, terminal);
  }
  return changeNode(node, (way) => decided(given, node, way, terminal), options, terminal, { inUse: true });
}

function decided(given: GivenCertificates, node: Node, { dryRun }: Way, terminal: Terminal): PlannedRun {
  const now = new Date();
  const { layout } = node;
  const read = readAuthorityCopies(layout);
  const copies = read.flatMap((one) => (one.status === 'present' ? [one.value] : []));
  const unreadable = read.flatMap((one) => (one.status === 'unreadable' ? [one.error] : []));
  const plan = planTrust(given.certificates, copies, { file: given.path, now });
  const { errors, trusted, replacements, changed, changes, records } = plan;
  const kind = nodeKind(readInventory(layout, node.config?.etcd), readNodeSigns(layout));
  return {
    now,
    errors: [...unreadable, ...errors],
    onRefusal: () => {
      terminal.hint('nothing was changed: one refusal refuses the whole file');
    },
    names: records.map(({ name }) => name),
    make: () =>
      Promise.resolve({
        changes,
        certificates: records,
        // The file can bring no other CA than those that are here, and so its owner decides nothing.
        signedBy: [],
        verify: (readBack) => {
          verifyReplaced(changed, replacements, readBack);
        },
      }),
    report: (stage) => trustReport(plan, { hasComponents: kind !== 'worker' }, stage),
    text: (report) => {
      if (!dryRun) return authorityLines(trusted.map((one) => shownOf(one, given.path)));
      return dryRunText(plannedChanges(report), terminal);
    },
    remarks: (report) => {
      remark(report, trusted, now, terminal);
    },
  };
}

function shownOf(
  { spec: { longName }, old, next: { notAfter } }: TrustedAuthority,
  file: string,
): ShownAuthority {
  return old === undefined
    ? { status: 'in-place', longName, notAfter, file }
    : { status: 'replaced', longName, notAfter };
}

function plannedChanges({ certificates }: ChangeReport): PlannedChange[] {
  return certificates.flatMap((one) =>
    'reason' in one
      ? []
      : [
          {
            name: one.name,
            oldNotAfter: one.old && new Date(one.old.notAfter),
            newNotAfter: one.new && new Date(one.new.notAfter),
            files: one.files,
          },
        ],
  );
}

/** What has to follow on this node. */
function remark(
  { dryRun, failed, backup, certificates }: ChangeReport,
  trusted: readonly TrustedAuthority[],
  now: Date,
  terminal: Terminal,
): void {
  if (dryRun || failed || backup === undefined) return;
  const files = certificates.flatMap((one) => ('reason' in one ? [] : one.files));
  if (!files.some((file) => basename(file) === kubeletKubeconfig.name)) return;
  noteKubelet('the renewed CA', terminal);
  const ends = trusted.flatMap(({ old }) => (old === undefined ? [] : [old.notAfter.getTime()]));
  const first = Math.min(...ends);
  if (first > now.getTime()) {
    terminal.note(`until ${isoSeconds(new Date(first))} the old certificate serves as well`);
  }
}
