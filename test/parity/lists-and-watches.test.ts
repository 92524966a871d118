/** Reading many: selectors, pages, versions, views, and watches that go on from any version. */
import {
  create,
  get,
  mergePatch,
  remove,
  storyServer,
  type Story,
  strategicPatch,
  watch,
} from "#test/support/story.ts";
import { configMap, deployment, event, pod, secret, service } from "#test/support/story-objects.ts";

const stories = storyServer();

const labelled = [
  create(configMap("a", {}, { labels: { app: "x", tier: "1" } })),
  create(configMap("b", {}, { labels: { app: "y", tier: "5" } })),
  create(configMap("c", {}, { labels: { tier: "7" } })),
  create(configMap("d", {}, { labels: { app: "" } })),
];
const selects = (selector: string, ...names: string[]): Story => [
  selector,
  ...labelled,
  get(`configmaps?labelSelector=${encodeURIComponent(selector)}`).lists(...names),
];
const cannotSelect = (selector: string, text: string): Story => [
  selector,
  get(`configmaps?labelSelector=${encodeURIComponent(selector)}`).answers(400, text),
];

stories("a label selector", [
  selects("app=x", "a"),
  selects("app==x", "a"),
  selects(" app = x ", "a"),
  selects("app!=x", "b", "c", "d"),
  selects("app", "a", "b", "d"),
  selects("!app", "c"),
  selects("app=", "d"),
  selects("app in (x,y)", "a", "b"),
  selects("app in ()", "d"),
  selects("app notin (x)", "b", "c", "d"),
  selects("tier>4", "b", "c"),
  selects("app,tier notin (1)", "b", "d"),
  selects("app=zzz"),
]);
stories("no label selector", [
  cannotSelect(",", "found ',', expected: !, identifier, or 'end of string'"),
  cannotSelect("app is x", "unable to parse requirement: found 'is', expected: in, notin, =, ==, !=, gt, lt"),
  cannotSelect(
    "tier>abc",
    `unable to parse requirement: values[0]: Invalid value: "abc": for 'Gt', 'Lt' operators, the value must be an integer`,
  ),
  cannotSelect(
    "app~x",
    `unable to parse requirement: <nil>: Invalid value: "app~x": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
  ),
]);

const onlyNames = (field: string) =>
  `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
stories("a field selector", [
  [
    "knows name and namespace everywhere",
    ...labelled,
    get("configmaps?fieldSelector=metadata.name!=a").lists("b", "c", "d"),
    get("configmaps?fieldSelector=metadata.namespace=other").lists(),
    get("configmaps?fieldSelector=metadata.name!=a&labelSelector=app=y").lists("b"),
  ],
  [
    "knows no other field of most kinds",
    get("configmaps?fieldSelector=data.a=1").answers(400, onlyNames("data.a")),
    get("deployments?fieldSelector=status.replicas=0").answers(400, onlyNames("status.replicas")),
    get("configmaps?fieldSelector=foo=1,bar=2").answers(400, onlyNames("bar")),
  ],
  [
    "knows more of pods",
    create(pod("a", { nodeName: "n1" })),
    create(pod("b")),
    get("pods?fieldSelector=spec.nodeName=n1").lists("a"),
    get("pods?fieldSelector=spec.restartPolicy=Always,status.phase=Pending,spec.hostNetwork=false").lists("a", "b"),
    get("pods?fieldSelector=spec.bogus=1").answers(400, "field label not supported: spec.bogus"),
    get("/api/v1/nodes?fieldSelector=metadata.namespace=x").answers(
      400,
      "field label not supported: metadata.namespace",
    ),
    get("/api/v1/persistentvolumes?fieldSelector=metadata.namespace=x").lists(),
  ],
  [
    "knows the type of secrets",
    create(secret("a")),
    create(secret("b", { type: "x.io/t" })),
    get("secrets?fieldSelector=type!=Opaque").lists("b"),
  ],
  [
    "knows what services are",
    create(service("a")),
    create(service("b", { clusterIP: "None" })),
    get("services?fieldSelector=spec.clusterIP=None").lists("b"),
    get("services?fieldSelector=spec.type=ClusterIP").lists("a", "b"),
  ],
  [
    "knows events in the words of their group",
    create(event("e", { involvedObject: { kind: "Pod", name: "p", namespace: "{ns}" }, reason: "R", type: "Normal" })),
    get("events?fieldSelector=involvedObject.name=p,reason=R").lists("e"),
    get("events?fieldSelector=regarding.name=p").answers(400, "field label not supported: regarding.name"),
    get("/apis/events.k8s.io/v1/namespaces/{ns}/events?fieldSelector=regarding.name=p,type=Normal").lists("e"),
    get("/apis/events.k8s.io/v1/namespaces/{ns}/events?fieldSelector=involvedObject.name=p").answers(
      400,
      "field label not supported: involvedObject.name",
    ),
  ],
  [
    "is a comparison",
    get("configmaps?fieldSelector=metadata.name").answers(
      400,
      "invalid selector: 'metadata.name'; can't understand 'metadata.name'",
    ),
    get("configmaps?fieldSelector=metadata.name=a%5Cz").answers(
      400,
      "invalid field selector: invalid escape sequence: \\z",
    ),
  ],
]);

const five = ["a", "b", "c", "d", "e"].map((name) => create(configMap(name)));
stories("pages", [
  [
    "go on where the last one ended",
    ...five,
    get("configmaps?limit=2")
      .lists("a", "b")
      .shows({ metadata: { remainingItemCount: 3 } })
      .saves("next", "metadata.continue"),
    get("configmaps?limit=2&continue={next}")
      .lists("c", "d")
      .shows({ metadata: { remainingItemCount: 1 } })
      .saves("next", "metadata.continue"),
    get("configmaps?limit=2&continue={next}").lists("e").lacks("metadata.continue", "metadata.remainingItemCount"),
  ],
  [
    "are of one version",
    ...five,
    get("configmaps?limit=2").saves("next", "metadata.continue"),
    create(configMap("bb")),
    create(configMap("f")),
    get("configmaps?continue={next}").lists("c", "d", "e"),
  ],
  [
    "do not count what a selector leaves out",
    ...five,
    get("configmaps?limit=1&fieldSelector=metadata.name!=a").lists("b").lacks("metadata.remainingItemCount"),
  ],
  [
    "go on while there are keys, selected or not",
    ...five,
    create(configMap("ab", {}, { labels: { x: "y" } })),
    get("configmaps?limit=1&labelSelector=x=y").lists("ab").saves("next", "metadata.continue"),
    get("configmaps?limit=1&labelSelector=x=y&continue={next}").lists().lacks("metadata.continue"),
    create(configMap("z", {}, { labels: { x: "z" } })).saves("rv", "metadata.resourceVersion"),
    get("configmaps?limit=1&labelSelector=x=z").lists("z").lacks("metadata.continue"),
    create(configMap("zz")),
    get("configmaps?limit=1&labelSelector=x=z&resourceVersion={rv}").lists("z").lacks("metadata.continue"),
    get("configmaps?limit=2&labelSelector=x&resourceVersion={rv}").lists("ab", "z").lacks("metadata.continue"),
    get("configmaps?limit=1&labelSelector=x&resourceVersion={rv}").lists("ab").saves("next", "metadata.continue"),
  ],
  ["are all of them at version 0", ...five, get("configmaps?limit=1&resourceVersion=0").lists("a", "b", "c", "d", "e")],
  [
    "take no version with their token",
    ...five,
    get("configmaps?limit=2").saves("next", "metadata.continue"),
    get("configmaps?continue={next}&resourceVersion=5").answers(
      400,
      "specifying resource version is not allowed when using continue",
    ),
  ],
  [
    "have a number of objects, which nothing is not",
    get("configmaps?limit=").answers(400, 'strconv.ParseInt: parsing "": invalid syntax'),
    get("configmaps?timeoutSeconds=").answers(400, 'strconv.ParseInt: parsing "": invalid syntax'),
  ],
  [
    "need a token of their own",
    get("configmaps?limit=1&continue=garbage").answers(
      400,
      "invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value",
    ),
    get("configmaps?limit=1&continue=e30").answers(
      400,
      "invalid continue token: continue key is not valid: server does not recognize this encoded version ",
    ),
  ],
]);

stories("a version", [
  [
    "of the past is still there",
    create(configMap("a")).saves("rv", "metadata.resourceVersion"),
    create(configMap("b")),
    remove("configmaps/a"),
    get("configmaps?resourceVersion={rv}&resourceVersionMatch=Exact")
      .lists("a")
      .has("metadata.resourceVersion", "{rv}"),
    get("configmaps").lists("b"),
  ],
  [
    "not older than asked is what is there now",
    create(configMap("a")).saves("rv", "metadata.resourceVersion"),
    create(configMap("b")),
    get("configmaps?resourceVersion={rv}&resourceVersionMatch=NotOlderThan").lists("a", "b"),
  ],
  [
    "needs a way to match, and the other way round",
    get("configmaps?resourceVersionMatch=NotOlderThan").answers(
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    ),
    get("configmaps?resourceVersion=1&resourceVersionMatch=Newest").answers(
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
    ),
  ],
  [
    "is a number",
    get("configmaps?resourceVersion=abc").answers(
      400,
      'resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
    ),
    get("configmaps?timeoutSeconds=abc").answers(400, 'strconv.ParseInt: parsing "abc": invalid syntax'),
  ],
]);

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
stories("a view", [
  [
    "as a table has columns, cells and the metadata of each row",
    create(configMap("a", { data: { x: "1", y: "2" } })),
    get("configmaps")
      .accepting(table)
      .shows({
        kind: "Table",
        apiVersion: "meta.k8s.io/v1",
        columnDefinitions: [{ name: "Name", type: "string", format: "name" }, { name: "Data" }, { name: "Age" }],
        rows: [{ object: { kind: "PartialObjectMetadata", metadata: { name: "a" } } }],
      })
      .has("rows.0.cells.1", 2),
  ],
  [
    "as a table of pods tells their state",
    create(pod("a")),
    get("pods")
      .accepting(table)
      .meets((body) => {
        const { rows } = body as { rows: { cells: unknown[] }[] };
        const cells = rows[0]?.cells.slice(0, 4).concat(rows[0].cells.slice(5));
        const wanted = ["a", "0/1", "Pending", "0", "<none>", "<none>", "<none>", "<none>"];
        if (JSON.stringify(cells) !== JSON.stringify(wanted)) throw new Error(JSON.stringify(cells));
      }),
  ],
  [
    "as a table can carry whole objects or none",
    create(configMap("a")),
    get("configmaps?includeObject=Object")
      .accepting(table)
      .shows({ rows: [{ object: { kind: "ConfigMap", apiVersion: "v1" } }] }),
    get("configmaps?includeObject=None").accepting(table).lacks("rows.0.object.metadata.name"),
  ],
  [
    "of metadata alone has its own kind",
    create(configMap("a", { data: { x: "1" } })),
    get("configmaps")
      .accepting(partial)
      .shows({ kind: "PartialObjectMetadataList", items: [{ kind: "PartialObjectMetadata", metadata: { name: "a" } }] })
      .lacks("items.0.data"),
  ],
  ["of metadata has null for no items", get("configmaps").accepting(partial).has("items", null)],
  [
    "that is unknown is refused",
    get("configmaps")
      .accepting("application/json;as=Nonsense;v=v1;g=meta.k8s.io")
      .answers(
        406,
        "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf",
      ),
  ],
]);

const since = "configmaps?resourceVersion={rv}";
const start = create(configMap("a", {}, { labels: { w: "1" } })).saves("rv", "metadata.resourceVersion");
stories("a watch", [
  [
    "tells what happened since a version",
    start,
    create(configMap("b")),
    mergePatch("configmaps/b", { data: { x: "1" } }),
    remove("configmaps/b"),
    watch(since, "ADDED b", "MODIFIED b", "DELETED b"),
  ],
  [
    "of one object, by the old path, tells of that one",
    start,
    create(configMap("b")),
    mergePatch("configmaps/a", { data: { x: "1" } }),
    watch("/api/v1/watch/namespaces/{ns}/configmaps/b", "ADDED b"),
    watch("/api/v1/watch/namespaces/{ns}/configmaps/a?resourceVersion={rv}", "MODIFIED a"),
    get("/api/v1/watch/namespaces/{ns}/configmaps/a?fieldSelector=metadata.namespace={ns}").answers(
      400,
      "fieldSelector metadata.name doesn't match requested name",
    ),
  ],
  [
    "begins with what is there",
    start,
    watch("configmaps", "ADDED a"),
    watch("configmaps?resourceVersion=0", "ADDED a"),
  ],
  [
    "tells of a deletion twice if finalizers hold it",
    create(configMap("a", {}, { finalizers: ["x.io/f"] })).saves("rv", "metadata.resourceVersion"),
    remove("configmaps/a"),
    mergePatch("configmaps/a", { metadata: { finalizers: null } }),
    watch(since, "MODIFIED a", "DELETED a"),
  ],
  [
    "says DELETED when an object leaves its selection",
    start,
    create(configMap("b", {}, { labels: { w: "1" } })),
    mergePatch("configmaps/b", { metadata: { labels: { w: "2" } } }),
    mergePatch("configmaps/b", { metadata: { labels: { w: "1" } } }),
    watch(`${since}&labelSelector=w=1`, "ADDED b", "DELETED b", "ADDED b"),
  ],
  [
    "selects by field",
    start,
    create(configMap("b")),
    create(configMap("c")),
    watch(`${since}&fieldSelector=metadata.name=c`, "ADDED c"),
  ],
  [
    "marks the end of what was there",
    start,
    watch(
      "configmaps?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true",
      "ADDED a",
      "BOOKMARK",
    ),
  ],
  [
    "tells of each write of a status",
    create(deployment("a")).saves("rv", "metadata.resourceVersion"),
    strategicPatch("deployments/a", { spec: { replicas: 3 } }),
    mergePatch("deployments/a/status", { status: { replicas: 1 } }),
    watch("deployments?resourceVersion={rv}", "MODIFIED a", "MODIFIED a"),
  ],
  [
    "refuses initial events without a way to match",
    get("configmaps?watch=1&sendInitialEvents=true").answers(
      422,
      'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    ),
  ],
  [
    "refuses what a list refuses",
    get("configmaps?watch=1&fieldSelector=data=1").answers(400),
    get("configmaps?watch=1&resourceVersion=abc").answers(500),
    get("configmaps?watch=1&timeoutSeconds=abc").answers(400),
  ],
]);
