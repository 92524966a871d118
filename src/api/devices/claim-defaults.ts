/** What requests for devices take where nothing is said. Upstream: pkg/apis/resource/v1/defaults.go. */
import type { V1DeviceClaim, V1DeviceToleration, V1ExactDeviceRequest } from "#api/generated/types.ts";

type Request = Pick<V1ExactDeviceRequest, "allocationMode" | "count" | "tolerations">;

export function defaultDevices(devices: V1DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? [])
    for (const request of [...(exactly === undefined ? [] : [exactly]), ...(firstAvailable ?? [])])
      defaultRequest(request);
}

function defaultRequest(request: Request): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  for (const toleration of request.tolerations ?? []) defaultToleration(toleration);
}

function defaultToleration(toleration: V1DeviceToleration): void {
  toleration.operator ||= "Equal";
}
