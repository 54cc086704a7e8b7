import type { RenewRuns } from '../../render/expiration/prometheus.ts';
import type { Examined } from '../../node/examine.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { thresholdsOf, type ExpirationOutput, type ThresholdOptions } from './expiration-output.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface PresentOptions extends ThresholdOptions {
  readonly allowMissingTemplateKeys: boolean;
}

/** What is printed; with a plugin's exit code it is the last word. */
export interface Shown {
  /** One after the other. */
  readonly texts: Iterable<string>;
  readonly pluginCode?: ExitCode;
}

/** What one run has found out. */
interface Found extends Examined {
  readonly now: Date;
  /** What `--textfile` says of `renew`. */
  readonly runs: RenewRuns | undefined;
}

/**
 * A template is read first: one that is wrong fails on any node. Each way of saying it is loaded only when it is asked for:
 * a renderer that is not used costs the others their start.
 * @throws KubepkiError for a template that is wrong, and for flags that do not go together
 */
export async function expirationPresenter(
  options: PresentOptions,
  terminal: Terminal,
): Promise<(found: Found) => Shown> {
  const thresholds = thresholdsOf(options);
  const { output } = options;
  switch (output.kind) {
    case 'text': {
      const look = terminal.tableLook();
      if (look === undefined) {
        const { expirationTable } = await import('../../render/expiration/expiration-table.ts');
        return ({ report }) => ({ texts: [expirationTable(report)] });
      }
      const { expirationTables } = await import('../../terminal/tables/expiration.ts');
      return ({ report }) => ({ texts: expirationTables(report, look) });
    }
    case 'json':
    case 'yaml': {
      const { expirationDocument } = await import('../../render/expiration/expiration-document.ts');
      const { kind } = output;
      return ({ report }) => ({ texts: [expirationDocument(report, kind)] });
    }
    case 'jsonpath': {
      const [evaluate, { expirationInfo }] = await Promise.all([
        templateEvaluator(output, options),
        import('../../render/expiration/expiration-document.ts'),
      ]);
      return ({ report }) => ({ texts: [evaluate(expirationInfo(report))] });
    }
    case 'prometheus': {
      const [{ metricsOf }, { prometheusTexts }] = await Promise.all([
        import('../../change/textfile.ts'),
        import('../../render/expiration/prometheus.ts'),
      ]);
      return (found) => ({ texts: prometheusTexts([metricsOf(found)], found.runs) });
    }
    case 'nagios': {
      const { nagiosResult } = await import('./nagios.ts');
      return (found) => {
        const { text, code } = nagiosResult(found, thresholds);
        return { texts: [text], pluginCode: code };
      };
    }
  }
}

/** @throws KubepkiError for a template that is wrong */
export async function templateEvaluator(
  { template }: Extract<ExpirationOutput, { kind: 'jsonpath' }>,
  { allowMissingTemplateKeys: allowMissing }: PresentOptions,
): Promise<(document: object) => string> {
  const [{ parseTemplate }, { evaluateTemplate }] = await Promise.all([
    import('../../jsonpath/template.ts'),
    import('../../jsonpath/evaluate.ts'),
  ]);
  const parsed = parseTemplate(template);
  return (document) => evaluateTemplate(parsed, document, { allowMissing });
}
