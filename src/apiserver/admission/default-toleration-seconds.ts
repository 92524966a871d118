/** Pods stay five minutes on a node that is not ready or out of reach. Upstream: plugin/pkg/admission/defaulttolerationseconds. */
import type { V1Pod, V1Toleration } from "#api/generated/types.ts";
import { type AdmissionPlugin, isFor } from "./plugin.ts";

const seconds = 300;
const keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: "DefaultTolerationSeconds",
  mutate(request) {
    if (request.object === undefined || !isFor(request, "", "pods")) return;
    const { spec } = request.object as V1Pod;
    if (spec === undefined || (request.operation !== "CREATE" && request.operation !== "UPDATE")) return;
    const given = spec.tolerations ?? [];
    const missing = keys.filter((key) => !given.some((toleration) => tolerates(toleration, key)));
    if (missing.length === 0) return;
    const added = missing.map((key) => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds }));
    spec.tolerations = [...given, ...added];
  },
};

const tolerates = ({ key = "", effect = "" }: V1Toleration, wanted: string): boolean =>
  (key === wanted || key === "") && (effect === "NoExecute" || effect === "");
