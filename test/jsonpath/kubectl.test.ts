import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { kubepki, type Outcome } from '../support/kubepki.ts';
import { fixturePath, temporaryDirectory } from '../support/tree.ts';

const node = ['--rootfs', fixturePath('missing-leaf', ''), '--at', '2027-01-01T00:00:00Z'];

function ours(template: string, ...flags: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'check-expiration', ...node, ...flags, '-o', `jsonpath=${template}`]);
}

interface Judged {
  readonly stdout: string;
  readonly code: number;
}

/** kubectl on our own JSON, without a cluster: a label is what makes it print. */
async function kubectlOf(
  t: TestContext,
): Promise<((template: string, ...flags: string[]) => Judged) | undefined> {
  const kubectl = judge(t, 'kubectl');
  if (kubectl === undefined) return undefined;
  const { stdout } = await kubepki(['certs', 'check-expiration', ...node, '-o', 'json']);
  const file = join(temporaryDirectory(t), 'document.json');
  writeFileSync(file, stdout);
  return (template, ...flags) => {
    const args = ['label', '--local', '-f', file, 'a=b', ...flags, '-o', `jsonpath=${template}`];
    const result = spawnSync(kubectl, args, { encoding: 'utf8' });
    return { stdout: result.stdout, code: result.status ?? -1 };
  };
}

const templates = [
  '{.certificates[*].residualTime}',
  '{range .certificates[*]}{.name}{"\\n"}{end}',
  '{range .certificates[*]}{.name}, {end}',
  '{ range .certificates[0:1] }{.name}{ end }',
  'text {.kind}, {"a\\tb"} {\'single\'} {"{}"} }',
  '{.certificates[0]}',
  '{.certificates[*]}',
  '{.certificates[*].expirationDate}',
  '{.certificates[0].missing} {.certificates[1].missing}',
  '{.certificates[-1:].name} {.certificates[0:2].name} {.certificates[-1].name} {.certificates[-2].name}',
  '{.certificates[::3].name} {.certificates[0:10:3].name} {.certificates[1:1].name} {.certificates[9:].name}',
  '{.certificates[0,2].name}',
  "{.certificates[0]['name','residualTime']} {['kind','apiVersion']}",
  "{.certificates[*]['name','residualTime']}",
  "{range .certificates[0:2]}{['name','residualTime']};{end}",
  '{.certificates[?(@.name=="apiserver")]}',
  "{.certificates[?(@.name=='apiserver')].name}",
  '{.certificates[?(@.name != "apiserver")].name}',
  '{.certificates[?(@.caName!="ca")].name}',
  '{.certificates[?(@.caName)].name}',
  '{.certificates[?(@.missing==true)].name} {.certificates[?(@.missing==false)].name}',
  '{.certificates[?(@.residualTime<100)].name} {.certificates[?(@.residualTime>=28244488)].name}',
  '{.certificates[?(@.residualTime<=0)].name} {.certificates[?(@.residualTime>28244487)].name}',
  '{range .certificates[?(@.caName=="etcd-ca")]}[{.name} {.caName}]{end}',
  '{range .certificates[*]}[{.caName}]{end}',
  '{range .certificates[*]}{range .nothing}y{end}{.name};{end}',
  '{range .nothing}x{end}',
  '{range .certificates[0:1]}{$.name}{@.name}{.}{@}{end}',
  '{$.kind} {@.kind} {.kind }',
  '{.nope.x}|{.constructor}|{.__proto__}|{.certificates.length}|{.kind.length}',
  '{.certificates.name}',
  '{range .certificates[0:1]}{}{ }{end}{true} {1.5}',
  '{"\\u00e9"}{"\\""}',
];

const refused = [
  '{.certificates[0].name',
  '{end}',
  '{kind}',
  '{.certificates[?(@.name=~"x")].name}',
  '{.certificates[9999].name}',
  '{.certificates[0:2:0].name}',
  '{.certificates[-11].name}',
  '{.kind[0]}',
  '{.certificates[0]["name"]}',
  '{.certificates[}',
];

describe('-o jsonpath is what kubectl prints', () => {
  for (const template of templates) {
    test(template, async (t) => {
      const kubectl = await kubectlOf(t);
      if (kubectl === undefined) return;
      const outcome = await ours(template);
      assert.deepEqual([outcome.stderr, outcome.code], ['', 0]);
      assert.deepEqual({ stdout: outcome.stdout, code: 0 }, kubectl(template));
    });
  }

  test('..name, in whatever order a map is walked', async (t) => {
    const kubectl = await kubectlOf(t);
    if (kubectl === undefined) return;
    const words = (text: string): string[] => text.split(' ').sort();
    const { stdout } = await ours('{..name}');
    assert.deepEqual(words(stdout), words(kubectl('{..name}').stdout));
    assert.ok(words(stdout).length > 10);
  });

  for (const template of refused) {
    test(`both refuse ${template}`, async (t) => {
      const kubectl = await kubectlOf(t);
      if (kubectl === undefined) return;
      assert.equal(kubectl(template).code, 1);
      const outcome = await ours(template);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: -o jsonpath: .+\nhint: the syntax is kubectl's: .+\n$/);
    });
  }

  for (const template of ['{.nope}', '{range .certificates[*]}{.caName};{end}', '{.kind}{..nope}']) {
    test(`--allow-missing-template-keys=false: both refuse ${template}`, async (t) => {
      const kubectl = await kubectlOf(t);
      if (kubectl === undefined) return;
      const flag = '--allow-missing-template-keys=false';
      assert.equal(kubectl(template, flag).code, 1);
      const outcome = await ours(template, flag);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: -o jsonpath: \w+ is not found$/m);
      assert.equal((await ours(template, '--allow-missing-template-keys=true')).code, 0);
    });
  }
});

describe('what is stricter than kubectl', () => {
  for (const template of [
    '{range .certificates[*]}{.name}',
    '{.kind "x"}',
    '{.kind .apiVersion}',
    '{"a" "b"}',
    '{"\\q"}',
    '{.certificates[?(@.name.constructor("return process")())]}',
    '{.certificates[?(process.exit(7))]}',
    '{.certificates[(@.length-1)]}',
    '{.certificates[?(@.name=="a" && @.name=="b")]}',
    '{.certificates[?("a")]}',
    '{..}',
    '{[]}',
  ]) {
    test(template, async () => {
      const outcome = await ours(template);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: -o jsonpath: /);
    });
  }

  test('no template is an error, on a node that is not there too', async () => {
    for (const format of ['jsonpath', 'jsonpath=', 'jsonpath-file=x', 'go-template={{.}}']) {
      const outcome = await kubepki(['certs', 'check-expiration', '-o', format]);
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], format);
    }
    const outcome = await kubepki(['certs', 'check-expiration', '--rootfs', '/nope', '-o', 'jsonpath={']);
    assert.match(outcome.stderr, /^error: -o jsonpath: a brace is not closed/);
  });
});
