import type { Component } from './catalog.ts';

/** One after the other, each before those that need it: the API server lives on etcd, the others on the API server. */
export const restartOrder: readonly Component[] = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
];
