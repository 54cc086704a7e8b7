import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderError, renderNote, renderWarning } from '../../src/render/diagnostics.ts';
import { nagiosUnknown, quotedLabel } from '../../src/render/expiration/nagios.ts';
import { printable } from '../../src/render/printable.ts';
import { escapeLabelValue } from '../../src/render/expiration/prometheus.ts';
import { restartLine } from '../../src/render/change/restart.ts';

test('an error is one line, its remedy a second; a note and a warning are one', () => {
  assert.equal(
    renderError({ oneLine: 'a: b', hint: 'do c' }, { colour: false }),
    'error: a: b\nhint: do c\n',
  );
  assert.equal(renderError({ oneLine: 'a: b' }, { colour: false }), 'error: a: b\n');
  assert.equal(renderWarning('x', { colour: false }), 'warning: x\n');
  assert.equal(renderNote('x', { colour: false }), 'note: x\n');
});

test('control characters of a hostile file name do not reach the terminal', () => {
  const hostile = 'pki/\u001b[2J\u001b]0;title\u0007\r\nerror: fake\u009b1m\u2028.crt';
  const shown = renderError({ oneLine: hostile }, { colour: false });
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  assert.doesNotMatch(shown.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  assert.equal(shown.split('\n').length, 2);
});

/** What turns a line around (Unicode's Bidi_Control), what has no width, and what ends a line. */
const unseen = [
  ...['\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202c', '\u202d', '\u202e'],
  ...['\u2066', '\u2067', '\u2068', '\u2069'],
  ...['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u{e0041}'],
  ...['\u2028', '\u2029'],
];

test('what is not seen and changes what is seen reaches no text, whoever wrote it', () => {
  for (const one of unseen) {
    const name = `node${one}1`;
    const texts = [
      printable(name),
      renderError({ oneLine: name, hint: name }, { colour: false }),
      nagiosUnknown(name),
      quotedLabel(name),
      escapeLabelValue(name),
      restartLine({ status: 'no-manifest', component: 'etcd', directory: name }),
    ];
    for (const text of texts) {
      assert.ok(!text.includes(one), JSON.stringify(text));
      // It is not taken for another name, either.
      assert.ok(text.includes('node 1'), text);
    }
  }
});

test('letters of every script stay as they are', () => {
  for (const text of ['Ελληνικά', 'עברית', 'العربية', 'हिन्दी', '日本語', 'né 1%', '𝄞']) {
    assert.equal(printable(text), text);
  }
});
