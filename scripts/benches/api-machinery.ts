/** Times the machinery on the way of a write: decoding, ownership, patches, apply, of a Pod of 2.5 KiB. */
import { applyObject, trackUpdate } from "#api/apply/managed-fields.ts";
import { decodeBody } from "#api/decode/decode.ts";
import { encodeProtobuf } from "#api/decode/protobuf.ts";
import { applyPatch } from "#api/patch/patch.ts";
import { builtInType } from "#api/schema/built-in.ts";
import { objectMetaErrors } from "#api/validation/object-meta.ts";

const struct = builtInType("io.k8s.api.core.v1.Pod");
const expected = { group: "", version: "v1", kind: "Pod", struct };
const now = "2026-01-02T03:04:05Z";
const context = { ...expected, now };

const container = (name: string) => ({
  name,
  image: `registry.example.com/team/${name}:1.2.3`,
  args: ["--verbose", `--name=${name}`, "--config=/etc/config/app.yaml"],
  env: ["ALPHA", "BETA", "GAMMA", "DELTA"].map((key) => ({ name: key, value: `${key.toLowerCase()}-value` })),
  ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
  resources: { limits: { cpu: "500m", memory: "256Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
  volumeMounts: [{ name: "config", mountPath: "/etc/config", readOnly: true }],
  livenessProbe: { httpGet: { path: "/healthz", port: 8080, scheme: "HTTP" }, periodSeconds: 10, timeoutSeconds: 1 },
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: "IfNotPresent",
});
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web-1",
    namespace: "default",
    labels: { app: "web", tier: "front", "pod-template-hash": "abc123" },
    annotations: { "example.com/owner": "team-a", "example.com/note": "x".repeat(200) },
  },
  spec: {
    containers: [container("main"), container("side")],
    volumes: [{ name: "config", configMap: { name: "web-config", defaultMode: 420 } }],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    serviceAccountName: "default",
    schedulerName: "default-scheduler",
    tolerations: [
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    ],
  },
};
const json = Buffer.from(JSON.stringify(pod));
const protobuf = encodeProtobuf(pod, struct);
const decode = () => decodeBody({ format: "json", bytes: json }, expected, "Warn").object;

function time(name: string, run: () => unknown): void {
  for (let i = 0; i < 2000; i++) run();
  const rounds = 5000;
  const from = performance.now();
  for (let i = 0; i < rounds; i++) run();
  console.log(`${name.padEnd(34)} ${(((performance.now() - from) / rounds) * 1000).toFixed(1).padStart(8)} µs`);
}

const live = decode();
live.metadata.uid = "u";
trackUpdate(undefined, live, "bench", context);
const changed = structuredClone(live);
changed.metadata.labels!["app"] = "other";
const unowned = decode();

console.log(`a Pod of ${json.length} bytes of JSON, ${protobuf.length} of protobuf`);
time("JSON.parse alone", () => JSON.parse(json.toString()));
time("decode JSON", decode);
time("decode protobuf", () => decodeBody({ format: "protobuf", bytes: protobuf }, expected, "Warn"));
time("encode protobuf", () => encodeProtobuf(live, struct));
time("metadata rules", () => objectMetaErrors(live.metadata, { namespaced: true }));
time("managedFields of a create", () => {
  delete unowned.metadata.managedFields;
  trackUpdate(undefined, unowned, "bench", context);
});
time("managedFields of an update", () =>
  trackUpdate(live, { ...changed, metadata: { ...changed.metadata } }, "other", context),
);
const patches = {
  merge: Buffer.from('{"metadata":{"labels":{"app":"x"}}}'),
  strategic: Buffer.from('{"spec":{"containers":[{"name":"main","image":"y"}]}}'),
  json: Buffer.from('[{"op":"replace","path":"/metadata/labels/app","value":"x"}]'),
};
for (const [type, bytes] of Object.entries(patches)) {
  time(`${type} patch`, () => applyPatch(type as keyof typeof patches, bytes, live, expected, "Warn"));
}
const request = { live, applied: pod, manager: "applier", force: true };
time("apply, everything owned", () => applyObject(request, context));
