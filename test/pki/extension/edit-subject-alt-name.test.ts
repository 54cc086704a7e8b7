import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editSubjectAltName, replaceServerNames } from '../../../src/pki/extension/edit-subject-alt-name.ts';
import { parseSubjectAltName, subjectAltName } from '../../../src/pki/extension/subject-alt-name.ts';
import fc from '../../support/properties.ts';

const none = { dnsNames: [], ipAddresses: [] };
// From a small set, so that the old and the new ones meet.
const dnsNames = fc.uniqueArray(fc.constantFrom('a', 'b.c', '*.d', 'e', 'f.g.h'), { maxLength: 5 });
const ipAddresses = fc.uniqueArray(fc.constantFrom('192.0.2.1', '10.0.0.1', '2001:db8::1', '::1'));
const names = fc.record({ dnsNames, ipAddresses });

describe('editing SANs', () => {
  test('adding names that are new and removing them again leaves the same bytes', () => {
    fc.assert(
      fc.property(names, names, (old, more) => {
        const before = subjectAltName(old.dnsNames, old.ipAddresses);
        const add = {
          dnsNames: more.dnsNames.filter((name) => !old.dnsNames.includes(name)),
          ipAddresses: more.ipAddresses.filter((address) => !old.ipAddresses.includes(address)),
        };
        fc.pre(before !== undefined && add.dnsNames.length + add.ipAddresses.length > 0);
        const added = editSubjectAltName(before, { add, remove: none });
        assert.ok(added !== undefined);
        const back = editSubjectAltName(added.extension, { add: none, remove: add });
        assert.equal(back?.extension.der.toString('hex'), before.der.toString('hex'));
        assert.deepEqual(back.removed, added.added);
      }),
    );
  });

  test('afterwards what was added is there once, what was removed is not, and the rest is in its order', () => {
    fc.assert(
      fc.property(names, names, names, (old, add, remove) => {
        const before = subjectAltName(old.dnsNames, old.ipAddresses);
        const edit = editSubjectAltName(before, { add, remove });
        const was = parseSubjectAltName(before);
        const is = edit === undefined ? was : parseSubjectAltName(edit.extension);
        const wanted = parseSubjectAltName(subjectAltName(add.dnsNames, add.ipAddresses));
        const unwanted = parseSubjectAltName(subjectAltName(remove.dnsNames, remove.ipAddresses));
        assert.equal(new Set(is).size, is.length);
        for (const name of wanted) assert.ok(is.includes(name));
        for (const name of unwanted) assert.ok(!is.includes(name) || wanted.includes(name));
        const kept = was.filter((name) => !unwanted.includes(name));
        assert.deepEqual(
          is.filter((name) => kept.includes(name)),
          kept,
        );
      }),
    );
  });

  test('replacing gives what would be built anew, and says nothing when it is that already', () => {
    fc.assert(
      fc.property(names, names, (old, wish) => {
        const before = subjectAltName(old.dnsNames, old.ipAddresses);
        const wanted = subjectAltName(wish.dnsNames, wish.ipAddresses);
        fc.pre(wanted !== undefined);
        const edit = replaceServerNames(before, wish);
        assert.equal((edit?.extension ?? before)?.der.toString('hex'), wanted.der.toString('hex'));
        assert.equal(replaceServerNames(wanted, wish), undefined);
      }),
    );
  });
});
