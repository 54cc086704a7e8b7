import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderError, renderNote, renderWarning } from '../../src/render/diagnostics.ts';

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
