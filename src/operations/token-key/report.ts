import { tokenKeyFiles } from '../../catalog/init-order.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import type { StagePlan } from './plan-stage.ts';
import type { TokenKeyFiles, TokenKeyStage } from './state.ts';

/** @param plan undefined: it was refused */
export function tokenKeyReport(
  to: TokenKeyStage,
  files: TokenKeyFiles,
  plan: StagePlan | undefined,
  stage: ChangeStage,
): ChangeReport {
  const targets = { 'sa.key': files.key.target, 'sa.pub': files.publicKeys.target };
  const paths = Object.values(targets).map(({ path }) => path);
  return {
    command: `sa rotate ${to}`,
    ...stageOf(stage),
    certificates: tokenKeyFiles.map(({ name, components }): CertificateReport => {
      const common = { name, components, old: undefined };
      if (stage.kind === 'refused')
        return { ...common, outcome: 'unchanged', reason: 'the stage was refused' };
      return plan?.changed.includes(name) === true
        ? { ...common, outcome: 'rotated', new: undefined, files: [targets[name].path] }
        : { ...common, outcome: 'unchanged', reason: 'it holds what this stage wants' };
    }),
    otherFiles:
      stage.kind === 'refused'
        ? []
        : stage.change.changes.map(({ target }) => target.path).filter((path) => !paths.includes(path)),
  };
}
