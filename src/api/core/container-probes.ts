/** Probes and lifecycle hooks. Upstream: validateProbe, validateHandler, validateLifecycle. */
import type { V1Container, V1HTTPGetAction, V1Lifecycle, V1LifecycleHandler, V1Probe } from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "#api/validation/field-errors.ts";
import { isHttpHeaderName } from "#api/validation/formats.ts";
import { nonNegative, oneOf, portErrors } from "#api/validation/values.ts";

type Handler = V1Probe & V1LifecycleHandler;

const handlerKinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
const schemes = ["HTTP", "HTTPS"];

/** `gracePeriod`: the pod's, in seconds. */
export function handlerErrors(handler: Handler, gracePeriod: number, path: string): FieldError[] {
  const [first, ...others] = handlerKinds.filter((kind) => handler[kind] !== undefined);
  if (first === undefined) return [required(path, "must specify a handler type")];
  return [
    ...actionErrors(first, handler, gracePeriod, `${path}.${first}`),
    ...others.map((kind) => forbidden(`${path}.${kind}`, "may not specify more than 1 handler type")),
  ];
}

function actionErrors(
  kind: (typeof handlerKinds)[number],
  handler: Handler,
  gracePeriod: number,
  path: string,
): FieldError[] {
  switch (kind) {
    case "exec":
      return (handler.exec!.command ?? []).length === 0 ? [required(`${path}.command`)] : [];
    case "httpGet":
      return httpErrors(handler.httpGet!, path);
    case "tcpSocket":
      return portErrors(`${path}.port`, handler.tcpSocket!.port);
    case "grpc":
      return portErrors(`${path}.port`, handler.grpc!.port);
    case "sleep": {
      const { seconds = 0 } = handler.sleep!;
      const text = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`;
      return seconds < 0 || seconds > gracePeriod ? [invalid(path, seconds, text)] : [];
    }
  }
}

function httpErrors(
  { path: urlPath = "", port, scheme = "", httpHeaders = [] }: V1HTTPGetAction,
  path: string,
): FieldError[] {
  const errors = urlPath === "" ? [required(`${path}.path`)] : [];
  errors.push(...portErrors(`${path}.port`, port));
  if (!schemes.includes(scheme)) errors.push(notSupported(`${path}.scheme`, scheme, schemes));
  for (const { name = "" } of httpHeaders)
    errors.push(...invalidEach(`${path}.httpHeaders`, name, isHttpHeaderName(name)));
  return errors;
}

const numbers = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function probeErrors(probe: V1Probe, gracePeriod: number, path: string): FieldError[] {
  const errors = handlerErrors(probe, gracePeriod, path);
  for (const field of numbers) errors.push(...nonNegative(`${path}.${field}`, probe[field]));
  const { terminationGracePeriodSeconds: grace } = probe;
  if (grace !== undefined && grace <= 0)
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
  return errors;
}

/** The probes and hooks of a container that keeps running. */
export function probesErrors(container: V1Container, gracePeriod: number, path: string): FieldError[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const errors = lifecycle === undefined ? [] : lifecycleErrors(lifecycle, gracePeriod, `${path}.lifecycle`);
  if (livenessProbe !== undefined) errors.push(...onceErrors(livenessProbe, gracePeriod, `${path}.livenessProbe`));
  if (readinessProbe !== undefined) {
    const at = `${path}.readinessProbe`;
    const { terminationGracePeriodSeconds: grace } = readinessProbe;
    errors.push(...probeErrors(readinessProbe, gracePeriod, at));
    if (grace !== undefined)
      errors.push(invalid(`${at}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  }
  if (startupProbe !== undefined) errors.push(...onceErrors(startupProbe, gracePeriod, `${path}.startupProbe`));
  return errors;
}

/** Liveness and startup count one success. */
function onceErrors(probe: V1Probe, gracePeriod: number, path: string): FieldError[] {
  const errors = probeErrors(probe, gracePeriod, path);
  const { successThreshold = 0 } = probe;
  if (successThreshold !== 1) errors.push(invalid(`${path}.successThreshold`, successThreshold, "must be 1"));
  return errors;
}

function lifecycleErrors(
  { postStart, preStop, stopSignal }: V1Lifecycle,
  gracePeriod: number,
  path: string,
): FieldError[] {
  return [
    ...(postStart === undefined ? [] : handlerErrors(postStart, gracePeriod, `${path}.postStart`)),
    ...(preStop === undefined ? [] : handlerErrors(preStop, gracePeriod, `${path}.preStop`)),
    ...(stopSignal === undefined ? [] : oneOf(`${path}.stopSignal`, stopSignal, [stopSignal])),
  ];
}

const initOnly = "may not be set for init containers without restartPolicy=Always";

/** An init container that ends has none of them. */
export const noProbesErrors = (container: V1Container, path: string): FieldError[] =>
  (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const)
    .filter((field) => container[field] !== undefined)
    .map((field) => forbidden(`${path}.${field}`, initOnly));
