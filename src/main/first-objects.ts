/** What a server puts into its own cluster: the CRDs of Git sync at every start, the two Git objects when flags say so. */
import { parseAllDocuments } from "yaml";
import { readAsset } from "#lib/asset.ts";
import { assert } from "#lib/assert.ts";
import type { Logger } from "#lib/log.ts";
import { sleep } from "#lib/sleep.ts";
import { CustomResourceDefinition } from "#api/apiextensions/custom-resource-definition.ts";
import { ClusterRole } from "#api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "#api/rbac/cluster-role-binding.ts";
import { Namespace } from "#api/core/namespace.ts";
import { Service } from "#api/core/service.ts";
import type { UnknownObject } from "#api/object.ts";
import { isAlreadyExists } from "#api/status-error.ts";
import type { Client } from "#client/client.ts";
import { Discovery } from "#client/discovery.ts";
import type { ResourceRef } from "#client/resource-path.ts";
import { GitRepository, Kustomization } from "#git/kinds.ts";

const manifests = [
  "../manifests/crds/gitrepositories.yaml",
  "../manifests/crds/kustomizations.yaml",
  "../manifests/node-network.yaml",
];
const kinds: readonly ResourceRef<never>[] = [CustomResourceDefinition, ClusterRole, ClusterRoleBinding];
const manager = "capstan";
const servedMsMax = 10_000;

/** Where `capstan server --git` keeps its two objects, and what they are called. */
export const gitNamespace = "flux-system";
export const gitObjectName = "capstan";

/** Applies what comes with the binary; an object that is as it should be is left alone. */
export async function installManifests(client: Client, log: Logger): Promise<void> {
  await Promise.all(
    manifests.map(async (name) => {
      for (const document of parseAllDocuments(readAsset(name).toString("utf8"))) {
        const object = document.toJS() as UnknownObject;
        const kind = kinds.find((one) => one.kind === object.kind);
        assert(kind !== undefined, `a manifest of the binary has a kind that is not in the list: ${object.kind}`);
        await client.apply(kind, object as never, { manager, force: true });
        log.debug("installed", { kind: object.kind, name: object.metadata.name });
      }
    }),
  );
}

/**
 * The Service of the cluster's DNS, which every node answers by itself (docs/decisions/node-network.md): here for those who
 * look it up, and so that nobody else gets its address.
 */
export async function createDnsService(client: Client, clusterDns: string): Promise<void> {
  const port = (name: string, protocol: string) => ({ name, protocol, port: 53, targetPort: 53 });
  await client.apply(
    Service,
    {
      metadata: { namespace: "kube-system", name: "kube-dns", labels: { "k8s-app": "kube-dns" } },
      spec: { clusterIP: clusterDns, ports: [port("dns", "UDP"), port("dns-tcp", "TCP")] },
    },
    { manager, force: true },
  );
}

export interface GitSettings {
  url: string;
  branch: string;
  path: string;
  interval: string;
}

export async function createGitObjects(client: Client, { url, branch, path, interval }: GitSettings): Promise<void> {
  await untilServed(client);
  await client.create(Namespace, { metadata: { name: gitNamespace } } as never).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
  });
  const metadata = { name: gitObjectName, namespace: gitNamespace };
  await client.apply(GitRepository, { metadata, spec: { url, interval, ref: { branch } } }, { manager, force: true });
  await client.apply(
    Kustomization,
    {
      metadata,
      spec: { interval: "10m", path, prune: true, sourceRef: { kind: "GitRepository", name: gitObjectName } },
    },
    { manager, force: true },
  );
}

/** The CRDs were applied a moment ago. */
async function untilServed(client: Client): Promise<void> {
  const discovery = new Discovery(client);
  const deadline = performance.now() + servedMsMax;
  while (performance.now() < deadline) {
    const resources = await discovery.resources(true);
    if (
      [GitRepository, Kustomization].every(({ group, kind }) =>
        resources.some((one) => one.group === group && one.kind === kind),
      )
    )
      return;
    await sleep(20);
  }
}
