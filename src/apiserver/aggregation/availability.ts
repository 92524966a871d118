/**
 * Whether an aggregated API server can be used, as its API service's condition says. Upstream: kube-aggregator/pkg/
 * controllers/status/remote/remote_available_controller.go.
 */
import type { V1APIServiceCondition, V1EndpointSlice, V1Service } from "#api/generated/types.ts";
import { goQuote } from "#api/go-text.ts";
import type { ApiService } from "./priorities.ts";

export type Verdict = Pick<V1APIServiceCondition, "status" | "reason" | "message">;

export const passed: Verdict = { status: "True", reason: "Passed", message: "all checks passed" };
export const local: Verdict = {
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

const unavailable = (reason: string, message: string): Verdict => ({ status: "False", reason, message });

/** What can be told without asking the server; undefined: nothing speaks against it. */
export function obstacle(
  { spec }: ApiService,
  service: V1Service | undefined,
  slices: readonly V1EndpointSlice[],
): Verdict | undefined {
  const { name = "", namespace = "", port = 443 } = spec?.service ?? {};
  const what = `service/${name} in ${goQuote(namespace)}`;
  if (service === undefined) return unavailable("ServiceNotFound", `${what} is not present`);
  if ((service.spec?.type ?? "ClusterIP") !== "ClusterIP") return undefined;
  const found = service.spec?.ports?.find((one) => one.port === port);
  if (found === undefined) return unavailable("ServicePortError", `${what} is not listening on port ${port}`);
  if (slices.length === 0) return unavailable("EndpointsNotFound", `cannot find endpointslices for ${what}`);
  const portName = found.name ?? "";
  if (slices.some((slice) => hasEndpoint(slice, portName))) return undefined;
  return unavailable(
    "MissingEndpoints",
    `endpointslices for ${what} have no addresses with port name ${goQuote(portName)}`,
  );
}

const hasEndpoint = ({ endpoints, ports }: V1EndpointSlice, portName: string): boolean =>
  (endpoints ?? []).some(({ conditions }) => conditions?.ready !== false) &&
  (ports ?? []).some(({ name, port }) => (name ?? "") === portName && port !== undefined);

export const failedCheck = (message: string): Verdict => unavailable("FailedDiscoveryCheck", message);

export const isAvailable = ({ status }: ApiService): boolean =>
  (status?.conditions ?? []).some((one) => one.type === "Available" && one.status === "True");

/** The conditions with the verdict in them; the same list if it says nothing new. `now`: RFC 3339. */
export function withVerdict(
  conditions: readonly V1APIServiceCondition[],
  verdict: Verdict,
  now: string,
): readonly V1APIServiceCondition[] {
  const old = conditions.find(({ type }) => type === "Available");
  if (old?.status === verdict.status && old.reason === verdict.reason && old.message === verdict.message)
    return conditions;
  const lastTransitionTime = old?.status === verdict.status ? old.lastTransitionTime : now;
  const condition = {
    type: "Available",
    status: verdict.status,
    ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
    reason: verdict.reason,
    message: verdict.message,
  } as V1APIServiceCondition;
  return old === undefined ? [...conditions, condition] : conditions.map((one) => (one === old ? condition : one));
}
