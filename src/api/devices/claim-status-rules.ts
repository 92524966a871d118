/** The rules of what a claim has been given. Upstream: ValidateResourceClaimStatusUpdate. */
import { nodeSelectorErrors } from "#api/core/pod-scheduling.ts";
import { csiDriverErrors } from "#api/core/volume-sources.ts";
import type {
  ResourceV1ResourceClaim,
  V1AllocatedDeviceStatus,
  V1AllocationResult,
  V1DeviceAllocationConfiguration,
  V1DeviceRequestAllocationResult,
  V1NetworkDeviceData,
  V1ResourceClaimConsumerReference,
  V1ResourceClaimStatus,
} from "#api/generated/types.ts";
import type { FieldError } from "#api/field-error.ts";
import { isLongerThan } from "#api/go-text.ts";
import { conditionsErrors } from "#api/validation/conditions.ts";
import { forbidden, invalid, notSupported, raw, required, tooLong, tooMany } from "#api/validation/field-errors.ts";
import { interfaceAddressErrors } from "#api/validation/ip.ts";
import { dnsLabel, immutable, present, semanticEqual } from "#api/validation/values.ts";
import { bindingConditionsErrors } from "./binding-condition-rules.ts";
import { referenceErrors, referencesErrors, requestNames, type RequestNames } from "./claim-rules.ts";
import { configurationErrors, rawObjectErrors, tolerationsErrors } from "./device-configuration.ts";
import { configurationsMax } from "./device-class-rules.ts";
import { listErrors, poolNameErrors, setErrors, twiceErrors, uidErrors } from "./device-names.ts";

const consumersMax = 256;
const resultsMax = 32;
const conditionsMax = 8;
const dataBytesMax = 10 * 1024;
const interfaceBytesMax = 256;
const hardwareAddressBytesMax = 128;
const addressesMax = 16;
const sources = ["FromClaim", "FromClass"];

export function claimStatusErrors(
  { metadata, spec, status = {} }: ResourceV1ResourceClaim,
  old: ResourceV1ResourceClaim | undefined,
): FieldError[] {
  const { allocation, reservedFor, devices } = status;
  const given = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  return [
    ...setErrors(reservedFor, consumersMax, "status.reservedFor", ({ uid }) => uid, consumerErrors),
    ...(devices ?? []).flatMap((device, index) => deviceStatusErrors(device, `status.devices[${index}]`, given)),
    ...twiceErrors((devices ?? []).map(deviceKey), "status.devices", true),
    ...reservationErrors(status, old?.status, metadata.deletionTimestamp !== undefined),
    ...(allocation === undefined
      ? []
      : old?.status?.allocation === undefined
        ? allocationErrors(allocation, requestNames(spec?.devices ?? {}))
        : immutable("status.allocation", allocation, old.status.allocation)),
  ];
}

const deviceKey = ({ driver, pool, device, shareID = "" }: V1AllocatedDeviceStatus): string =>
  [driver, pool, device, ...(shareID === "" ? [] : [shareID])].join("/");

const consumerErrors = ({ resource, name, uid }: V1ResourceClaimConsumerReference, path: string): FieldError[] => [
  ...present(`${path}.resource`, resource),
  ...present(`${path}.name`, name),
  ...present(`${path}.uid`, uid),
];

/** Only what is allocated can be reserved, and nothing new of what is on its way out. */
function reservationErrors(status: V1ResourceClaimStatus, old: V1ResourceClaimStatus | undefined, isLeaving: boolean) {
  const field = "status.reservedFor";
  const consumers = status.reservedFor ?? [];
  if (consumers.length === 0) return [];
  if (status.allocation === undefined) return [forbidden(field, "may not be specified when `allocated` is not set")];
  const before = old?.reservedFor ?? [];
  if (!isLeaving || consumers.every((one) => before.some((other) => semanticEqual(one, other)))) return [];
  const text = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
  return [forbidden(field, text)];
}

