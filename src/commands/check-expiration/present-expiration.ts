import type { RenewRuns } from '../../render/expiration/prometheus.ts';
import type { Judged } from './nagios.ts';
import type { ClusterOptions } from '../../node/ask-cluster.ts';
import type { Examined, ExamineOptions } from '../../node/examine.ts';
import type { NodeOptions } from '../../node/node-options.ts';
import type { Typed } from '../../flags/table.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { thresholdsOf, type ExpirationOutput, type ThresholdOptions } from './expiration-output.ts';
import type { Look } from '../../terminal/tables/look.ts';
import type { Terminal } from '../../terminal/terminal.ts';

interface PresentOptions extends ThresholdOptions {
  readonly allowMissingTemplateKeys: boolean;
}

/** All but which trees are meant. */
export interface ExpirationOptions
  extends Omit<NodeOptions, 'rootfs'>, ClusterOptions, PresentOptions, Typed<'textfile'>, ExamineOptions {
  /** Judge as of this moment; undefined: now. */
  readonly at?: Date;
}

/** What is printed; with a plugin's exit code it is the last word. */
export interface Shown {
  /** One after the other. */
  readonly texts: Iterable<string>;
  readonly pluginCode?: ExitCode;
}

/** The texts that are printed, one after the other. */
type Form<Found, T = Iterable<string>> = Promise<(found: Found) => T>;

/** How what was found out is shown. Each form is loaded only when it is asked for: one that is not used costs the others their start. */
export interface Forms<Found> {
  readonly text: () => Form<Found>;
  readonly tables: (look: Look) => Form<Found>;
  readonly document: (format: 'json' | 'yaml') => Form<Found>;
  /** What a template is filled with. */
  readonly info: () => Form<Found, object>;
  readonly metrics: () => Form<Found>;
  /** What a plugin judges. */
  readonly oneNode: (found: Found) => Judged;
}

/**
 * A template is read first: one that is wrong fails on any node.
 * @throws KubepkiError for a template that is wrong, and for flags that do not go together
 */
export async function presenter<Found>(
  options: PresentOptions,
  terminal: Terminal,
  forms: Forms<Found>,
): Promise<(found: Found) => Shown> {
  const thresholds = thresholdsOf(options);
  const { output } = options;
  switch (output.kind) {
    case 'text': {
      const look = terminal.tableLook();
      return shownAs(await (look === undefined ? forms.text() : forms.tables(look)));
    }
    case 'json':
    case 'yaml':
      return shownAs(await forms.document(output.kind));
    case 'jsonpath': {
      const [evaluate, info] = await Promise.all([templateEvaluator(output, options), forms.info()]);
      return shownAs((found) => [evaluate(info(found))]);
    }
    case 'prometheus':
      return shownAs(await forms.metrics());
    case 'nagios': {
      const { nagiosResult } = await import('./nagios.ts');
      return (found) => {
        const { text, code } = nagiosResult(forms.oneNode(found), thresholds);
        return { texts: [text], pluginCode: code };
      };
    }
  }
}

function shownAs<Found>(textsOf: (found: Found) => Iterable<string>): (found: Found) => Shown {
  return (found) => ({ texts: textsOf(found) });
}

/** @throws KubepkiError for a template that is wrong */
async function templateEvaluator(
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

/** What one run has found out. */
interface Found extends Examined {
  /** What `--textfile` says of `renew`. */
  readonly runs: RenewRuns | undefined;
}

/** Of one node. */
export const nodeForms: Forms<Found> = {
  text: async () => {
    const { expirationTable } = await import('../../render/expiration/expiration-table.ts');
    return ({ report }) => [expirationTable(report)];
  },
  tables: async (look) => {
    const { expirationTables } = await import('../../terminal/tables/expiration.ts');
    return ({ report }) => expirationTables(report, look);
  },
  document: async (format) => {
    const [{ expirationDocument }, { toldOf }] = await Promise.all([
      import('../../render/expiration/expiration-document.ts'),
      import('./told-node.ts'),
    ]);
    return (found) => [expirationDocument(found.report, format, toldOf(found))];
  },
  info: async () => {
    const [{ expirationInfo }, { toldOf }] = await Promise.all([
      import('../../render/expiration/expiration-document.ts'),
      import('./told-node.ts'),
    ]);
    return (found) => expirationInfo(found.report, toldOf(found));
  },
  metrics: async () => {
    const [{ metricsOf }, { prometheusTexts }] = await Promise.all([
      import('../../change/textfile.ts'),
      import('../../render/expiration/prometheus.ts'),
    ]);
    return (found) => prometheusTexts([metricsOf(found)], found.runs);
  },
  oneNode: (found) => found,
};
