/** The objects that benches write: a ConfigMap of 200 bytes and a Pod of 2.5 KiB. */
import type { KubernetesObject } from "#api/object.ts";

export function exampleConfigMap(metadata: object, value = "v".repeat(100)): KubernetesObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { key: value } } as KubernetesObject;
}

export function examplePod(metadata: object, tier = "load"): KubernetesObject {
  const env = Array.from({ length: 20 }, (_, at) => ({
    name: `VARIABLE_${at}`,
    value: `a value of some length ${at}`,
  }));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, labels: { app: "bench", tier }, annotations: { note: "n".repeat(200) } },
    spec: {
      containers: [
        {
          name: "c",
          image: "registry.example.com/team/application:1.2.3",
          env,
          resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
          ports: [{ containerPort: 8080 }],
          readinessProbe: { httpGet: { path: "/ready", port: 8080 } },
        },
      ],
      nodeSelector: { zone: "none" },
    },
  } as KubernetesObject;
}