function allocationErrors({ devices, nodeSelector }: V1AllocationResult, names: RequestNames): FieldError[] {
  const path = "status.allocation";
  return [
    ...listErrors(devices?.results, resultsMax, `${path}.devices.results`, (result, at) =>
      resultErrors(result, at, names),
    ),
    ...listErrors(devices?.config, 2 * configurationsMax, `${path}.devices.config`, (config, at) => [
      ...sourceErrors(config, at),
      ...referencesErrors(config.requests, `${at}.requests`, names),
      ...configurationErrors(config, at),
    ]),
    ...(nodeSelector === undefined ? [] : nodeSelectorErrors(nodeSelector, `${path}.nodeSelector`)),
  ];
}

function sourceErrors({ source }: Partial<V1DeviceAllocationConfiguration>, path: string): FieldError[] {
  if ((source ?? "") === "") return [required(`${path}.source`)];
  return sources.includes(source!) ? [] : [notSupported(`${path}.source`, source, sources)];
}

function resultErrors(result: V1DeviceRequestAllocationResult, path: string, names: RequestNames): FieldError[] {
  const { request = "", driver, pool = "", device = "", tolerations, shareID } = result;
  return [
    ...referenceErrors(request, `${path}.request`, names),
    ...csiDriverErrors(driver, `${path}.driver`),
    ...poolNameErrors(pool, `${path}.pool`),
    ...dnsLabel(`${path}.device`, device),
    ...bindingConditionsErrors(result, path),
    ...tolerationsErrors(tolerations, `${path}.tolerations`),
    ...(shareID === undefined ? [] : uidErrors(shareID, `${path}.shareID`)),
  ];
}

function deviceStatusErrors(device: V1AllocatedDeviceStatus, path: string, given: ReadonlySet<string>): FieldError[] {
  const { driver, pool = "", device: name = "", shareID, conditions, data, networkData } = device;
  const key = deviceKey(device);
  return [
    ...csiDriverErrors(driver, `${path}.driver`),
    ...poolNameErrors(pool, `${path}.pool`),
    ...dnsLabel(`${path}.device`, name),
    ...(shareID === undefined ? [] : uidErrors(shareID, `${path}.shareID`)),
    ...(given.has(key) ? [] : [invalid(path, raw(key), "must be an allocated device in the claim")]),
    ...((conditions ?? []).length > conditionsMax
      ? [tooMany(`${path}.conditions`, conditions!.length, conditionsMax)]
      : []),
    ...conditionsErrors(conditions, `${path}.conditions`),
    ...(data === undefined ? [] : rawObjectErrors(data, `${path}.data`, dataBytesMax)),
    ...(networkData === undefined ? [] : networkErrors(networkData, `${path}.networkData`)),
  ];
}

function networkErrors({ interfaceName = "", hardwareAddress = "", ips }: V1NetworkDeviceData, path: string) {
  const long = (field: string, text: string, bytesMax: number) =>
    isLongerThan(text, bytesMax) ? [tooLong(`${path}.${field}`, bytesMax)] : [];
  return [
    ...long("interfaceName", interfaceName, interfaceBytesMax),
    ...long("hardwareAddress", hardwareAddress, hardwareAddressBytesMax),
    ...setErrors(
      ips,
      addressesMax,
      `${path}.ips`,
      (address) => address,
      (address, at) => interfaceAddressErrors(at, address),
    ),
  ];
}

/** The devices that the new allocation no longer has leave the status with it. Upstream: dropDeallocatedStatusDevices. */
export function dropDeallocated(status: V1ResourceClaimStatus, old: V1ResourceClaimStatus | undefined): void {
  const idOf = ({ driver, pool, device }: { driver: string; pool: string; device: string }) =>
    [driver, pool, device].join("/");
  const gone = new Set((old?.allocation?.devices?.results ?? []).map(idOf));
  for (const result of status.allocation?.devices?.results ?? []) gone.delete(idOf(result));
  const kept = (status.devices ?? []).filter((device) => !gone.has(idOf(device)));
  if (kept.length === 0) delete status.devices;
  else status.devices = kept;
}
