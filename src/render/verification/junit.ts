import { escapeUnseen } from '../printable.ts';
import type { CheckResult, NodeVerification } from '../../operations/verification/verification.ts';

/**
 * JUnit's XML as Jenkins and GitLab read it: a test case for each check. What is wrong is a failure, what could not be looked at an error,
 * and a check that has nothing to look at is skipped.
 */
export function junitReport(nodes: readonly NodeVerification[], now: Date): string {
  const suites = nodes.flatMap(({ node, results, error }) => {
    const name = node === '' ? 'kubepki verify' : `kubepki verify ${node}`;
    const cases = results.map((result) => testCase(result, name));
    const lost =
      error === undefined
        ? []
        : [
            `    <testcase classname="${attribute(name)}" name="node: it can be looked at">\n` +
              `      <error message="${attribute(error.oneLine)}"/>\n    </testcase>`,
          ];
    const count = (status: CheckResult['status']): number =>
      results.filter((result) => result.status === status).length;
    const counts = {
      tests: cases.length + lost.length,
      failures: count('error'),
      errors: count('unchecked') + lost.length,
      skipped: results.filter(({ isJudged }) => !isJudged).length,
    };
    const numbers = Object.entries(counts).map(([key, value]) => ` ${key}="${String(value)}"`);
    const timestamp = now.toISOString().slice(0, 19);
    return [
      `  <testsuite name="${attribute(name)}"${numbers.join('')} timestamp="${timestamp}" time="0">`,
      ...cases,
      ...lost,
      '  </testsuite>',
    ];
  });
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', ...suites, '</testsuites>', ''].join(
    '\n',
  );
}

function testCase(result: CheckResult, suite: string): string {
  const { id, title, troubles } = result;
  const open = `    <testcase classname="${attribute(suite)}" name="${attribute(`${id}: ${title}`)}" time="0"`;
  const said = (grades: readonly string[]): readonly string[] =>
    troubles.flatMap(({ grade, file, message, hint }) =>
      grades.includes(grade) ? [`${file}: ${message}${hint === undefined ? '' : `\nnext: ${hint}`}`] : [],
    );
  const element = (name: string, lines: readonly string[]): readonly string[] => {
    const [first] = lines;
    return first === undefined
      ? []
      : [
          `      <${name} type="${attribute(id)}" message="${attribute(first.split('\n')[0] ?? '')}">${text(lines.join('\n'))}</${name}>`,
        ];
  };
  const output = said(['warning', 'note']);
  const parts = [
    ...(result.isJudged ? [] : ['      <skipped/>']),
    ...element('error', said(['unchecked'])),
    ...element('failure', said(['error'])),
    ...(output.length === 0 ? [] : [`      <system-out>${text(output.join('\n'))}</system-out>`]),
  ];
  return parts.length === 0 ? `${open}/>` : [`${open}>`, ...parts, '    </testcase>'].join('\n');
}

function attribute(value: string): string {
  return text(value).replaceAll('"', '&quot;').replaceAll('\n', '&#10;');
}

/** XML 1.0, 2.2: most control characters cannot be written at all. What else is not seen stands there as its number. */
function text(value: string): string {
  const escaped = value
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
  return escapeUnseen(escaped, (codePoint) => `&#x${codePoint.toString(16)};`);
}
