import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { expirationDocument } from '../../../src/render/expiration/expiration-document.ts';

const report = {
  certificates: [
    {
      status: 'present',
      name: 'admin.conf',
      notAfter: new Date('2027-11-23T21:41:28Z'),
      residualMs: -1999,
      externallyManaged: true,
      faults: [],
      refused: false,
      caName: 'ca',
    },
    { status: 'missing', name: 'apiserver' },
    { status: 'unreadable', name: 'etcd-peer' },
  ],
  certificateAuthorities: [
    {
      status: 'present',
      name: 'ca',
      notAfter: new Date('2036-11-20T21:41:27Z'),
      residualMs: 1500,
      externallyManaged: false,
      faults: [],
      refused: false,
    },
  ],
} as const;

describe('the document', () => {
  test("-o json: Go's struct order, four spaces, seconds cut off toward zero, null for no date", () => {
    assert.equal(
      expirationDocument(report, 'json'),
      `{
    "kind": "CertificateExpirationInfo",
    "apiVersion": "output.kubeadm.k8s.io/v1alpha3",
    "certificates": [
        {
            "name": "admin.conf",
            "expirationDate": "2027-11-23T21:41:28Z",
            "residualTime": -1,
            "externallyManaged": true,
            "caName": "ca",
            "missing": false
        },
        {
            "name": "apiserver",
            "expirationDate": null,
            "residualTime": 0,
            "externallyManaged": false,
            "missing": true
        },
        {
            "name": "etcd-peer",
            "expirationDate": null,
            "residualTime": 0,
            "externallyManaged": false,
            "missing": false
        }
    ],
    "certificateAuthorities": [
        {
            "name": "ca",
            "expirationDate": "2036-11-20T21:41:27Z",
            "residualTime": 1,
            "externallyManaged": false,
            "missing": false
        }
    ]
}
`,
    );
  });

  test('-o yaml: sorted keys, lists not indented, timestamps quoted; the same values', () => {
    const yaml = expirationDocument(report, 'yaml');
    assert.equal(
      yaml,
      `apiVersion: output.kubeadm.k8s.io/v1alpha3
certificateAuthorities:
- expirationDate: "2036-11-20T21:41:27Z"
  externallyManaged: false
  missing: false
  name: ca
  residualTime: 1
certificates:
- caName: ca
  expirationDate: "2027-11-23T21:41:28Z"
  externallyManaged: true
  missing: false
  name: admin.conf
  residualTime: -1
- expirationDate: null
  externallyManaged: false
  missing: true
  name: apiserver
  residualTime: 0
- expirationDate: null
  externallyManaged: false
  missing: false
  name: etcd-peer
  residualTime: 0
kind: CertificateExpirationInfo
`,
    );
    assert.deepEqual(parse(yaml), JSON.parse(expirationDocument(report, 'json')));
  });

  test('half a second after the end is 0 seconds, not minus zero', () => {
    const [first] = report.certificates;
    const json = expirationDocument(
      { certificates: [{ ...first, residualMs: -500 }], certificateAuthorities: [] },
      'json',
    );
    assert.match(json, /"residualTime": 0,/);
  });
});
