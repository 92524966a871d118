/** What clients learn before they ask: groups, versions, resources, schemas. */
import { expect } from "vitest";
import { get, post, put, remove, storyServer } from "#test/support/story.ts";

const stories = storyServer();

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const everyVerb = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

stories("discovery", [
  ["begins with the core", get("/api").shows({ kind: "APIVersions", versions: ["v1"] })],
  [
    "lists the groups in upstream's order",
    get("/apis").meets(({ groups }) =>
      expect((groups as { name: string }[]).map(({ name }) => name)).toEqual([
        "apiregistration.k8s.io",
        "apps",
        "events.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "autoscaling",
        "batch",
        "certificates.k8s.io",
        "networking.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
        "storage.k8s.io",
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "scheduling.k8s.io",
        "coordination.k8s.io",
        "node.k8s.io",
        "discovery.k8s.io",
        "resource.k8s.io",
        "flowcontrol.apiserver.k8s.io",
      ]),
    ),
  ],
  [
    "says which version of a group is preferred",
    get("/apis/autoscaling").shows({
      versions: [
        { groupVersion: "autoscaling/v2", version: "v2" },
        { groupVersion: "autoscaling/v1", version: "v1" },
      ],
      preferredVersion: { groupVersion: "autoscaling/v2" },
    }),
  ],
  [
    "lists resources with their subresources",
    get("/apis/apps/v1").meets(({ resources }) => {
      const all = resources as { name: string; verbs: string[] }[];
      expect(all.map(({ name }) => name)).toEqual([
        "controllerrevisions",
        "daemonsets",
        "daemonsets/status",
        "deployments",
        "deployments/scale",
        "deployments/status",
        "replicasets",
        "replicasets/scale",
        "replicasets/status",
        "statefulsets",
        "statefulsets/scale",
        "statefulsets/status",
      ]);
      expect(all.find(({ name }) => name === "deployments")).toMatchObject({
        singularName: "deployment",
        namespaced: true,
        kind: "Deployment",
        verbs: everyVerb,
        shortNames: ["deploy"],
        categories: ["all"],
      });
      expect(all.find(({ name }) => name === "deployments/scale")).toMatchObject({
        group: "autoscaling",
        version: "v1",
        kind: "Scale",
        verbs: ["get", "patch", "update"],
      });
    }),
  ],
  [
    "says what pods can do",
    get("/api/v1").meets(({ resources }) => {
      const names = (resources as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith("pods"));
      expect(names).toEqual([
        "pods",
        "pods/attach",
        "pods/binding",
        "pods/ephemeralcontainers",
        "pods/eviction",
        "pods/exec",
        "pods/log",
        "pods/portforward",
        "pods/proxy",
        "pods/resize",
        "pods/status",
      ]);
    }),
  ],
  [
    "comes all at once",
    get("/api")
      .accepting(aggregated)
      .shows({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" })
      .meets(({ items }) => {
        const [core] = items as { versions: { version: string; resources: { resource: string; scope: string }[] }[] }[];
        expect(core?.versions[0]?.resources[0]).toMatchObject({ resource: "bindings", scope: "Namespaced" });
      }),
  ],
  [
    "comes in no version of the past",
    get("/apis")
      .accepting("application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList")
      .answers(
        406,
        "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      ),
  ],
  [
    "tells the version",
    get("/version").shows({
      major: "1",
      minor: "36",
      emulationMajor: "1",
      emulationMinor: "36",
      minCompatibilityMajor: "1",
      minCompatibilityMinor: "35",
    }),
  ],
]);

const configMapPath = "/api/v1/namespaces/{namespace}/configmaps/{name}";
type Document = {
  definitions: Record<string, unknown>;
  paths: Record<string, unknown>;
  components: { schemas: Record<string, unknown> };
};
stories("OpenAPI", [
  [
    "version 3 has a document for each group",
    get("/openapi/v3").meets(({ paths }) =>
      expect(Object.keys(paths as object)).toEqual(
        expect.arrayContaining(["api", "api/v1", "apis", "apis/apps", "apis/apps/v1", "version"]),
      ),
    ),
  ],
  [
    "version 3 describes types and requests",
    get("/openapi/v3/api/v1").meets((body) => {
      const { components, paths } = body as unknown as Document;
      expect(components.schemas["io.k8s.api.core.v1.ConfigMap"]).toMatchObject({
        description: "ConfigMap holds configuration data for pods to consume.",
        type: "object",
        "x-kubernetes-group-version-kind": [{ group: "", kind: "ConfigMap", version: "v1" }],
      });
      expect(paths[configMapPath]).toMatchObject({
        get: {
          tags: ["core_v1"],
          description: "read the specified ConfigMap",
          operationId: "readCoreV1NamespacedConfigMap",
        },
      });
    }),
  ],
  [
    "version 2 is one document, with what patches need to know",
    get("/openapi/v2").meets((body) => {
      const { definitions, paths } = body as unknown as Document;
      expect(body["swagger"]).toBe("2.0");
      expect(definitions["io.k8s.api.core.v1.PodSpec"]).toMatchObject({
        properties: {
          containers: {
            type: "array",
            "x-kubernetes-patch-merge-key": "name",
            "x-kubernetes-patch-strategy": "merge",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
          },
        },
      });
      expect(paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]).toMatchObject({
        patch: {
          description: "partially update the specified Deployment",
          consumes: [
            "application/json-patch+json",
            "application/merge-patch+json",
            "application/strategic-merge-patch+json",
            "application/apply-patch+yaml",
          ],
        },
      });
    }),
  ],
]);

stories("health", [
  ["is told in a word", get("/livez").answers(200, "ok")],
  ["is told check by check", get("/readyz/ping").answers(200, "ok")],
  ["has no page for a check that is not made", get("/readyz/nope").answers(404, "404 page not found\n")],
  [
    "names the checks that were left out, and those that could not be",
    get("/livez?verbose&exclude=etcd&exclude=nope").answers(
      200,
      [
        "[+]ping ok",
        "[+]log ok",
        "[+]etcd excluded: ok",
        "[+]poststarthook/start-system-namespaces-controller ok",
        "[+]poststarthook/rbac/bootstrap-roles ok",
        "[+]poststarthook/scheduling/bootstrap-system-priority-classes ok",
        "[+]poststarthook/apiservice-discovery-controller ok",
        "[+]autoregister-completion ok",
        'warn: some health checks cannot be excluded: no matches for "nope"',
        "livez check passed\n",
      ].join("\n"),
    ),
  ],
]);

stories("paths that are no resources", [
  ["have no page with a slash behind a check", get("/healthz/").answers(404, "404 page not found\n")],
  ["may end in a slash where they are documents", get("/version/").answers(200)],
  ["are named by the root", get("/index.html").meets(({ paths }) => expect(paths).toContain("/apis/apps/v1"))],
  ["forget their metrics when they are deleted", remove("/metrics").answers(200, "metrics reset\n")],
  ["do not exist for other methods either", post("/nope", {}).answers(404, "404 page not found\n")],
  [
    "are only read where they are documents",
    put("/openid/v1/jwks", {}).answers(405, "the server does not allow this method on the requested resource"),
  ],
]);
